/* An alarm and its board are held while it runs; when it rang or was closed it is let go. */
#include "modules/strobe/gpio/alarm_lua.h"

#include "core/task/scheduler.h"
#include "core/task/type.h"
#include "modules/strobe/gpio/board_lua.h"
#include "modules/strobe/gpio/line_lua.h"

#define ALARM "strobe.gpio.alarm"

struct alarm {
  struct gpio_waiter waiter; /* no task waits; for its timer */
  struct list running;       /* in the box's alarms, while it runs */
  int handler, self;         /* held in the registry meanwhile */
};

/* [-0, +0, -] */
static void let_go(lua_State *L, struct alarm *alarm) {
  list_remove(&alarm->running);
  luaL_unref(L, LUA_REGISTRYINDEX, alarm->handler);
  luaL_unref(L, LUA_REGISTRYINDEX, alarm->self);
  alarm->handler = alarm->self = LUA_NOREF;
}

static void ring(lua_State *L, struct gpio_waiter *waiter) {
  struct alarm *alarm = list_entry(waiter, struct alarm, waiter);
  lua_rawgeti(L, LUA_REGISTRYINDEX, alarm->handler);
  let_go(L, alarm);
  scheduler_call(L, 0, 0, "circuit timer");
}

/* Holds the alarm on top; the handler is at the index. [-0, +0, m] */
static void hold(lua_State *L, struct alarm *alarm, int handler) {
  lua_pushvalue(L, -1);
  alarm->self = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushvalue(L, handler);
  alarm->handler = luaL_ref(L, LUA_REGISTRYINDEX);
  list_append(&alarm->waiter.box->alarms, &alarm->running);
}

int gpio_board_after(lua_State *L) {
  struct gpio_box *box = gpio_box_check(L, 1);
  int64_t delay = luaL_checkinteger(L, 2);
  luaL_argcheck(L, delay >= 0, 2, "0 ns or more expected");
  luaL_checktype(L, 3, LUA_TFUNCTION);
  lua_settop(L, 3);
  gpio_pace_sync(box);
  struct alarm *alarm = lua_newuserdatauv(L, sizeof *alarm, 1);
  *alarm = (struct alarm){.handler = LUA_NOREF, .self = LUA_NOREF};
  list_init(&alarm->running);
  gpio_waiter_open(&alarm->waiter, box);
  alarm->waiter.ring = ring;
  luaL_setmetatable(L, ALARM);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  hold(L, alarm, 3);
  enum gpio_status status = gpio_timer_start(&alarm->waiter.timer, delay);
  if (status != GPIO_OK) {
    let_go(L, alarm);
    return gpio_push_status(L, box->board, status);
  }
  if (!gpio_pace_arrange(box))
    return luaL_error(L, "not enough memory for a timer");
  return 1;
}

void gpio_alarms_end(lua_State *L, struct gpio_box *box) {
  while (!list_empty(&box->alarms)) {
    struct alarm *alarm = list_entry(box->alarms.next, struct alarm, running);
    gpio_timer_stop(&alarm->waiter.timer);
    let_go(L, alarm);
  }
}

/* alarm:close(): it does not ring any more. Twice is harmless. */
static int alarm_close(lua_State *L) {
  struct alarm *alarm = luaL_checkudata(L, 1, ALARM);
  if (alarm->waiter.box->board)
    gpio_timer_stop(&alarm->waiter.timer);
  let_go(L, alarm);
  return 0;
}

static const luaL_Reg methods[] = {
    {"close", alarm_close},
    {"__close", alarm_close},
    {"__gc", alarm_close},
    {NULL, NULL},
};

void gpio_alarm_lua_open(lua_State *L) {
  type_open(L, ALARM, methods);
}
