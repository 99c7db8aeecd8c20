#include "core/task/generator.h"

#include "core/task/body.h"
#include "core/task/error.h"
#include "core/task/thread.h"
#include "core/task/type.h"
#include "core/task/wait.h"

#define GENERATOR "strobe.generator"

static struct generator *generator_check(lua_State *L) {
  return luaL_checkudata(L, 1, GENERATOR);
}

/* Lets the scheduler go on with the task's innermost thread. */
static int switch_thread(lua_State *L, int transfer, lua_KContext context, lua_KFunction k) {
  struct scheduler *scheduler = scheduler_of(L);
  scheduler->transfer = transfer;
  scheduler->action = ACTION_SWITCH;
  return lua_yieldk(L, 0, context, k);
}

static void move(lua_State *from, lua_State *to, int count) {
  if (!lua_checkstack(to, count + 1))
    luaL_error(from, "too many values for a generator");
  lua_xmove(from, to, count);
}

/* Raises the error on top; what it was that failed is kept as its origin. */
static int raise_failure(lua_State *L) {
  if (!failure_check(L, -1))
    return lua_error(L);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, "retrieved");
  task_push(L, scheduler_of(L)->current);
  lua_pushvalue(L, -2);
  future_set_detail(L, -2, "origin");
  lua_pop(L, 1);
  lua_getfield(L, -1, "error");
  return lua_error(L);
}

/* Back in the resumer: what came out lies above the two arguments. */
static int switch_over(lua_State *L, int status, lua_KContext context) {
  struct generator *generator = lua_touserdata(L, 1);
  int top = (int)context;
  (void)status;
  if (generator->failed) {
    generator->failed = false;
    return raise_failure(L);
  }
  lua_pushboolean(L, generator->yielded);
  lua_insert(L, top + 1);
  return lua_gettop(L) - top;
}

static void go_in(struct generator *generator, struct task *task) {
  generator->started = true;
  generator->task = task;
  generator->outer = task->generator;
  task->generator = generator;
}

/* Runs the body from its beginning: it and its arguments are on its stack. */
static int start(lua_State *L, struct generator *generator) {
  struct task *task = wait_enter(L);
  int count = lua_gettop(generator->thread.L) - 1;
  go_in(generator, task);
  return switch_thread(L, count, lua_gettop(L), switch_over);
}

/* Goes on with the body where it yielded, with the top `transfer` values. */
static int enter(lua_State *L, struct generator *generator, int transfer) {
  struct task *task = wait_enter(L);
  move(L, generator->thread.L, transfer);
  go_in(generator, task);
  return switch_thread(L, transfer, lua_gettop(L), switch_over);
}

/* A generator that has not ended and does not run. */
static struct generator *check_suspended(lua_State *L) {
  struct generator *generator = generator_check(L);
  if (generator->task)
    luaL_error(L, "the generator is already running");
  return generator;
}

/* generator:send(…) → true, what it yields; or false, what it returned. Waits
 * when the body does; raises the body's error. */
static int generator_send(lua_State *L) {
  struct generator *generator = check_suspended(L);
  if (!generator->thread.L) {
    lua_pushboolean(L, 0);
    return 1;
  }
  if (generator->started)
    return enter(L, generator, lua_gettop(L) - 1);
  lua_settop(L, 1); /* there is no yield yet that could return the values */
  return start(L, generator);
}

static void forget(lua_State *L, struct generator *generator) {
  thread_release(L, generator->thread);
  generator->thread.L = NULL;
}

/* generator:throw(error) → as send; the error is raised where the body yields. */
static int generator_throw(lua_State *L) {
  struct generator *generator = check_suspended(L);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  if (!generator->thread.L)
    return lua_error(L);
  if (!generator->started) {
    wait_enter(L);
    forget(L, generator);
    return lua_error(L);
  }
  generator->throwing = true;
  return enter(L, generator, 1);
}

/* generator:state() → "created", "suspended", "running" or "ended". */
static int generator_state(lua_State *L) {
  struct generator *generator = generator_check(L);
  lua_pushstring(L, !generator->thread.L  ? "ended"
                    : generator->task     ? "running"
                    : !generator->started ? "created"
                                          : "suspended");
  return 1;
}

/* The innermost generator, in which L runs; NULL when L is another thread. */
static struct generator *innermost(lua_State *L) {
  struct task *task = scheduler_of(L)->current;
  struct generator *generator = task ? task->generator : NULL;
  return generator && generator->thread.L == L ? generator : NULL;
}

static int yield_over(lua_State *L, int status, lua_KContext context) {
  struct generator *generator = innermost(L);
  (void)status;
  if (generator->throwing) {
    generator->throwing = false;
    return lua_error(L);
  }
  return lua_gettop(L) - (int)context;
}

static lua_State *outer_thread(const struct generator *generator) {
  return generator->outer ? generator->outer->thread.L : generator->task->thread.L;
}

/* Goes back to the thread which resumed the generator. */
static void leave(struct generator *generator) {
  struct task *task = generator->task;
  task->generator = generator->outer;
  generator->task = NULL;
  generator->outer = NULL;
}

/* yield(…) → what is sent. Only inside the generator's own body. */
static int generator_yield(lua_State *L) {
  struct generator *generator = innermost(L);
  /* The upvalue only says which generator it was: it may be gone. */
  if (!generator || generator != lua_touserdata(L, lua_upvalueindex(1)))
    return luaL_error(L, "yield called outside its generator's body");
  if (!lua_isyieldable(L))
    return luaL_error(L, "cannot yield across a call from C");
  int count = lua_gettop(L);
  move(L, outer_thread(generator), count);
  generator->yielded = true;
  leave(generator);
  return switch_thread(L, count, lua_gettop(L), yield_over);
}

void generator_finish(lua_State *L, struct generator *generator, int results, bool failed) {
  (void)L;
  lua_State *thread = generator->thread.L;
  lua_State *outer = outer_thread(generator);
  if (!lua_checkstack(outer, results + 1)) {
    lua_pop(thread, results);
    results = 0;
  }
  lua_xmove(thread, outer, results);
  generator->yielded = false;
  generator->failed = failed;
  leave(generator);
  scheduler_of(outer)->transfer = results;
  forget(outer, generator);
}

/* new(f, …) → generator: f(yield, …) has not begun. */
static int generator_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  struct generator *generator = lua_newuserdatauv(L, sizeof *generator, 0);
  *generator = (struct generator){.started = false};
  luaL_setmetatable(L, GENERATOR);
  /* The thread must not hold its generator, or neither would be collected. */
  lua_pushboolean(L, 0);
  generator->thread = thread_acquire(L);
  lua_State *thread = generator->thread.L;
  lua_insert(L, 1);
  int count = lua_gettop(L) - 1;
  /* An error raised on the new thread would find no handler: all is made on L. */
  lua_pushlightuserdata(L, generator);
  lua_pushcclosure(L, generator_yield, 1);
  lua_insert(L, 3);
  body_push(thread);
  move(L, thread, count + 1);
  return 1;
}

/* A generator left alone gives back its thread; strobe.async closes it before. */
static int generator_gc(lua_State *L) {
  struct generator *generator = generator_check(L);
  if (generator->thread.L && !generator->task)
    forget(L, generator);
  return 0;
}

static const luaL_Reg methods[] = {
    {"send", generator_send},
    {"throw", generator_throw},
    {"state", generator_state},
    {"__gc", generator_gc},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"new", generator_new},
    {NULL, NULL},
};

int luaopen_strobe_core_generator(lua_State *L) {
  type_open(L, GENERATOR, methods);
  luaL_newlib(L, functions);
  return 1;
}
