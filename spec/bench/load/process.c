#include "process.h"

#include "report.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { PATH = 64, LINE = 256 };
enum { DOTS = 2 }; /* entries of a folder that are no file */

double process_now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void process_sleep(double seconds) {
  struct timespec time = {.tv_sec = (time_t)seconds};
  time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
  nanosleep(&time, NULL);
}

double process_time(int pid) {
  clockid_t clock;
  struct timespec time;
  errno = clock_getcpuclockid(pid, &clock);
  if (errno || clock_gettime(clock, &time) < 0)
    report_failure("the server's processor time");
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double process_resident(int pid) {
  char path[PATH], line[LINE];
  double kilobytes = -1;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  FILE *status = fopen(path, "re");
  if (!status)
    report_failure("the server is gone: %s", path);
  while (kilobytes < 0 && fgets(line, sizeof line, status))
    if (sscanf(line, "VmRSS: %lf", &kilobytes) != 1)
      kilobytes = -1;
  fclose(status);
  if (kilobytes < 0)
    report_failure("the server has ended: no VmRSS in %s", path);
  return kilobytes * 1024;
}

int process_descriptors(int pid) {
  char path[PATH];
  int count = -DOTS;
  snprintf(path, sizeof path, "/proc/%d/fd", pid);
  DIR *folder = opendir(path);
  if (!folder)
    report_failure("the server is gone: %s", path);
  while (readdir(folder))
    count++;
  closedir(folder);
  return count;
}

int process_wait_descriptors(int pid, int most, double seconds) {
  double end = process_now() + seconds;
  int count = process_descriptors(pid);
  while (count > most && process_now() < end) {
    process_sleep(0.01);
    count = process_descriptors(pid);
  }
  return count;
}
