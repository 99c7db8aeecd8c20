#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool lenient;

static void say(const char *format, va_list arguments) {
  fprintf(stderr, "%s: error: ", program_invocation_short_name);
  vfprintf(stderr, format, arguments);
}

_Noreturn void report_failure(const char *format, ...) {
  int error = errno;
  va_list arguments;
  va_start(arguments, format);
  say(format, arguments);
  va_end(arguments);
  fprintf(stderr, ": %s\n", error ? strerror(error) : "not what was expected");
  exit(1);
}

void report_be_lenient(void) {
  lenient = true;
}

void report_expect(bool met, const char *format, ...) {
  va_list arguments;
  if (met)
    return;
  va_start(arguments, format);
  say(format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  if (!lenient)
    exit(1);
}

void report_result(const char *name, double value, const char *unit) {
  printf("RESULT %s %.6g %s\n", name, value, unit);
  fflush(stdout);
}
