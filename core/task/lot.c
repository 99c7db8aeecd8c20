#include "core/task/lot.h"

#include "core/task/type.h"
#include "core/task/wait.h"

#define LOT "strobe.lot"

struct lot {
  const char *label;  /* held by the user value */
  struct list parked; /* jobs of tasks */
  lua_Integer count;
};

static struct lot *lot_check(lua_State *L) {
  return luaL_checkudata(L, 1, LOT);
}

/* new(label) → lot; the label is what people read: "lock", "queue", … */
static int lot_new(lua_State *L) {
  const char *label = luaL_checkstring(L, 1);
  struct lot *lot = lua_newuserdatauv(L, sizeof *lot, 1);
  *lot = (struct lot){.label = label};
  list_init(&lot->parked);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  luaL_setmetatable(L, LOT);
  return 1;
}

static enum wait_cancel cancel_parked(lua_State *L, struct task *task) {
  struct lot *lot = task->wait_object;
  (void)L;
  list_remove(&task->job.link);
  lot->count--;
  return WAIT_LEFT;
}

static const char *describe(const struct task *task) {
  return ((const struct lot *)task->wait_object)->label;
}

static const struct wait_kind parked = {"lot", cancel_parked, describe};

static int park_over(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  wait_resumed(L);
  return 0;
}

/* lot:park(): waits until woken; raises CancelledError when cancelled, even if
 * the task had been woken but did not run yet. */
static int lot_park(lua_State *L) {
  struct lot *lot = lot_check(L);
  struct task *task = wait_enter(L);
  list_append(&lot->parked, &task->job.link);
  lot->count++;
  return wait_park(L, task, &parked, lot, park_over);
}

/* lot:wake(most) → how many tasks were woken; all without `most`. */
static int lot_wake(lua_State *L) {
  struct lot *lot = lot_check(L);
  lua_Integer most = luaL_optinteger(L, 2, LUA_MAXINTEGER), woken = 0;
  struct list *link;
  while (woken < most && (link = list_shift(&lot->parked))) {
    wait_wake(list_entry(link, struct task, job.link));
    woken++;
  }
  lot->count -= woken;
  lua_pushinteger(L, woken);
  return 1;
}

static int lot_length(lua_State *L) {
  lua_pushinteger(L, lot_check(L)->count);
  return 1;
}

static const luaL_Reg methods[] = {
    {"park", lot_park},
    {"wake", lot_wake},
    {"__len", lot_length},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"new", lot_new},
    {NULL, NULL},
};

int luaopen_strobe_core_lot(lua_State *L) {
  type_open(L, LOT, methods);
  luaL_newlib(L, functions);
  return 1;
}
