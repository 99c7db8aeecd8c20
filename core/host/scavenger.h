/* The scavenger: gives memory back that is no longer needed.
 *
 * Lua collects garbage while it allocates, so a process that has let go of much
 * and then falls quiet would keep all of it: ten thousand closed connections, a
 * day's ticks. A while after much has happened the scavenger runs the collector
 * to its end, in slices between the turns of the loop, and hands the pages which
 * are free then to the system. It works for a twentieth of the time at most.
 */
#ifndef STROBE_HOST_SCAVENGER_H
#define STROBE_HOST_SCAVENGER_H

#include "core/loop/loop.h"

#include <lua.h>

struct host;

struct scavenger {
  uv_timer_t timer; /* of real time; does not keep the loop alive */
  struct job job;
  struct host *host;
  enum { SCAVENGER_RESTS, SCAVENGER_WAITS, SCAVENGER_COLLECTS } state;
  int64_t delay;    /* milliseconds from much having happened to the collection */
  int64_t worked;   /* nanoseconds, in the last collection */
  uint64_t steps;   /* of the scheduler, when it was last looked at */
  size_t heap;      /* KiB of Lua's objects, then */
  size_t before;    /* the same before the collection */
  int cycles;       /* of the collector still to go */
  long purge_delay; /* of the allocator, while that is suspended */
  uint64_t rounds;  /* that have been completed */
};

/* 0, or a negative libuv error. */
int scavenger_open(struct scavenger *scavenger, struct host *host);

/* Whether much has happened since; to be called in each turn. */
void scavenger_look(struct scavenger *scavenger);

/* scavenge_after([seconds]) → seconds: how long after much has happened it begins. */
int scavenger_after(lua_State *L);

/* Who gives back what the collector has freed: "mimalloc"; "system": perhaps nobody. */
const char *scavenger_allocator(void);

#endif
