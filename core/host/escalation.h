/* What Ctrl-C does while somebody sits at a console.
 *
 * While the loop turns, a function in Lua hears of it between two turns. Code that does not wait
 * lets no turn come, so the handler of SIGINT itself asks for a hook on the running state
 * (core/task/interrupt.h), and a timer asks again each 100 ms. The evaluation in the foreground
 * gets Interrupted once. A step of anybody else is named when it has lasted for a second, and gets
 * it when Ctrl-C comes again. What has caught that, and goes on, gets it at every instruction.
 * Where no hook runs the code is in a C function: that is said, and three more end the process.
 *
 * All of it happens in the main thread. `pressed` and `stage` are written by the handlers and by
 * what these interrupt.
 */
#ifndef STROBE_HOST_ESCALATION_H
#define STROBE_HOST_ESCALATION_H

#include "core/task/interrupt.h"

#include <stdatomic.h>
#include <stdbool.h>

struct host;

enum escalation_stage {
  ESCALATION_NONE,
  ESCALATION_ASKED,     /* the hook is to look at what runs */
  ESCALATION_WARNED,    /* that was named: it is nobody's in the foreground */
  ESCALATION_WANTED,    /* and is to be interrupted all the same */
  ESCALATION_RAISED,    /* it has got its error */
  ESCALATION_CONDEMNED, /* and gets it at every instruction */
  ESCALATION_DEAF       /* no hook runs, which was said */
};

struct escalation {
  bool at_work;         /* somebody sits at a console */
  atomic_int stage;     /* enum escalation_stage, of the step of that beat */
  atomic_bool pressed;  /* to be heard in the next turn */
  atomic_bool told;     /* something was printed meanwhile */
  atomic_uint hooks;    /* how often the hook has asked */
  unsigned seen;        /* how often it had at the last tick */
  unsigned presses;     /* while deaf */
  uint64_t beat, group; /* the group of tasks in the foreground, or 0 */
  int64_t since;        /* when the stage began */
  int64_t heard;        /* when a tick saw that the hook had asked, or the first press */
  int64_t spared;       /* when a hook first met our own code, or 0 */
  int64_t first_press;  /* while deaf */
};

void escalation_open(struct escalation *escalation, struct host *host);

/* SIGINT has come. False when nobody sits at a console. In a signal handler. */
bool escalation_press(struct escalation *escalation);

/* The timer of watchdog.h ticks: returns whether it is to go on. In a signal handler. */
bool escalation_tick(struct escalation *escalation, int64_t now);

/* Whether there is something to deliver; to be asked in each turn. */
static inline bool escalation_has_news(const struct escalation *escalation) {
  return atomic_load_explicit(&escalation->stage, memory_order_relaxed) != ESCALATION_NONE ||
         atomic_load_explicit(&escalation->pressed, memory_order_relaxed) ||
         atomic_load_explicit(&escalation->told, memory_order_relaxed);
}

/* Calls those who want to hear of it. */
void escalation_deliver(struct host *host);

/* on_interrupt([fn[, redraw]]): fn() is called between two turns for SIGINT, which does nothing
 * else then; redraw() when a line was printed meanwhile that nobody knows of. Without fn SIGINT
 * cancels the main task again. */
int escalation_on_interrupt(lua_State *L);

/* The module strobe.core.interrupt. */
int luaopen_strobe_core_interrupt(lua_State *L);

#endif
