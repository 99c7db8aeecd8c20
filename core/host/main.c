#include "core/host/host.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* Who starts us without standard input, output or error must not get into the files that take
 * their numbers. False when it cannot be helped. */
static bool fill_standard(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
      return false;
  return true;
}

int main(int argc, char **argv) {
  struct host host;
  if (!fill_standard())
    return 1;
  int status = host_open(&host, argc, argv);
  if (status < 0) {
    fprintf(stderr, "strobe: cannot start: %s\n", uv_strerror(status));
    return 1;
  }
  status = host_run(&host);
  host_close(&host);
  return status;
}
