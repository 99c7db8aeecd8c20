#include "modules/strobe/gpio/pace_lua.h"

#include "core/task/error.h"

#include <string.h>

/* Deltas in one turn of the loop, so that others have theirs. */
enum { DELTAS_PER_TURN = 2000, CALLS_PER_TURN = 1000 };

/* Deltas before a trace is looked at, which may have to hold the board. */
enum { DELTAS_PER_HOLD = 50 };

/* --- Waiting ----------------------------------------------------------------------------- */

void gpio_waiter_open(struct gpio_waiter *waiter, struct gpio_box *box) {
  *waiter = (struct gpio_waiter){.box = box};
  list_init(&waiter->link);
  gpio_timer_init(&waiter->timer, box->board);
  waiter->timer.notice.context = waiter;
}

void gpio_waiter_close(struct gpio_waiter *waiter) {
  if (waiter->box->board)
    gpio_timer_stop(&waiter->timer);
  list_remove(&waiter->link);
}

static enum wait_cancel cancel(lua_State *L, struct task *task) {
  struct gpio_waiter *waiter = task->wait_object;
  (void)L;
  waiter->task = NULL;
  gpio_waiter_close(waiter);
  return WAIT_LEFT;
}

static const struct wait_kind waiting = {"circuit", cancel, NULL};

int gpio_waiter_park(lua_State *L, struct gpio_waiter *waiter, int64_t timeout, lua_KFunction k) {
  struct gpio_box *box = waiter->box;
  struct task *task = wait_enter(L);
  if (box->board->failure != GPIO_OK)
    return gpio_push_status(L, box->board, box->board->failure);
  gpio_pace_sync(box);
  if (timeout != GPIO_SAME_TIMEOUT) {
    gpio_timer_stop(&waiter->timer);
    waiter->timed_out = false;
  }
  if (timeout >= 0) {
    enum gpio_status status = gpio_timer_start(&waiter->timer, timeout);
    if (status != GPIO_OK)
      return gpio_push_status(L, box->board, status);
  }
  if (!gpio_pace_arrange(box))
    return luaL_error(L, "not enough memory for a timer");
  waiter->task = task;
  list_append(&box->waiters, &waiter->link);
  return wait_park(L, task, &waiting, waiter, k);
}

bool gpio_waiter_wake(struct gpio_waiter *waiter) {
  struct task *task = waiter->task;
  if (!task)
    return false;
  waiter->task = NULL;
  list_remove(&waiter->link);
  wait_wake(task);
  return true;
}

/* For what has ended: each finds out by itself. */
static bool wake_all(struct gpio_box *box) {
  bool any = box->stepper != NULL;
  while (!list_empty(&box->waiters)) {
    gpio_waiter_wake(list_entry(box->waiters.next, struct gpio_waiter, link));
    any = true;
  }
  if (box->stepper)
    wait_wake(box->stepper);
  box->stepper = NULL;
  return any;
}

/* --- Pace -------------------------------------------------------------------------------- */

static struct loop *loop_of(const struct gpio_box *box) {
  return box->scheduler->loop;
}

/* Where the board's time may be by now. */
static int64_t target(const struct gpio_box *box) {
  if (!box->running)
    return box->stepper ? box->goal.time : box->board->schedule.now;
  return box->base + (clock_now(&loop_of(box)->clock) - box->origin);
}

static void make_ready(struct gpio_box *box) {
  box->busy = true;
  if (!list_linked(&box->job.link))
    loop_ready(loop_of(box), &box->job);
}

/* Loop time of a board's time, which lies after now; CLOCK_NEVER when the loop ends before. */
static int64_t loop_time(const struct gpio_box *box, int64_t when) {
  int64_t left = when - box->base;
  return left < CLOCK_NEVER - box->origin ? box->origin + left : CLOCK_NEVER;
}

bool gpio_pace_arrange(struct gpio_box *box) {
  if (box->busy || !box->board || box->held)
    return true;
  struct heap *timers = &loop_of(box)->timers;
  int64_t when = gpio_board_next_time(box->board);
  timer_stop(timers, &box->timer);
  bool begins = box->running && box->prologue != LUA_NOREF;
  if (box->stepper || begins || when <= box->board->schedule.now) {
    make_ready(box);
    return true;
  }
  if (!box->running || when == GPIO_NEVER || loop_time(box, when) == CLOCK_NEVER)
    return true;
  return timer_start(timers, &box->timer, loop_time(box, when));
}

void gpio_pace_sync(struct gpio_box *box) {
  if (box->running && !box->busy)
    gpio_board_advance(box->board, target(box), 0);
}

/* Whether a task was woken. */
static bool time_out(lua_State *L, struct gpio_waiter *waiter) {
  if (waiter->ring) {
    waiter->ring(L, waiter);
    return false;
  }
  waiter->timed_out = true;
  return gpio_waiter_wake(waiter);
}

/* Runs who waits for the notices. Whether a task is to go first now: one that waited, or that a
 * handler has started. */
static bool dispatch(struct gpio_box *box, lua_State *L, int *calls) {
  bool woke = false;
  struct gpio_notice *notice;
  while (box->board && (notice = gpio_board_take_notice(box->board))) {
    if (notice->kind == GPIO_NOTICE_SUBSCRIPTION) {
      woke = gpio_subscription_dispatch(L, notice) || woke;
      ++*calls;
    } else if (notice->kind == GPIO_NOTICE_TIMER) {
      woke = time_out(L, notice->context) || woke;
      ++*calls;
    } else {
      box->contention_news = true;
      woke = gpio_waiter_wake(&box->contention) || woke;
    }
  }
  return woke || !list_empty(&loop_of(box)->ready);
}

static int report_stop(lua_State *L) {
  const struct gpio_box *box = lua_touserdata(L, 1);
  lua_createtable(L, 0, 1);
  lua_pushfstring(L, "the circuit stopped: %s", box->board->message);
  lua_setfield(L, -2, "message");
  error_report(L);
  return 0;
}

/* Who waits is told; if nobody does, everybody is. The box stays on the stack, for who is told may
 * drop it. [-0, +(0|1), -] */
static void stop(struct gpio_box *box, lua_State *L) {
  if (wake_all(box))
    return;
  gpio_box_push(L, box);
  lua_pushcfunction(L, report_stop);
  lua_pushlightuserdata(L, box);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK)
    lua_pop(L, 1);
}

static bool goal_reached(const struct gpio_box *box) {
  const struct gpio_goal *goal = &box->goal;
  return box->board->deltas >= goal->deltas ||
         (goal->line && gpio_line_level(goal->line) == goal->level);
}

static void end_step(struct gpio_box *box) {
  if (box->stepper)
    wait_wake(box->stepper);
  box->stepper = NULL;
}

/* How many deltas may pass before somebody has to look. */
static uint64_t allowed(const struct gpio_box *box) {
  bool each = box->stepper && (box->goal.line || box->goal.deltas != UINT64_MAX);
  return each ? 1 : list_empty(&box->recorders) ? DELTAS_PER_TURN : DELTAS_PER_HOLD;
}

/* Lets time pass until this turn is over; whether there is more to do. */
static bool pass(struct gpio_box *box, lua_State *L) {
  int calls = 0;
  uint64_t last = box->board->deltas + DELTAS_PER_TURN;
  int64_t until = target(box);
  while (box->board && box->board->deltas < last) {
    if (box->held)
      return false;
    if (box->stepper && goal_reached(box)) {
      end_step(box);
      return true;
    }
    switch (gpio_board_advance(box->board, until, allowed(box))) {
    case GPIO_NOTIFY:
      if (dispatch(box, L, &calls) || calls >= CALLS_PER_TURN)
        return true;
      if (box->board && !box->running) /* a handler may have paused it */
        until = target(box);
      break;
    case GPIO_MORE:
      break;
    case GPIO_OK:
      end_step(box);
      return false;
    default:
      stop(box, L);
      return false;
    }
  }
  return true;
}

static void drop_prologue(lua_State *L, struct gpio_box *box) {
  luaL_unref(L, LUA_REGISTRYINDEX, box->prologue);
  box->prologue = LUA_NOREF;
}

static void call_prologue(lua_State *L, struct gpio_box *box) {
  if (box->prologue == LUA_NOREF)
    return;
  lua_rawgeti(L, LUA_REGISTRYINDEX, box->prologue);
  drop_prologue(L, box);
  scheduler_call(L, 0, 0, "circuit prologue");
}

static bool calls_lua(const struct gpio_box *box) {
  return !list_empty(&box->handled) || !list_empty(&box->alarms) || box->prologue != LUA_NOREF;
}

static void run(struct job *job) {
  struct gpio_box *box = list_entry(job, struct gpio_box, job);
  lua_State *L = box->scheduler->L;
  int top = lua_gettop(L);
  if (calls_lua(box))
    gpio_box_push(L, box); /* who is called may drop it */
  if (!box->held)
    call_prologue(L, box);
  bool more = pass(box, L);
  box->busy = false;
  if (box->board && more && !box->held)
    make_ready(box);
  else
    gpio_pace_arrange(box); /* without memory the next call tries again */
  lua_settop(L, top);
}

static void fire(struct timer *timer) {
  make_ready(list_entry(timer, struct gpio_box, timer));
}

void gpio_box_push(lua_State *L, const struct gpio_box *box) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, box->self);
  if (lua_istable(L, -1))
    lua_rawgeti(L, -1, 1);
  else
    lua_pushnil(L);
  lua_remove(L, -2);
}

static void keep_weakly(lua_State *L, struct gpio_box *box) {
  lua_createtable(L, 1, 0);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_pushvalue(L, -2);
  lua_rawseti(L, -2, 1);
  box->self = luaL_ref(L, LUA_REGISTRYINDEX);
}

void gpio_pace_open(lua_State *L, struct gpio_box *box) {
  box->scheduler = scheduler_of(L);
  box->job.run = run;
  box->timer.fire = fire;
  box->self = box->prologue = LUA_NOREF;
  list_init(&box->job.link);
  list_init(&box->waiters);
  list_init(&box->handled);
  list_init(&box->alarms);
  list_init(&box->recorders);
  gpio_waiter_open(&box->contention, box);
  box->board->contention_armed = true;
  keep_weakly(L, box);
  gpio_pace_resume(box);
}

void gpio_pace_close(lua_State *L, struct gpio_box *box) {
  struct gpio_board *board = box->board;
  if (!board)
    return;
  timer_stop(&loop_of(box)->timers, &box->timer);
  list_remove(&box->job.link);
  box->busy = false;
  struct list *link = box->waiters.next;
  for (; link != &box->waiters; link = link->next)
    gpio_timer_stop(&list_entry(link, struct gpio_waiter, link)->timer);
  box->board = NULL;
  wake_all(box);
  gpio_board_close(board);
  drop_prologue(L, box);
  luaL_unref(L, LUA_REGISTRYINDEX, box->self);
  box->self = LUA_NOREF;
}

void gpio_pace_pause(struct gpio_box *box) {
  gpio_pace_sync(box);
  box->running = false;
  timer_stop(&loop_of(box)->timers, &box->timer);
}

void gpio_pace_resume(struct gpio_box *box) {
  if (box->running)
    return;
  box->running = true;
  box->origin = clock_now(&loop_of(box)->clock);
  box->base = box->board->schedule.now;
}

void gpio_pace_prologue(lua_State *L, struct gpio_box *box) {
  drop_prologue(L, box);
  box->prologue = luaL_ref(L, LUA_REGISTRYINDEX);
  gpio_pace_sync(box);
}

/* The place of the first caller that is not one of strobe's own modules. [-0, +1, m] */
static void push_place(lua_State *L) {
  lua_Debug caller;
  for (int level = 1; lua_getstack(L, level, &caller); level++) {
    lua_getinfo(L, "Sl", &caller);
    if (caller.currentline > 0 && strncmp(caller.short_src, "strobe:", 7) != 0) {
      lua_pushfstring(L, "%s:%d: ", caller.short_src, caller.currentline);
      return;
    }
  }
  lua_pushliteral(L, "");
}

int gpio_push_status(lua_State *L, const struct gpio_board *board, enum gpio_status status) {
  if (status == GPIO_OK) {
    lua_pushboolean(L, 1);
    return 1;
  }
  if (status == GPIO_INVALID || status == GPIO_WRONG_DIRECTION) {
    push_place(L);
    lua_pushstring(L, board->message);
    lua_concat(L, 2);
    return lua_error(L);
  }
  lua_pushnil(L);
  lua_pushstring(L, board->message);
  lua_pushstring(L, gpio_status_code(status));
  return 3;
}
