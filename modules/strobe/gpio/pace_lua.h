/* How a board follows the loop's clock.
 *
 * While it runs, its time is that of the loop from where it was resumed; all that is due up
 * to now is done in the order of simulated time and stamped with it, however late the loop
 * came. While it is paused, time passes by steps. Both are done in turns of the loop: callbacks
 * run at once, tasks are made ready and go before the board goes on.
 *
 * What tasks write between those turns happens now; what is written by whoever was told of
 * something happens at the time of that. */
#ifndef STROBE_GPIO_PACE_LUA_H
#define STROBE_GPIO_PACE_LUA_H

#include "core/loop/loop.h"
#include "core/task/wait.h"
#include "modules/strobe/gpio/board.h"
#include "modules/strobe/gpio/timer.h"

/* What a step ends with: its first of these. */
struct gpio_goal {
  int64_t time;
  uint64_t deltas;        /* of the board; UINT64_MAX for no end */
  struct gpio_line *line; /* NULL: no level is waited for */
  enum gpio_level level;
};

struct gpio_box;

/* A task that waits for simulated time, or for more; or a function that does. */
struct gpio_waiter {
  struct list link; /* in the box's waiters, while a task waits */
  struct gpio_timer timer;
  struct gpio_box *box;
  struct task *task;
  bool timed_out;
  void (*ring)(lua_State *L, struct gpio_waiter *waiter); /* NULL: the timer wakes the task */
};

/* The userdata of a board. */
struct gpio_box {
  struct gpio_board *board; /* NULL when it was closed */
  struct scheduler *scheduler;
  struct job job;                /* lets time pass */
  struct timer timer;            /* the next event */
  struct list waiters;           /* tasks, see gpio_waiter */
  struct gpio_waiter contention; /* who waits for one to begin or end */
  bool contention_news;          /* one has, since that was last waited for */
  struct task *stepper;
  struct gpio_goal goal;
  bool running, busy; /* busy: the job is on its way or runs */
  bool held;          /* its trace has to be taken before time goes on */
  int64_t origin;     /* loop time at which the board's time was `base` */
  int64_t base;
  int self;     /* a weak table with the userdata, in the registry */
  int prologue; /* a function in the registry, called before anything happens; or LUA_NOREF */
  struct list handled;   /* subscriptions with a handler: they hold the userdata */
  struct list alarms;    /* that run: so do they */
  struct list recorders; /* of the traces that are made */
};

/* The board whose userdata is on top gets its pace. [-0, +0, m] */
void gpio_pace_open(lua_State *L, struct gpio_box *box);

/* Pushes the userdata, or nil when it was collected. [-0, +1, -] */
void gpio_box_push(lua_State *L, const struct gpio_box *box);

/* Closes the board, ends its waits. Twice is harmless. [-0, +0, -] */
void gpio_pace_close(lua_State *L, struct gpio_box *box);

/* Brings the board to now, unless it is in the middle of something. */
void gpio_pace_sync(struct gpio_box *box);

/* Has the function on top called once, before anything else happens or time passes; a later one
 * takes its place. [-1, +0, m] */
void gpio_pace_prologue(lua_State *L, struct gpio_box *box);

/* To call after anything that may have queued an event. False when there is no memory. */
bool gpio_pace_arrange(struct gpio_box *box);

void gpio_pace_pause(struct gpio_box *box);
void gpio_pace_resume(struct gpio_box *box);

void gpio_waiter_open(struct gpio_waiter *waiter, struct gpio_box *box);

/* Safe after its board was closed. */
void gpio_waiter_close(struct gpio_waiter *waiter);

enum { GPIO_NO_TIMEOUT = -1, GPIO_SAME_TIMEOUT = -2 };

/* Parks the task, up to `timeout` simulated ns, or for the rest of the last one; `k` goes on. */
int gpio_waiter_park(lua_State *L, struct gpio_waiter *waiter, int64_t timeout, lua_KFunction k);

/* Makes the task ready that waits, if there is one; whether there was. */
bool gpio_waiter_wake(struct gpio_waiter *waiter);

/* Returns true, or nil, message, code; a caller's mistake is raised. [-0, +(1|3), v] */
int gpio_push_status(lua_State *L, const struct gpio_board *board, enum gpio_status status);

/* For subscriptions: calls the handler for what came, or wakes who waits. True when a task was
 * woken. [-0, +0, -] */
bool gpio_subscription_dispatch(lua_State *L, struct gpio_notice *notice);

#endif
