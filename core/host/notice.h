/* A line for stderr out of a signal handler: no memory, no stdio. What does not fit is cut. */
#ifndef STROBE_HOST_NOTICE_H
#define STROBE_HOST_NOTICE_H

#include "core/task/scheduler.h"

#include <stddef.h>
#include <stdint.h>

enum { NOTICE_ROOM = 256 };

struct notice {
  size_t size;
  char text[NOTICE_ROOM];
};

/* Begins with "strobe: ". On a terminal, where a prompt may stand, it gets a line of its own. */
void notice_begin(struct notice *notice);

void notice_add(struct notice *notice, const char *text);

/* The same with the bytes that could drive a terminal replaced. */
void notice_add_name(struct notice *notice, const char *name);

void notice_add_number(struct notice *notice, int64_t number);

/* Whose step runs: "unit mm", "'main'" or "a callback". */
void notice_add_running(struct notice *notice, const struct scheduler *scheduler);

/* "1.2 s" */
void notice_add_seconds(struct notice *notice, int64_t nanoseconds);

/* Ends the line and writes it. */
void notice_print(struct notice *notice);

#endif
