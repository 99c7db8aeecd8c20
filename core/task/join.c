#include "core/task/join.h"

#include "core/task/error.h"
#include "core/task/inspect.h"
#include "core/task/wait.h"

/* One job for each future that is waited for; all are part of one userdata. */
struct part {
  struct job job;
  struct join *join;
  struct future *future;
};

enum mode { ALL_COMPLETED, FIRST_COMPLETED, FIRST_EXCEPTION, FIRST_FAILURE };

struct join {
  struct task *task;
  enum mode mode;
  int pending, count;
  int decided; /* the place of the future that ended the wait, or 0 */
  bool over;
  struct part parts[];
};

static void unlink_parts(struct join *join) {
  for (int i = 0; i < join->count; i++)
    list_remove(&join->parts[i].job.link);
}

static bool decides(const struct join *join, const struct future *future) {
  switch (join->mode) {
  case FIRST_COMPLETED:
    return future->state != FUTURE_PENDING;
  case FIRST_EXCEPTION:
    return future->state == FUTURE_FAILED;
  case FIRST_FAILURE:
    return future->state == FUTURE_FAILED || future->state == FUTURE_CANCELLED;
  default:
    return false;
  }
}

static void part_done(struct job *job) {
  struct part *part = list_entry(job, struct part, job);
  struct join *join = part->join;
  join->pending--;
  if (decides(join, part->future))
    join->decided = (int)(part - join->parts) + 1;
  else if (join->pending > 0)
    return;
  join->over = true;
  unlink_parts(join);
  wait_wake(join->task);
}

struct task *join_task_of(const struct job *job) {
  return job->run == part_done ? list_entry(job, struct part, job)->join->task : NULL;
}

struct task *join_held_up(const struct job *job) {
  struct task *task = join_task_of(job);
  return task && list_entry(job, struct part, job)->join->mode != FIRST_COMPLETED ? task : NULL;
}

static enum wait_cancel cancel_join(lua_State *L, struct task *task) {
  struct join *join = task->wait_object;
  (void)L;
  if (join->over)
    return WAIT_OVER;
  unlink_parts(join);
  return WAIT_LEFT;
}

static const struct wait_kind joining = {"futures", cancel_join, NULL};

/* The userdata is at index 2. */
static int push_decided(lua_State *L) {
  const struct join *join = lua_touserdata(L, 2);
  if (join->decided == 0)
    return 0;
  lua_pushinteger(L, join->decided);
  return 1;
}

static int join_over(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  wait_resumed(L);
  return push_decided(L);
}

/* Fills in the parts and the list on top, which holds their futures whatever
 * becomes of the caller's list; false when the wait is over at once. */
static bool fill_parts(lua_State *L, struct join *join) {
  for (int i = 0; i < join->count; i++) {
    struct part *part = &join->parts[i];
    lua_rawgeti(L, 1, i + 1);
    struct future *future = future_test(L, -1);
    if (!future)
      error_mistake(L, "wait: a list of Futures and Tasks expected");
    lua_rawseti(L, -2, i + 1);
    *part = (struct part){.job.run = part_done, .join = join, .future = future};
    list_init(&part->job.link);
    join->pending += future->state == FUTURE_PENDING;
    if (join->decided == 0 && decides(join, future))
      join->decided = i + 1;
  }
  return join->pending > 0 && join->decided == 0;
}

static const char *const modes[] = {"ALL_COMPLETED", "FIRST_COMPLETED", "FIRST_EXCEPTION",
                                    "FIRST_FAILURE", NULL};

/* wait(list, return_when) → the place of the one that decided, or nothing: waits
 * until all, or the deciding one, have ended. FIRST_FAILURE is FIRST_EXCEPTION
 * that takes cancelled ones too. Being cancelled cancels none of them. */
static int join_wait(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  enum mode mode = luaL_checkoption(L, 2, "ALL_COMPLETED", modes);
  int count = (int)lua_rawlen(L, 1);
  lua_settop(L, 1);
  struct scheduler *scheduler = scheduler_of(L);
  if (scheduler->warns && scheduler->current && mode != FIRST_COMPLETED)
    inspect_join(L, scheduler->current, 1, count);
  struct join *join = lua_newuserdatauv(L, sizeof *join + (size_t)count * sizeof *join->parts, 0);
  *join = (struct join){.mode = mode, .count = count};
  lua_createtable(L, count, 0);
  if (!fill_parts(L, join))
    return push_decided(L);
  join->task = wait_enter(L);
  for (int i = 0; i < count; i++)
    if (join->parts[i].future->state == FUTURE_PENDING)
      list_append(&join->parts[i].future->waiters, &join->parts[i].job.link);
  return wait_park(L, join->task, &joining, join, join_over);
}

/* is_circle(list) → whether one of the futures waits for the task that asks. */
static int join_is_circle(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  struct task *task = scheduler_of(L)->current;
  lua_pushboolean(L, task && inspect_push_circle(L, task, 1, (int)lua_rawlen(L, 1)));
  return 1;
}

/* results(list) → {n=}: the first result of each; raises the error of one that has
 * none. All have ended. */
static int join_results(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer count = (lua_Integer)lua_rawlen(L, 1);
  lua_settop(L, 1);
  lua_createtable(L, (int)count, 1);
  lua_pushinteger(L, count);
  lua_setfield(L, 2, "n");
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, 1, i);
    struct future *future = future_check(L, 3);
    int results = future_outcome(L, 3, future);
    if (results > 0) {
      lua_pushvalue(L, -results);
      lua_rawseti(L, 2, i);
    }
    lua_settop(L, 2);
  }
  return 1;
}

static const luaL_Reg functions[] = {
    {"wait", join_wait},
    {"is_circle", join_is_circle},
    {"results", join_results},
    {NULL, NULL},
};

int luaopen_strobe_core_join(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
