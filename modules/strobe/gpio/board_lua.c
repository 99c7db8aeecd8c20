#include "modules/strobe/gpio/board_lua.h"

#include "core/task/error.h"
#include "core/task/type.h"
#include "modules/strobe/gpio/alarm_lua.h"
#include "modules/strobe/gpio/line_lua.h"
#include "modules/strobe/gpio/subscription_lua.h"
#include "modules/strobe/gpio/trace_lua.h"

#define BOARD "strobe.gpio.board"
#define DELAY "strobe.gpio.delay"

struct gpio_box *gpio_box_check(lua_State *L, int index) {
  struct gpio_box *box = luaL_checkudata(L, index, BOARD);
  luaL_argcheck(L, box->board, index, "the board was closed");
  return box;
}

/* --- Opening, closing ------------------------------------------------------------------------ */

static enum gpio_read_policy read_policy(lua_State *L) {
  static const char *const names[] = {"low", "high", "hold", "random", "error", NULL};
  lua_getfield(L, 1, "read");
  int policy = luaL_checkoption(L, -1, "low", names);
  lua_pop(L, 1);
  return (enum gpio_read_policy)policy;
}

static lua_Integer option(lua_State *L, const char *name, lua_Integer least, lua_Integer most) {
  int good = lua_getfield(L, 1, name) == LUA_TNIL;
  lua_Integer number = good ? least : lua_tointegerx(L, -1, &good);
  if (!good || number < least || number > most)
    error_mistake(L, "%s: a whole number up to %I expected", name, (LUAI_UACINT)most);
  lua_pop(L, 1);
  return number;
}

/* board{name, read="low|high|hold|random|error", seed, delta_limit, line_limit, event_limit,
 * contention_limit} → a board that follows the loop's clock. */
static int gpio_board(lua_State *L) {
  lua_settop(L, 1);
  luaL_checktype(L, 1, LUA_TTABLE);
  struct gpio_options options = {
      .read_policy = read_policy(L),
      .seed = (uint64_t)option(L, "seed", LUA_MININTEGER, LUA_MAXINTEGER),
      .delta_limit = (uint32_t)option(L, "delta_limit", 0, INT32_MAX),
      .line_limit = (uint32_t)option(L, "line_limit", 0, INT32_MAX),
      .event_limit = (uint32_t)option(L, "event_limit", 0, INT32_MAX),
      .contention_limit = (uint32_t)option(L, "contention_limit", 0, INT32_MAX),
  };
  if (lua_getfield(L, 1, "name") != LUA_TNIL)
    options.name = luaL_checkstring(L, -1);
  struct gpio_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (struct gpio_box){.board = NULL};
  luaL_setmetatable(L, BOARD);
  box->board = gpio_board_open(&options);
  if (!box->board)
    return luaL_error(L, "not enough memory for a board");
  gpio_pace_open(L, box);
  return 1;
}

/* board:close(): ends all waits and handlers. Twice is harmless. */
static int board_close(lua_State *L) {
  struct gpio_box *box = luaL_checkudata(L, 1, BOARD);
  if (!box->board)
    return 0;
  gpio_recorders_end(box);
  gpio_subscriptions_let_go(L, box);
  gpio_alarms_end(L, box);
  gpio_pace_close(L, box);
  return 0;
}

/* --- Parts ----------------------------------------------------------------------------------- */

/* board:component(name, pin, …) → a line for each pin */
static int board_component(lua_State *L) {
  struct gpio_box *box = gpio_box_check(L, 1);
  struct gpio_component *component;
  int pins = lua_gettop(L) - 2;
  enum gpio_status status =
      gpio_board_add_component(box->board, luaL_checkstring(L, 2), &component);
  luaL_checkstack(L, pins + LUA_MINSTACK, "too many pins");
  for (int i = 0; i < pins && status == GPIO_OK; i++) {
    struct gpio_line *line;
    status = gpio_board_add_line(box->board, component, luaL_checkstring(L, 3 + i), &line);
    if (status == GPIO_OK)
      gpio_line_push(L, 1, line);
  }
  return status == GPIO_OK ? pins : gpio_push_status(L, box->board, status);
}

/* board:contentions([after]) → {{seq, began, ended or nil, net, drivers = {{pin, level}, …}}, …} */
static int board_contentions(lua_State *L) {
  const struct gpio_board *board = gpio_box_check(L, 1)->board;
  lua_Integer after = luaL_optinteger(L, 2, 0), count = 0;
  lua_newtable(L);
  const struct list *list = &board->contentions.list;
  for (const struct list *link = list->next; link != list; link = link->next) {
    const struct gpio_contention *contention = list_entry(link, struct gpio_contention, link);
    if ((lua_Integer)contention->seq <= after)
      continue;
    lua_createtable(L, 0, 5);
    lua_pushinteger(L, (lua_Integer)contention->seq);
    lua_setfield(L, -2, "seq");
    lua_pushinteger(L, contention->began);
    lua_setfield(L, -2, "began");
    if (!contention->lasts) {
      lua_pushinteger(L, contention->ended);
      lua_setfield(L, -2, "ended");
    }
    lua_pushstring(L, gpio_net_name(board->lines[contention->line]->net));
    lua_setfield(L, -2, "net");
    lua_createtable(L, (int)contention->count, 0);
    for (uint32_t i = 0; i < contention->count; i++) {
      const struct gpio_opponent *opponent = &contention->opponents[i];
      char letter = gpio_level_letter(opponent->level);
      lua_createtable(L, 0, 2);
      lua_pushstring(L, board->lines[opponent->line]->name);
      lua_setfield(L, -2, "pin");
      lua_pushlstring(L, &letter, 1);
      lua_setfield(L, -2, "level");
      lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "drivers");
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

/* board:stats() → {lines, deltas, changes, floating_reads, events} */
static int board_stats(lua_State *L) {
  const struct gpio_board *board = gpio_box_check(L, 1)->board;
  lua_createtable(L, 0, 5);
  lua_pushinteger(L, board->line_count);
  lua_setfield(L, -2, "lines");
  lua_pushinteger(L, (lua_Integer)board->deltas);
  lua_setfield(L, -2, "deltas");
  lua_pushinteger(L, (lua_Integer)board->changes);
  lua_setfield(L, -2, "changes");
  lua_pushinteger(L, (lua_Integer)board->floating_reads);
  lua_setfield(L, -2, "floating_reads");
  lua_pushinteger(L, board->schedule.later.count);
  lua_setfield(L, -2, "events");
  return 1;
}

/* --- Time ------------------------------------------------------------------------------------ */

/* board:time() → simulated ns since it was opened. */
static int board_time(lua_State *L) {
  struct gpio_box *box = gpio_box_check(L, 1);
  gpio_pace_sync(box);
  lua_pushinteger(L, box->board->schedule.now);
  return 1;
}

static int push_closed(lua_State *L) {
  lua_pushnil(L);
  lua_pushliteral(L, "the board was closed");
  lua_pushliteral(L, "ECANCELED");
  return 3;
}

/* The delay is on top. */
static int delay_over(lua_State *L, int status, lua_KContext context) {
  const struct gpio_waiter *waiter = lua_touserdata(L, 3);
  (void)status, (void)context;
  wait_resumed(L);
  if (!waiter->box->board)
    return push_closed(L);
  return gpio_push_status(L, waiter->box->board,
                          waiter->timed_out ? GPIO_OK : waiter->box->board->failure);
}

/* board:delay(ns) → true after so much simulated time. Waits. */
static int board_delay(lua_State *L) {
  struct gpio_box *box = gpio_box_check(L, 1);
  int64_t delay = luaL_checkinteger(L, 2);
  luaL_argcheck(L, delay >= 0, 2, "0 ns or more expected");
  lua_settop(L, 2);
  gpio_pace_sync(box);
  struct gpio_waiter *waiter = lua_newuserdatauv(L, sizeof *waiter, 1);
  gpio_waiter_open(waiter, box);
  luaL_setmetatable(L, DELAY);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  return gpio_waiter_park(L, waiter, delay, delay_over);
}

static int delay_collect(lua_State *L) {
  gpio_waiter_close(lua_touserdata(L, 1));
  return 0;
}

/* board:pause(): time stands still; what is written still settles. */
static int board_pause(lua_State *L) {
  gpio_pace_pause(gpio_box_check(L, 1));
  return 0;
}

/* board:running() → whether time follows the loop's clock */
static int board_running(lua_State *L) {
  lua_pushboolean(L, gpio_box_check(L, 1)->running);
  return 1;
}

/* board:resume(): time goes on from where it stands. */
static int board_resume(lua_State *L) {
  struct gpio_box *box = gpio_box_check(L, 1);
  luaL_argcheck(L, !box->stepper, 1, "the board is stepping");
  gpio_pace_resume(box);
  gpio_pace_arrange(box);
  return 0;
}

/* board:prologue(f): f is called once, before anything else happens or time passes; a later one
 * takes its place. */
static int board_prologue(lua_State *L) {
  struct gpio_box *box = gpio_box_check(L, 1);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  gpio_pace_prologue(L, box);
  gpio_pace_arrange(box);
  return 0;
}

static int contention_came(lua_State *L, int status, lua_KContext context) {
  struct gpio_box *box = lua_touserdata(L, 1);
  bool waited = status == LUA_YIELD;
  if (waited)
    wait_resumed(L);
  if (!box->board)
    return push_closed(L);
  if (box->contention_news) {
    box->contention_news = false;
    gpio_timer_stop(&box->contention.timer);
    return gpio_push_status(L, box->board, GPIO_OK);
  }
  if (waited && box->contention.timed_out) {
    lua_pushnil(L);
    lua_pushliteral(L, "no contention began or ended in time");
    lua_pushliteral(L, "ETIMEDOUT");
    return 3;
  }
  if (box->contention.task)
    return luaL_error(L, "another task is waiting for contention already");
  int64_t timeout = waited ? GPIO_SAME_TIMEOUT : (int64_t)context;
  return gpio_waiter_park(L, &box->contention, timeout, contention_came);
}

/* board:wait_contention([timeout]) → true when one has begun or ended since this was last asked,
 * see contentions. Waits; nil, message, "ETIMEDOUT" after `timeout` simulated ns. */
static int board_wait_contention(lua_State *L) {
  gpio_box_check(L, 1);
  lua_Integer timeout = luaL_optinteger(L, 2, GPIO_NO_TIMEOUT);
  luaL_argcheck(L, lua_isnoneornil(L, 2) || timeout >= 0, 2, "0 ns or more expected");
  lua_settop(L, 1);
  return contention_came(L, LUA_OK, (lua_KContext)timeout);
}

static enum wait_cancel cancel_step(lua_State *L, struct task *task) {
  struct gpio_box *box = task->wait_object;
  (void)L;
  box->stepper = NULL;
  return WAIT_LEFT;
}

static const struct wait_kind stepping = {"circuit step", cancel_step, NULL};

static int step_over(lua_State *L, int status, lua_KContext context) {
  const struct gpio_box *box = lua_touserdata(L, 1);
  (void)status, (void)context;
  wait_resumed(L);
  if (!box->board)
    return push_closed(L);
  if (box->board->failure != GPIO_OK)
    return gpio_push_status(L, box->board, box->board->failure);
  lua_pushinteger(L, box->board->schedule.now);
  return 1;
}

static int64_t step_end(lua_State *L, const struct gpio_box *box, int index) {
  if (lua_isnoneornil(L, index))
    return GPIO_NEVER;
  int64_t step = luaL_checkinteger(L, index);
  luaL_argcheck(L, step >= 0, index, "0 ns or more expected");
  return gpio_schedule_after(&box->board->schedule, step);
}

static int step(lua_State *L, struct gpio_box *box, struct gpio_goal goal) {
  luaL_argcheck(L, !box->running, 1, "pause the board first: it runs by the clock");
  luaL_argcheck(L, !box->stepper, 1, "another task steps the board already");
  struct task *task = wait_enter(L);
  box->stepper = task;
  box->goal = goal;
  gpio_pace_arrange(box);
  return wait_park(L, task, &stepping, box, step_over);
}

/* board:step(ns) → the time then. Waits; as fast as it goes. */
static int board_step(lua_State *L) {
  struct gpio_box *box = gpio_box_check(L, 1);
  luaL_checkinteger(L, 2);
  return step(L, box, (struct gpio_goal){step_end(L, box, 2), UINT64_MAX, NULL, GPIO_Z});
}

/* board:step_deltas(count[, ns]) → the time after so many rounds of changes, or so much time. */
static int board_step_deltas(lua_State *L) {
  struct gpio_box *box = gpio_box_check(L, 1);
  lua_Integer count = luaL_checkinteger(L, 2);
  luaL_argcheck(L, count > 0, 2, "1 or more expected");
  struct gpio_goal goal = {step_end(L, box, 3), box->board->deltas + (uint64_t)count, NULL, GPIO_Z};
  return step(L, box, goal);
}

/* board:step_until(line, level[, ns]) → the time when the line's net has that physical level, or
 * after so much time. */
static int board_step_until(lua_State *L) {
  struct gpio_box *box = gpio_box_check(L, 1);
  struct gpio_line *line = gpio_line_test(L, 2);
  luaL_argcheck(L, line && line->board == box->board, 2, "a line of this board expected");
  struct gpio_goal goal = {step_end(L, box, 4), UINT64_MAX, line, gpio_level_check(L, 3)};
  return step(L, box, goal);
}

/* board:clear(): lets a board go on that stopped with an error. */
static int board_clear(lua_State *L) {
  struct gpio_box *box = gpio_box_check(L, 1);
  gpio_board_clear(box->board);
  gpio_pace_arrange(box);
  return 0;
}

static const luaL_Reg methods[] = {
    {"component", board_component},
    {"subscribe", gpio_board_subscribe},
    {"recorder", gpio_board_recorder},
    {"contentions", board_contentions},
    {"wait_contention", board_wait_contention},
    {"stats", board_stats},
    {"time", board_time},
    {"delay", board_delay},
    {"after", gpio_board_after},
    {"prologue", board_prologue},
    {"pause", board_pause},
    {"resume", board_resume},
    {"running", board_running},
    {"step", board_step},
    {"step_deltas", board_step_deltas},
    {"step_until", board_step_until},
    {"clear", board_clear},
    {"close", board_close},
    {"__close", board_close},
    {"__gc", board_close},
    {NULL, NULL},
};

static const luaL_Reg delay_methods[] = {
    {"__gc", delay_collect},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"board", gpio_board},
    {NULL, NULL},
};

int luaopen_strobe_core_gpio(lua_State *L) {
  type_open(L, BOARD, methods);
  type_open(L, DELAY, delay_methods);
  gpio_line_lua_open(L);
  gpio_subscription_lua_open(L);
  gpio_alarm_lua_open(L);
  gpio_trace_lua_open(L);
  luaL_newlib(L, functions);
  return 1;
}
