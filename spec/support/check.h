/* What test programs check with: the first thing that does not hold ends the program with
 * its line and status 1. They print `checked` when all is good. */
#ifndef STROBE_SPEC_CHECK_H
#define STROBE_SPEC_CHECK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) check(condition, #condition, __LINE__)

static int checked;

static void check(bool good, const char *what, int line) {
  checked++;
  if (good)
    return;
  printf("line %d: %s\n", line, what);
  exit(1);
}

#endif
