/* A worker's thread: a state, which it makes itself, and the work it does in it.
 *
 * Each piece of work is a task on the worker's own loop, so it may wait. Policy is in
 * strobe.async.worker: `start` sets the state up, `run` and `map` are what a task of work calls;
 * they return true and the results, or false, the error, its traceback and what it was in.
 */
#include "core/io/parcel.h"
#include "core/io/pool.h"
#include "core/task/error.h"
#include "core/task/interrupt.h"
#include "core/task/task.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define MODULE "strobe.async.worker"

/* The system ignores it unless there is a handler. */
enum { NUDGE = SIGURG };

/* What a thread has while it is alive. */
struct shop {
  struct worker *worker;
  lua_State *L;
  struct memory {
    lua_Alloc allocate;
    void *data;
    size_t used, limit;
  } memory;
  bool blocked; /* the work waits for ever */
  bool stuck;   /* … even when it is cancelled */
};

/* A handler gets nothing but a number. */
static _Thread_local struct shop *volatile the_shop;

static void on_nudge(int number) {
  struct shop *shop = the_shop;
  (void)number;
  if (!shop)
    return;
  int quit = atomic_load(&shop->worker->quit);
  if (quit != QUIT_NOT)
    interrupt_quit(scheduler_of(shop->L), (enum interrupt_quit)quit);
}

void worker_listen(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_nudge; /* without SA_RESTART: a read that blocks ends as well */
  sigemptyset(&action.sa_mask);
  sigaction(NUDGE, &action, NULL);
}

void worker_nudge(struct worker *worker) {
  pthread_kill(worker->thread, NUDGE);
}

/* --- Memory -------------------------------------------------------------------------------- */

static void *allocate(void *data, void *block, size_t old_size, size_t size) {
  struct memory *memory = data;
  if (!block)
    old_size = 0; /* it is the type of what is to be there */
  if (size > old_size && memory->limit - memory->used < size - old_size)
    return NULL;
  void *new_block = memory->allocate(memory->data, block, old_size, size);
  if (new_block || size == 0)
    memory->used = memory->used - old_size + size;
  return new_block;
}

static void limit_memory(struct shop *shop, size_t limit) {
  struct memory *memory = &shop->memory;
  lua_State *L = shop->L;
  memory->allocate = lua_getallocf(L, &memory->data);
  memory->used = (size_t)lua_gc(L, LUA_GCCOUNT) * 1024 + (size_t)lua_gc(L, LUA_GCCOUNTB);
  memory->limit = memory->used > limit ? memory->used : limit;
  lua_setallocf(L, allocate, memory);
}

/* Lua's buffers of strings do not collect when memory is short, so there is to be some for the
 * next. */
static void spare_memory(struct shop *shop) {
  if (shop->memory.used > shop->memory.limit / 2)
    lua_gc(shop->L, LUA_GCCOLLECT);
}

static void unlimit_memory(struct shop *shop) {
  if (shop->memory.limit > 0)
    lua_setallocf(shop->L, shop->memory.allocate, shop->memory.data);
}

/* --- Work ---------------------------------------------------------------------------------- */

static struct loop *loop_of(const struct shop *shop) {
  return scheduler_of(shop->L)->loop;
}

/* What is to be called: a function of the module with what is in the parcel. */
struct call {
  const char *function;
  const struct buffer *parcel;
  const char *name; /* its first argument, if it is to have one */
};

/* spawn(call) → Task */
static int spawn(lua_State *L) {
  const struct call *call = lua_touserdata(L, 1);
  lua_getglobal(L, "require");
  lua_pushliteral(L, MODULE);
  lua_call(L, 1, 1);
  lua_getfield(L, -1, call->function);
  lua_remove(L, -2);
  int function = lua_gettop(L);
  if (call->name)
    lua_pushstring(L, call->name);
  parcel_unpack(L, buffer_front(call->parcel), buffer_size(call->parcel));
  luaL_checkstack(L, 8, "too many arguments for a task");
  task_spawn(L, lua_gettop(L) - function);
  return 1;
}

/* Pushes the Task, or an error. [-0, +1, -] */
static int spawn_protected(struct shop *shop, struct call call) {
  lua_State *L = shop->L;
  lua_pushcfunction(L, spawn);
  lua_pushlightuserdata(L, &call);
  return lua_pcall(L, 1, 1, 0);
}

/* cancel(task, message) */
static int cancel_protected(lua_State *L) {
  lua_pushstring(L, lua_touserdata(L, 2));
  task_cancel(L, lua_touserdata(L, 1));
  return 0;
}

static void cancel(struct shop *shop, struct task *task, const char *message) {
  lua_State *L = shop->L;
  lua_pushcfunction(L, cancel_protected);
  lua_pushlightuserdata(L, task);
  lua_pushlightuserdata(L, (void *)message);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK)
    lua_pop(L, 1);
}

/* Turns the loop until the task on top has ended. */
static void await_task(struct shop *shop) {
  struct task *task = lua_touserdata(shop->L, -1);
  bool asked = false;
  shop->blocked = false;
  while (task->future.state == FUTURE_PENDING && !shop->stuck) {
    if (!asked && atomic_load(&shop->worker->cancel)) {
      asked = true;
      cancel(shop, task, "cancelled");
    }
    if (loop_turn(loop_of(shop)) || task->future.state != FUTURE_PENDING ||
        atomic_load(&shop->worker->cancel) != asked)
      continue;
    shop->stuck = shop->blocked;
    shop->blocked = true;
    cancel(shop, task, "it waits for ever");
  }
}

/* Replaces the error on top by what `run` returns of one. [-1, +4, m] */
static void push_failed(lua_State *L) {
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  lua_pushliteral(L, "");
  lua_pushliteral(L, "a worker thread");
}

/* pack(task, work, shop) */
static int pack(lua_State *L) {
  static const struct parcel_words results = {"result", 0}, errors = {"error", 0};
  struct work *work = lua_touserdata(L, 2);
  struct shop *shop = lua_touserdata(L, 3);
  int first;
  if (shop->blocked) {
    error_push(L, "DeadlockError", "it waits for ever: nothing in its thread could wake it");
    push_failed(L);
    first = 4;
  } else {
    int count = future_outcome(L, 1, lua_touserdata(L, 1));
    first = lua_gettop(L) - count + 1;
  }
  bool returned = lua_toboolean(L, first);
  parcel_pack(L, first + 1, returned ? results : errors, shop->worker->pool->parcel_limit,
              &work->parcel);
  work->outcome = returned ? WORK_RETURNED : WORK_FAILED;
  return 0;
}

/* pack_error(error, work): an error that could not go as it is goes as a text. */
static int pack_error(lua_State *L) {
  struct work *work = lua_touserdata(L, 2);
  luaL_tolstring(L, 1, NULL);
  push_failed(L);
  parcel_pack(L, 4, (struct parcel_words){"error", 0}, (size_t)-1, &work->parcel);
  work->outcome = WORK_FAILED;
  return 0;
}

/* Replaces an error on top by the work's parcel, if there is memory for it. [-1, +0, -] */
static void end_with_error(struct shop *shop, struct work *work) {
  lua_State *L = shop->L;
  lua_pushcfunction(L, pack_error);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, work);
  buffer_free(&work->parcel);
  if (lua_pcall(L, 2, 0, 0) == LUA_OK)
    return;
  lua_pop(L, 1);
  buffer_free(&work->parcel);
  work->outcome = WORK_LOST;
}

/* The task on top has ended. [-1, +0, -] */
static void end(struct shop *shop, struct work *work) {
  lua_State *L = shop->L;
  lua_pushcfunction(L, pack);
  lua_insert(L, -2);
  lua_pushlightuserdata(L, work);
  lua_pushlightuserdata(L, shop);
  buffer_free(&work->parcel);
  if (lua_pcall(L, 3, 0, 0) != LUA_OK)
    end_with_error(shop, work);
}

static void do_work(struct shop *shop, struct work *work) {
  lua_State *L = shop->L;
  loop_of(shop)->clock = work->clock;
  if (spawn_protected(shop, (struct call){work->is_map ? "map" : "run", &work->parcel, NULL}) !=
      LUA_OK) {
    end_with_error(shop, work);
  } else {
    await_task(shop);
    end(shop, work);
  }
  lua_settop(L, 0);
  spare_memory(shop);
}

static void collect(struct worker *worker) {
  (void)worker;
  lua_gc(the_shop->L, LUA_GCCOLLECT);
}

/* --- The thread ---------------------------------------------------------------------------- */

/* It only has to end the poll. */
static void on_wake(uv_async_t *wake) {
  ((struct loop *)wake->loop->data)->activity++;
}

static bool open_state(struct shop *shop) {
  struct worker *worker = shop->worker;
  const struct runtime *runtime = worker->pool->runtime;
  shop->L = runtime->open(runtime->process);
  if (!shop->L)
    return false;
  scheduler_of(shop->L)->slow_step = CLOCK_NEVER; /* long steps are what it is for */
  if (uv_async_init(&loop_of(shop)->uv, &worker->wake, on_wake) < 0) {
    runtime->close(shop->L);
    return false;
  }
  uv_unref((uv_handle_t *)&worker->wake);
  return true;
}

static void name_thread(const char *name) {
#ifdef __linux__
  char short_name[16];
  size_t length = strlen(name);
  /* The end of the name is what tells threads apart. */
  memcpy(short_name, length > 15 ? name + length - 15 : name, (length > 15 ? 15 : length) + 1);
  pthread_setname_np(pthread_self(), short_name);
#else
  (void)name;
#endif
}

/* The work of setting up has ended; false when it failed, with the reason on top. */
static bool set_up_well(struct shop *shop) {
  lua_State *L = shop->L;
  struct future *future = lua_touserdata(L, -1);
  lua_getiuservalue(L, -1, FUTURE_RESULT);
  if (future->state != FUTURE_FINISHED)
    return false;
  if (!lua_istable(L, -1))
    return true; /* what `start` returns when all is well is true */
  lua_rawgeti(L, -1, 2);
  return false;
}

/* What is on top is why, if it is a string. */
static void break_pool(struct shop *shop) {
  lua_State *L = shop->L;
  const char *reason = "an error";
  size_t size = strlen(reason);
  if (shop->blocked) {
    reason = "it waits for ever";
    size = strlen(reason);
  } else if (lua_type(L, -1) == LUA_TSTRING) {
    reason = lua_tolstring(L, -1, &size);
  }
  pool_break(shop->worker->pool, reason, size);
}

/* Runs `start`; false when that failed, the pool is then broken. */
static bool set_up(struct shop *shop) {
  struct pool *pool = shop->worker->pool;
  char name[80];
  snprintf(name, sizeof name, "%.60s_%u", pool->name, shop->worker->number);
  name_thread(name);
  bool good = false;
  loop_of(shop)->clock = shop->worker->clock;
  if (spawn_protected(shop, (struct call){"start", &pool->setup, name}) == LUA_OK) {
    await_task(shop);
    good = set_up_well(shop);
  }
  if (!good)
    break_pool(shop);
  lua_settop(shop->L, 0);
  return good;
}

static void work_on(struct shop *shop) {
  struct pool *pool = shop->worker->pool;
  struct work *work;
  the_shop = shop;
  pool_attach(shop->worker);
  if (set_up(shop)) {
    if (pool->memory_limit > 0)
      limit_memory(shop, pool->memory_limit);
    while (!shop->stuck && (work = pool_next(shop->worker, collect))) {
      do_work(shop, work);
      pool_finish(shop->worker, work);
    }
    unlimit_memory(shop);
  }
  the_shop = NULL;
  pool_detach(shop->worker);
  pool->runtime->close(shop->L);
}

void worker_run(void *worker) {
  struct shop shop = {.worker = worker};
  static const char no_memory[] = "not enough memory for its state";
  if (open_state(&shop))
    work_on(&shop);
  else
    pool_break(shop.worker->pool, no_memory, sizeof no_memory - 1);
  pool_leave(shop.worker);
}
