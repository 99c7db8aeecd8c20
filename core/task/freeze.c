#include "core/task/freeze.h"

void freeze_hold(struct scheduler *scheduler, struct task *task) {
  list_append(&scheduler->held, &task->job.link);
}

/* Marks all tasks of the list at index 1. [-0, +0, e] */
static void mark_all(lua_State *L, bool frozen) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer count = luaL_len(L, 1);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    task_check(L, -1)->frozen = frozen;
    lua_pop(L, 1);
  }
}

/* freeze(tasks): none of the list is resumed any more. The current task may not be among
 * them. */
static int freeze_freeze(lua_State *L) {
  mark_all(L, true);
  struct task *current = scheduler_of(L)->current;
  if (current && current->frozen) {
    mark_all(L, false);
    return luaL_error(L, "freeze: a task cannot freeze itself");
  }
  return 0;
}

/* thaw(tasks): those whose wake-up has come meanwhile run in the next turn, in the order in
 * which they came. */
static int freeze_thaw(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  struct list held;
  mark_all(L, false);
  list_init(&held);
  list_move_all(&held, &scheduler->held);
  struct list *link;
  while ((link = list_shift(&held))) {
    struct task *task = list_entry(list_entry(link, struct job, link), struct task, job);
    if (task->frozen)
      freeze_hold(scheduler, task);
    else
      loop_ready(scheduler->loop, &task->job);
  }
  return 0;
}

static bool is_held(const struct scheduler *scheduler, const struct task *task) {
  for (const struct list *link = scheduler->held.next; link != &scheduler->held;
       link = link->next) {
    if (link == &task->job.link)
      return true;
  }
  return false;
}

/* close(task) → whether it could be: a frozen task whose wake-up has come ends as cancelled,
 * where it is. What it holds open is closed, and may not wait. One in a generator stays. */
static int freeze_close(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  struct task *task = task_check(L, 1);
  bool can = task->frozen && task->started && !task->generator && is_held(scheduler, task);
  if (can) {
    list_remove(&task->job.link);
    task->wait = NULL;
    scheduler_end(L, task);
  }
  lua_pushboolean(L, can);
  return 1;
}

static const luaL_Reg functions[] = {
    {"close", freeze_close},
    {"freeze", freeze_freeze},
    {"thaw", freeze_thaw},
    {NULL, NULL},
};

int luaopen_strobe_core_freeze(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
