/* What comes of an event is value, time, index, line_seq, seq: after an edge the value is
 * the logical 0 or 1, of a change it is the level, "0", "1", "z" or "x". `index` is that of
 * the line among those subscribed to; time is in simulated nanoseconds. Or it comes as a table,
 * which is made here, for a loop over edges makes millions of them. */
#include "modules/strobe/gpio/subscription_lua.h"

#include "core/task/error.h"
#include "core/task/type.h"
#include "modules/strobe/gpio/line_lua.h"
#include "modules/strobe/gpio/subscription.h"

#define SUBSCRIPTION "strobe.gpio.subscription"

enum { USER_BOARD = 1, USER_VALUES = USER_BOARD };
enum { EVENT_VALUES = 5, MOST_READ = 4096 };

struct watcher {
  struct gpio_subscription *subscription; /* NULL when it was closed */
  struct gpio_box *box;
  struct gpio_waiter waiter;
  struct list handled; /* in the box's handled, while there is a handler */
  int handler, self;   /* held in the registry meanwhile */
  uint64_t overruns;   /* when it was closed */
};

/* For methods of the type. */
static struct watcher *check_watcher(lua_State *L) {
  struct watcher *watcher = type_check(L, 1, SUBSCRIPTION);
  if (!watcher->box->board)
    watcher->subscription = NULL; /* went with it */
  return watcher;
}

/* --- Events ---------------------------------------------------------------------------------- */

static lua_Integer index_of(const struct gpio_subscription *subscription, uint32_t line) {
  uint32_t i = 0;
  while (i + 1 < subscription->line_count && subscription->watches[i].line->id != line)
    i++;
  return i + 1;
}

static void push_value(lua_State *L, const struct gpio_edge_event *event) {
  char letter = gpio_level_letter((enum gpio_level)event->value);
  if (event->kind == GPIO_CHANGE)
    lua_pushlstring(L, &letter, 1);
  else
    lua_pushinteger(L, event->value);
}

/* [-0, +EVENT_VALUES, m] */
static int push_event(lua_State *L, const struct gpio_subscription *subscription,
                      const struct gpio_edge_event *event) {
  push_value(L, event);
  lua_pushinteger(L, event->time);
  lua_pushinteger(L, index_of(subscription, event->line));
  lua_pushinteger(L, (lua_Integer)event->line_seq);
  lua_pushinteger(L, (lua_Integer)event->seq);
  return EVENT_VALUES;
}

/* The upvalues of an iterator: strings too, for what is pushed as C text is looked up each time. */
enum {
  OF_SUBSCRIPTION = 1,
  OF_NAMES,
  OF_RISING,
  OF_FALLING,
  OF_EDGE,
  OF_VALUE,
  OF_TIMESTAMP,
  OF_LINE,
  OF_LINE_SEQNO,
  OF_GLOBAL_SEQNO,
  OF_ALL = OF_GLOBAL_SEQNO,
};

static void set_integer(lua_State *L, int key, lua_Integer value) {
  lua_pushvalue(L, lua_upvalueindex(key));
  lua_pushinteger(L, value);
  lua_rawset(L, -3);
}

/* {edge, value, timestamp_ns, line, line_seqno, global_seqno}, in an iterator. [-0, +1, m] */
static int push_table(lua_State *L, const struct gpio_subscription *subscription,
                      const struct gpio_edge_event *event) {
  lua_createtable(L, 0, OF_ALL - OF_EDGE + 1);
  lua_pushvalue(L, lua_upvalueindex(OF_EDGE));
  lua_pushvalue(L, lua_upvalueindex(event->kind == GPIO_RISING ? OF_RISING : OF_FALLING));
  lua_rawset(L, -3);
  set_integer(L, OF_VALUE, event->value);
  set_integer(L, OF_TIMESTAMP, event->time);
  lua_pushvalue(L, lua_upvalueindex(OF_LINE));
  lua_rawgeti(L, lua_upvalueindex(OF_NAMES), index_of(subscription, event->line));
  lua_rawset(L, -3);
  set_integer(L, OF_LINE_SEQNO, (lua_Integer)event->line_seq);
  set_integer(L, OF_GLOBAL_SEQNO, (lua_Integer)event->seq);
  return 1;
}

/* What an iterator has behind the subscription and the names. [-0, +8, m] */
static void push_words(lua_State *L) {
  static const char *const words[] = {"rising",       "falling", "edge",       "value",
                                      "timestamp_ns", "line",    "line_seqno", "global_seqno"};
  luaL_checkstack(L, OF_ALL, NULL);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    lua_pushstring(L, words[i]);
}

/* --- Handlers -------------------------------------------------------------------------------- */

bool gpio_subscription_dispatch(lua_State *L, struct gpio_notice *notice) {
  struct watcher *watcher = notice->context;
  struct gpio_edge_event event;
  if (watcher->handler == LUA_NOREF)
    return gpio_waiter_wake(&watcher->waiter);
  lua_rawgeti(L, LUA_REGISTRYINDEX, watcher->self); /* the handler may close it */
  while (watcher->box->board && watcher->subscription &&
         gpio_subscription_read(watcher->subscription, &event, 1) == 1) {
    lua_rawgeti(L, LUA_REGISTRYINDEX, watcher->handler);
    push_event(L, watcher->subscription, &event);
    scheduler_call(L, EVENT_VALUES, 0, "circuit handler");
  }
  lua_pop(L, 1);
  return false;
}

/* Holds the watcher on top, and with it its board, while events may come for the handler, which
 * is at the index. [-0, +0, m] */
static void hold(lua_State *L, struct watcher *watcher, int handler) {
  lua_pushvalue(L, -1);
  watcher->self = luaL_ref(L, LUA_REGISTRYINDEX);
  lua_pushvalue(L, handler);
  watcher->handler = luaL_ref(L, LUA_REGISTRYINDEX);
  list_append(&watcher->box->handled, &watcher->handled);
}

static void let_go(lua_State *L, struct watcher *watcher) {
  list_remove(&watcher->handled);
  luaL_unref(L, LUA_REGISTRYINDEX, watcher->handler);
  luaL_unref(L, LUA_REGISTRYINDEX, watcher->self);
  watcher->handler = watcher->self = LUA_NOREF;
}

void gpio_subscriptions_let_go(lua_State *L, struct gpio_box *box) {
  while (!list_empty(&box->handled))
    let_go(L, list_entry(box->handled.next, struct watcher, handled));
}

/* --- Opening, closing ------------------------------------------------------------------------ */

static unsigned check_kinds(lua_State *L, int index) {
  static const char *const names[] = {"rising", "falling", "both", "change", NULL};
  static const unsigned kinds[] = {GPIO_RISING, GPIO_FALLING, GPIO_RISING | GPIO_FALLING,
                                   GPIO_CHANGE};
  return kinds[luaL_checkoption(L, index, NULL, names)];
}

/* The lines of the table at index 2, in a userdata which is pushed. [-0, +1, v] */
static struct gpio_line **check_lines(lua_State *L, struct gpio_box *box, uint32_t *count) {
  luaL_checktype(L, 2, LUA_TTABLE);
  size_t size = lua_rawlen(L, 2);
  luaL_argcheck(L, size > 0 && size <= box->board->line_count, 2, "a table of lines expected");
  struct gpio_line **lines = lua_newuserdatauv(L, size * sizeof(struct gpio_line *), 0);
  for (size_t i = 0; i < size; i++) {
    lua_rawgeti(L, 2, (lua_Integer)i + 1);
    lines[i] = gpio_line_test(L, -1);
    luaL_argcheck(L, lines[i] && lines[i]->board == box->board, 2, "lines of this board expected");
    lua_pop(L, 1);
  }
  *count = (uint32_t)size;
  return lines;
}

/* [-0, +1, m] */
static struct watcher *push_watcher(lua_State *L, struct gpio_box *box) {
  struct watcher *watcher = lua_newuserdatauv(L, sizeof *watcher, USER_VALUES);
  *watcher = (struct watcher){.box = box, .handler = LUA_NOREF, .self = LUA_NOREF};
  list_init(&watcher->handled);
  gpio_waiter_open(&watcher->waiter, box);
  luaL_setmetatable(L, SUBSCRIPTION);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, USER_BOARD);
  return watcher;
}

int gpio_board_subscribe(lua_State *L) {
  struct gpio_box *box = gpio_box_check(L, 1);
  struct gpio_watching watching = {.kinds = check_kinds(L, 3)};
  lua_Integer capacity = luaL_optinteger(L, 4, 0);
  luaL_argcheck(L, capacity >= 0 && capacity <= GPIO_CAPACITY_LIMIT, 4,
                "room for 1 to 1048576 events expected");
  bool handled = !lua_isnoneornil(L, 5);
  if (handled)
    luaL_checktype(L, 5, LUA_TFUNCTION);
  lua_settop(L, 5);
  watching.capacity = (uint32_t)capacity;
  watching.lines = check_lines(L, box, &watching.line_count);
  gpio_pace_sync(box);
  struct watcher *watcher = push_watcher(L, box);
  enum gpio_status status = gpio_subscription_open(box->board, &watching, &watcher->subscription);
  if (status != GPIO_OK)
    return gpio_push_status(L, box->board, status);
  watcher->subscription->notice.context = watcher;
  if (handled) {
    hold(L, watcher, 5);
    watcher->subscription->armed = true;
  }
  gpio_pace_arrange(box);
  return 1;
}

static void close_watcher(lua_State *L, struct watcher *watcher) {
  if (watcher->subscription && watcher->box->board) {
    watcher->overruns = watcher->subscription->overruns;
    gpio_subscription_close(watcher->subscription);
    gpio_timer_stop(&watcher->waiter.timer);
  }
  watcher->subscription = NULL;
  let_go(L, watcher);
}

/* subscription:close(): no more events come, who waits is told. Twice is harmless. */
static int subscription_close(lua_State *L) {
  struct watcher *watcher = check_watcher(L);
  close_watcher(L, watcher);
  gpio_waiter_wake(&watcher->waiter);
  return 0;
}

/* --- Reading --------------------------------------------------------------------------------- */

static int push_closed(lua_State *L) {
  lua_pushnil(L);
  lua_pushliteral(L, "the subscription was closed");
  lua_pushliteral(L, "ECANCELED");
  return 3;
}

static int push_failure(lua_State *L, const struct watcher *watcher) {
  struct gpio_board *board = watcher->box->board;
  if (board->failure != GPIO_OK)
    return gpio_push_status(L, board, board->failure);
  lua_pushnil(L);
  lua_pushfstring(L, "no event of %s came in time", watcher->subscription->watches[0].line->name);
  lua_pushliteral(L, "ETIMEDOUT");
  return 3;
}

/* Takes the next event, or waits for it, and then `k` goes on. 0 when there is one; else what
 * `k` is to return. [-0, +0|3, v] */
static int take_event(lua_State *L, struct watcher *watcher, struct gpio_edge_event *event,
                      int64_t timeout, lua_KFunction k) {
  bool waited = timeout == GPIO_SAME_TIMEOUT;
  if (waited)
    wait_resumed(L);
  if (!watcher->box->board || !watcher->subscription)
    return push_closed(L);
  struct gpio_subscription *subscription = watcher->subscription;
  if (gpio_subscription_read(subscription, event, 1) == 1) {
    gpio_timer_stop(&watcher->waiter.timer);
    return 0;
  }
  if (watcher->box->board->failure != GPIO_OK || (waited && watcher->waiter.timed_out))
    return push_failure(L, watcher);
  if (watcher->waiter.task)
    return luaL_error(L, "another task is waiting for this subscription already");
  subscription->armed = true;
  return gpio_waiter_park(L, &watcher->waiter, timeout, k);
}

/* The timeout at an index, which may be nil; the subscription must have no handler. */
static int64_t check_wait(lua_State *L, const struct watcher *watcher, int index) {
  luaL_argcheck(L, watcher->handler == LUA_NOREF, 1, "its handler takes the events");
  if (lua_isnoneornil(L, index))
    return GPIO_NO_TIMEOUT;
  lua_Integer timeout = luaL_checkinteger(L, index);
  luaL_argcheck(L, timeout >= 0, index, "0 ns or more expected");
  return timeout;
}

static int wait_values(lua_State *L, int status, lua_KContext timeout) {
  struct watcher *watcher = lua_touserdata(L, 1);
  struct gpio_edge_event event;
  if (status == LUA_YIELD)
    timeout = GPIO_SAME_TIMEOUT;
  int results = take_event(L, watcher, &event, timeout, wait_values);
  return results ? results : push_event(L, watcher->subscription, &event);
}

/* subscription:wait([timeout]) → an event. Waits; nil, message, "ETIMEDOUT" when none has come
 * for `timeout` simulated ns. */
static int subscription_wait(lua_State *L) {
  const struct watcher *watcher = check_watcher(L);
  int64_t timeout = check_wait(L, watcher, 2);
  lua_settop(L, 1);
  return wait_values(L, LUA_OK, (lua_KContext)timeout);
}

/* In an iterator. */
static int wait_table(lua_State *L, int status, lua_KContext timeout) {
  struct watcher *watcher = lua_touserdata(L, lua_upvalueindex(OF_SUBSCRIPTION));
  struct gpio_edge_event event;
  if (status == LUA_YIELD)
    timeout = GPIO_SAME_TIMEOUT;
  int results = take_event(L, watcher, &event, timeout, wait_table);
  return results ? results : push_table(L, watcher->subscription, &event);
}

/* iterator([timeout]), or as a loop calls it, with nil. */
static int next_table(lua_State *L) {
  const struct watcher *watcher = lua_touserdata(L, lua_upvalueindex(OF_SUBSCRIPTION));
  return wait_table(L, LUA_OK, (lua_KContext)check_wait(L, watcher, 1));
}

/* subscription:events(names) → an iterator over its events as tables, for edges: as wait. `names`
 * are those of the lines. */
static int subscription_events(lua_State *L) {
  check_watcher(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  push_words(L);
  lua_pushcclosure(L, next_table, OF_ALL);
  return 1;
}

/* subscription:read([most]) → values, times, indexes, line_seqs, seqs: what has come, each
 * in a table of its own. Never waits. */
static int subscription_read(lua_State *L) {
  struct watcher *watcher = check_watcher(L);
  lua_Integer most = luaL_optinteger(L, 2, MOST_READ);
  if (!watcher->subscription)
    return push_closed(L);
  luaL_argcheck(L, most > 0, 2, "1 or more expected");
  lua_settop(L, 2);
  gpio_pace_sync(watcher->box);
  struct gpio_subscription *subscription = watcher->subscription;
  lua_Integer count = subscription->count < most ? subscription->count : most;
  for (int i = 0; i < EVENT_VALUES; i++)
    lua_createtable(L, (int)count, 0);
  for (lua_Integer i = 1; i <= count; i++) {
    struct gpio_edge_event event;
    if (gpio_subscription_read(subscription, &event, 1) == 0)
      break;
    push_event(L, subscription, &event);
    for (int value = EVENT_VALUES; value > 0; value--)
      lua_rawseti(L, 2 + value, i);
  }
  return EVENT_VALUES;
}

/* #subscription: how many events may be read. */
static int subscription_length(lua_State *L) {
  const struct watcher *watcher = check_watcher(L);
  lua_pushinteger(L, watcher->subscription ? watcher->subscription->count : 0);
  return 1;
}

/* subscription:overruns(): how many events were lost for want of room. */
static int subscription_overruns(lua_State *L) {
  const struct watcher *watcher = check_watcher(L);
  lua_pushinteger(L, (lua_Integer)(watcher->subscription ? watcher->subscription->overruns
                                                         : watcher->overruns));
  return 1;
}

static int subscription_collect(lua_State *L) {
  struct watcher *watcher = lua_touserdata(L, 1);
  close_watcher(L, watcher);
  gpio_waiter_close(&watcher->waiter);
  return 0;
}

static const luaL_Reg methods[] = {
    {"wait", subscription_wait},
    {"events", subscription_events},
    {"read", subscription_read},
    {"close", subscription_close},
    {"overruns", subscription_overruns},
    {"__len", subscription_length},
    {"__close", subscription_close},
    {"__gc", subscription_collect},
    {NULL, NULL},
};

void gpio_subscription_lua_open(lua_State *L) {
  type_open(L, SUBSCRIPTION, methods);
  luaL_getmetatable(L, SUBSCRIPTION);
  /* Levels are pushed where nothing may be raised: strings that exist need no memory. */
  for (int level = GPIO_0; level < GPIO_LEVELS; level++) {
    char letter = gpio_level_letter((enum gpio_level)level);
    lua_pushlstring(L, &letter, 1);
    lua_rawseti(L, -2, level + 1);
  }
  lua_pop(L, 1);
}
