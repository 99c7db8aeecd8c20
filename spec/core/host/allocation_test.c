/* Runs a Lua program again and again; in the nth run the nth allocation fails, and
 * some that follow. Each run must end by itself, with status 0 or 1; or with 3, when
 * a task was left waiting, if what had failed was reported.
 *
 * usage: allocation_test PROGRAM [EVERY] [TIMES]
 * EVERY: only every so many allocations; TIMES: how many fail in a row, by default
 * 2, because Lua tries once more after a collection. The program calls begin() when
 * it is ready to be tried.
 */
#include "core/host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_SECONDS = 20, HOPELESS = 200000 };

struct allocator {
  bool counting;
  long count, first, times;
  long failed;
};

static struct allocator allocator;

static void *allocate(void *data, void *pointer, size_t old_size, size_t size) {
  (void)data;
  if (size == 0) {
    free(pointer);
    return NULL;
  }
  bool grows = !pointer || size > old_size;
  if (allocator.counting && grows) {
    allocator.count++;
    if (allocator.count >= allocator.first && allocator.count < allocator.first + allocator.times) {
      allocator.failed++;
      return NULL;
    }
  }
  return realloc(pointer, size);
}

static int begin(lua_State *L) {
  (void)L;
  allocator.counting = true;
  return 0;
}

/* The child's whole life: 0 or 1 as the program ends, 100 when it came to its end
 * before the allocation which was to fail. */
static int run(const char *path) {
  char name[] = "strobe", clock[] = "--clock=virtual", *program = strdup(path);
  char *argv[] = {name, clock, program, NULL};
  struct host host;
  alarm(MOST_SECONDS);
  if (host_open(&host, 3, argv) < 0)
    return 2;
  lua_register(host.L, "begin", begin);
  lua_setallocf(host.L, allocate, NULL);
  int status = host_run(&host);
  allocator.counting = false;
  host_close(&host);
  free(program);
  return allocator.failed == 0 && status == 0 ? 100 : status;
}

/* Runs the program in a child process with its output kept; returns its wait status. */
static int run_apart(const char *path, FILE *output) {
  fflush(stdout);
  rewind(output);
  if (ftruncate(fileno(output), 0) != 0)
    exit(2);
  pid_t child = fork();
  if (child == 0) {
    dup2(fileno(output), STDOUT_FILENO);
    dup2(fileno(output), STDERR_FILENO);
    exit(run(path));
  }
  int status;
  waitpid(child, &status, 0);
  return status;
}

static void print_file(FILE *file) {
  rewind(file);
  for (int c; (c = getc(file)) != EOF;)
    putchar(c);
}

static bool reports(FILE *file) {
  char line[200];
  rewind(file);
  while (fgets(line, sizeof line, file))
    if (strstr(line, "not enough memory"))
      return true;
  return false;
}

/* Whether the run ended well; otherwise says how it did. */
static bool check(int status, FILE *output) {
  if (WIFEXITED(status) && (WEXITSTATUS(status) <= 1 || WEXITSTATUS(status) == 100))
    return true;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 3 && reports(output))
    return true;
  if (WIFSIGNALED(status))
    printf("allocation %ld: ended by signal %d (%s)\n", allocator.first, WTERMSIG(status),
           strsignal(WTERMSIG(status)));
  else
    printf("allocation %ld: exit status %d\n", allocator.first, WEXITSTATUS(status));
  print_file(output);
  return false;
}

int main(int argc, char **argv) {
  long every = argc > 2 ? atol(argv[2]) : 1;
  long runs = 0, bad = 0;
  FILE *output = tmpfile();
  if (argc < 2 || every < 1 || !output)
    return 2;
  allocator.times = argc > 3 ? atol(argv[3]) : 2;
  for (allocator.first = 1; allocator.first < HOPELESS; allocator.first += every, runs++) {
    int status = run_apart(argv[1], output);
    bad += !check(status, output);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 100)
      break;
  }
  printf("%ld runs, %ld bad\n", runs, bad);
  return bad > 0;
}
