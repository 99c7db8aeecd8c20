#include "core/task/time.h"

#include "core/task/wait.h"

#include <math.h>

double time_check_seconds(lua_State *L, int index) {
  int is_number;
  double seconds = lua_tonumberx(L, index, &is_number);
  if (!is_number)
    seconds = luaL_checknumber(L, index); /* raises */
  luaL_argcheck(L, !isnan(seconds), index, "a number of seconds expected, got nan");
  return seconds;
}

static struct loop *loop_of(lua_State *L) {
  return scheduler_of(L)->loop;
}

static enum wait_cancel cancel_sleep(lua_State *L, struct task *task) {
  (void)L, (void)task; /* waking it stops its timer */
  return WAIT_LEFT;
}

static const struct wait_kind sleeping = {"sleep", cancel_sleep, NULL};

/* What sleep returns: the values behind the first argument. */
static int sleep_over(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  wait_resumed(L);
  return lua_gettop(L) - 1;
}

static int sleep_till(lua_State *L, struct task *task, int64_t when) {
  /* Whoever sleeps for ever waits for Ctrl-C, which is no deadlock; but nothing
   * could ever end it when time jumps. */
  if (when == CLOCK_NEVER && loop_of(L)->clock.mode != CLOCK_VIRTUAL)
    when = CLOCK_NEVER - 1;
  task->timer.fire = wait_timer_wakes;
  if (when != CLOCK_NEVER && !timer_start(&loop_of(L)->timers, &task->timer, when))
    return luaL_error(L, "not enough memory for a timer");
  return wait_park(L, task, &sleeping, NULL, sleep_over);
}

/* sleep(seconds, …) → … Waits; sleep(0) lets others run. asyncio.sleep */
static int time_sleep(lua_State *L) {
  double seconds = time_check_seconds(L, 1);
  struct task *task = wait_enter(L);
  if (seconds <= 0)
    return wait_turn(L, task, sleep_over);
  return sleep_till(L, task, clock_after(&loop_of(L)->clock, seconds));
}

/* sleep_until(when, …) → … Waits until time() reaches `when`. */
static int time_sleep_until(lua_State *L) {
  int64_t when = clock_at(time_check_seconds(L, 1));
  struct task *task = wait_enter(L);
  if (when <= clock_now(&loop_of(L)->clock))
    return wait_turn(L, task, sleep_over);
  return sleep_till(L, task, when);
}

/* now() → the loop's time in seconds. */
static int time_now(lua_State *L) {
  lua_pushnumber(L, clock_seconds(clock_now(&loop_of(L)->clock)));
  return 1;
}

/* wall() → seconds since 1970, on the loop's clock. */
static int time_wall(lua_State *L) {
  lua_pushnumber(L, clock_seconds(clock_wall(&loop_of(L)->clock)));
  return 1;
}

/* real() → real monotonic seconds, whatever the clock: for measuring the host. */
static int time_real(lua_State *L) {
  lua_pushnumber(L, clock_seconds(clock_real()));
  return 1;
}

/* real_wall() → real seconds since 1970, whatever the clock: for who asks when it was. */
static int time_real_wall(lua_State *L) {
  lua_pushnumber(L, clock_seconds(clock_real_wall()));
  return 1;
}

static const char *const modes[] = {"live", "scaled", "virtual", NULL};

/* mode([name, number]) → the mode; sets "live", "scaled" (number: speed) or
 * "virtual" (number: the time it shows, in seconds, by default 0). */
static int time_mode(lua_State *L) {
  struct clock *clock = &loop_of(L)->clock;
  if (!lua_isnoneornil(L, 1)) {
    int mode = luaL_checkoption(L, 1, NULL, modes);
    double number = luaL_optnumber(L, 2, mode == CLOCK_SCALED ? 1 : 0);
    if (mode == CLOCK_VIRTUAL)
      clock_set_virtual(clock, clock_at(number));
    else if (mode == CLOCK_LIVE)
      clock_init(clock);
    else if (number > 0 && isfinite(number))
      clock_set_scaled(clock, number);
    else
      return luaL_argerror(L, 2, "a speed above 0 expected");
    loop_of(L)->now = clock_now(clock);
  }
  lua_pushstring(L, modes[clock->mode]);
  return 1;
}

/* advance(seconds): moves a virtual clock forward at once. */
static int time_advance(lua_State *L) {
  struct clock *clock = &loop_of(L)->clock;
  if (clock->mode != CLOCK_VIRTUAL)
    return luaL_error(L, "only a virtual clock can be advanced (run with --clock=virtual)");
  clock_advance(clock, clock_after(clock, time_check_seconds(L, 1)));
  loop_of(L)->now = clock_now(clock);
  return 0;
}

static struct clock *check_virtual(lua_State *L) {
  struct clock *clock = &loop_of(L)->clock;
  if (clock->mode != CLOCK_VIRTUAL)
    luaL_error(L, "the clock is %s, not virtual (run with --clock=virtual)", modes[clock->mode]);
  return clock;
}

static enum wait_cancel cancel_idle(lua_State *L, struct task *task) {
  (void)L;
  list_remove(&task->job.link);
  return WAIT_LEFT;
}

static const struct wait_kind idling = {"every other task", cancel_idle, NULL};

static int idle_over(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  wait_resumed(L);
  return 0;
}

/* idle(): waits until nothing else can go on unless virtual time moves or something
 * comes from outside. trio.testing.wait_all_tasks_blocked */
static int time_idle(lua_State *L) {
  check_virtual(L);
  struct task *task = wait_enter(L);
  list_append(&loop_of(L)->idlers, &task->job.link);
  return wait_park(L, task, &idling, NULL, idle_over);
}

/* stands([boolean[, guided]]) → boolean: whether virtual time moves by advance and jump only.
 * Guided: somebody outside lets them be called, whom the loop waits for as long as something is
 * open. */
static int time_stands(lua_State *L) {
  struct loop *loop = loop_of(L);
  if (lua_toboolean(L, 1))
    check_virtual(L);
  if (!lua_isnoneornil(L, 1)) {
    loop->stands = lua_toboolean(L, 1);
    loop->guided = lua_toboolean(L, 2);
  }
  lua_pushboolean(L, loop->stands);
  return 1;
}

/* jump(when) → boolean: moves a virtual clock to the next deadline, if that is not
 * after `when`; else to `when`, and returns false. */
static int time_jump(lua_State *L) {
  int64_t limit = clock_at(time_check_seconds(L, 1));
  struct clock *clock = check_virtual(L);
  int64_t next = timers_next(&loop_of(L)->timers);
  clock_advance(clock, next <= limit ? next : limit);
  lua_pushboolean(L, next <= limit && next != CLOCK_NEVER);
  return 1;
}

/* hold(): virtual time stands still until release, as long as something may come
 * from libuv: another thread is at work for us. Each hold needs its release. */
static int time_hold(lua_State *L) {
  loop_of(L)->questions++;
  return 0;
}

static int time_release(lua_State *L) {
  struct loop *loop = loop_of(L);
  if (loop->questions == 0)
    return luaL_error(L, "release: time is not held");
  loop->questions--;
  return 0;
}

/* held() → boolean: whether virtual time stands, or is held: then nobody is to move it on. */
static int time_held(lua_State *L) {
  const struct loop *loop = loop_of(L);
  lua_pushboolean(L, loop->stands || loop->questions > 0);
  return 1;
}

/* keep_pace(): virtual time passes as real time does until end_pace, as long as something may
 * come from libuv: another process is at work for us, and may wait for us in turn. Each
 * keep_pace needs its end_pace. */
static int time_keep_pace(lua_State *L) {
  loop_of(L)->partners++;
  return 0;
}

static int time_end_pace(lua_State *L) {
  struct loop *loop = loop_of(L);
  if (loop->partners == 0)
    return luaL_error(L, "end_pace: no pace is kept");
  loop->partners--;
  return 0;
}

static const luaL_Reg functions[] = {
    {"sleep", time_sleep},
    {"sleep_until", time_sleep_until},
    {"now", time_now},
    {"real", time_real},
    {"wall", time_wall},
    {"real_wall", time_real_wall},
    {"mode", time_mode},
    {"advance", time_advance},
    {"hold", time_hold},
    {"release", time_release},
    {"held", time_held},
    {"keep_pace", time_keep_pace},
    {"end_pace", time_end_pace},
    {"idle", time_idle},
    {"stands", time_stands},
    {"jump", time_jump},
    {NULL, NULL},
};

int luaopen_strobe_core_time(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
