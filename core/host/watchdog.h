/* The watchdog: a thread that sees when Lua runs for long without waiting.
 *
 * The scheduler counts a beat when Lua begins to run and when it ends, the loop its turns. The
 * thread looks at these counters from time to time and, when they have stood still for too long,
 * signals the main thread, whose handler sets a hook on the running state (core/task/interrupt.h):
 * there, and only there, Lua is asked. The thread itself touches neither Lua nor tasks. There is
 * one only while somebody has asked for something.
 *
 * Two things can be asked for. A quota: a function in Lua is called when one step has used so much
 * processor time, and says whether that goes on. And stalls: when a step, or a turn of the loop,
 * has lasted for so much real time, the stacks of all tasks are printed, once. SIGUSR2 prints them
 * too, without a thread.
 *
 * From the first signal to the answer a timer ticks, each time a signal to the main thread as well:
 * it asks again. Where no hook has run for a second, the code is in a C function or a finalizer:
 * that cannot be interrupted, and the handler says so.
 */
#ifndef STROBE_HOST_WATCHDOG_H
#define STROBE_HOST_WATCHDOG_H

#include <lua.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include <uv.h>

struct host;

struct watchdog {
  struct host *host;
  clockid_t clock; /* of the main thread's processor time */
  pthread_t main;
  uv_mutex_t mutex;
  uv_cond_t changed;
  uv_thread_t thread;
  bool alive, ending;        /* the thread; `ending` under the mutex */
  int64_t quota, stall;      /* nanoseconds; CLOCK_NEVER: not asked for. Under the mutex */
  timer_t timer;             /* which ticks while `ticking` */
  bool has_timer, ticking;   /* `ticking`: the main thread's and its handlers' */
  int64_t since;             /* when a handler saw first that something is to be answered, or 0 */
  bool told;                 /* said that it is not */
  atomic_bool stacks;        /* are to be printed */
  atomic_bool wanted;        /* `asked` is to be examined */
  _Atomic uint64_t asked;    /* the beat that is to be examined */
  _Atomic int64_t began;     /* processor time when that step was seen first */
  _Atomic int64_t stood;     /* real time that the turn had taken when it stalled, or 0 */
  _Atomic uint64_t answered; /* the beat that was examined last */
  _Atomic int64_t due;       /* when that wants to be asked again */
};

/* 0, or a negative libuv error. Takes SIGUSR2. */
int watchdog_open(struct watchdog *watchdog, struct host *host);

/* SIGUSR2 is the watchdog's again. */
void watchdog_take(int number);

/* Ends the thread. */
void watchdog_close(struct watchdog *watchdog);

/* Lets the timer tick until nobody waits for an answer. In a signal handler. */
void watchdog_tick_on(struct watchdog *watchdog);

/* Prints the stacks if somebody wants them; to be called in each turn. */
void watchdog_deliver(struct watchdog *watchdog);

/* The module strobe.core.watchdog. */
int luaopen_strobe_core_watchdog(lua_State *L);

#endif
