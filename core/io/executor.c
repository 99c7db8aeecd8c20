#include "core/io/executor.h"

#include "core/io/parcel.h"
#include "core/io/reference.h"
#include "core/task/error.h"
#include "core/task/future.h"
#include "core/task/type.h"
#include "core/task/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXECUTOR "strobe.executor"
#define TICKET "strobe.ticket"

/* So many results are handed out in a turn of the loop. */
enum { RESULTS_PER_TURN = 64 };

/* Lives as long as its userdata or one of its threads. While somebody waits for it, the loop does
 * so too, and virtual time stands still; but not for work that was abandoned. */
struct executor {
  struct pool pool; /* first */
  struct scheduler *scheduler;
  uv_async_t news;
  struct job delivery;
  struct closer closer;
  struct list joiners;                /* jobs of tasks that wait for the end */
  unsigned wanted, abandoned, joined; /* work, work, tasks */
  bool awaited, holding;              /* the loop waits for it; virtual time stands still */
  bool closing, closed;
  bool dropped; /* its userdata is gone */
};

/* What submit returns: the way from a future to its work. The future is its user value. */
struct ticket {
  struct executor *executor; /* good while there is work */
  struct work *work;         /* NULL once that was handed out */
};

static struct executor *executor_check(lua_State *L) {
  return *(struct executor **)type_check(L, 1, EXECUTOR);
}

/* --- Waiting for it ------------------------------------------------------------------------ */

/* One of the counts has changed. */
static void recount(struct executor *executor) {
  bool awaited = executor->wanted > 0 || executor->joined > 0;
  bool holds = executor->wanted > 0 || (executor->joined > 0 && executor->abandoned == 0);
  if (awaited && !executor->awaited)
    uv_ref((uv_handle_t *)&executor->news);
  if (!awaited && executor->awaited)
    uv_unref((uv_handle_t *)&executor->news);
  executor->scheduler->loop->questions += holds;
  executor->scheduler->loop->questions -= executor->holding;
  executor->awaited = awaited;
  executor->holding = holds;
}

/* --- Its end ------------------------------------------------------------------------------- */

static void executor_free(struct executor *executor) {
  pool_close(&executor->pool);
  free(executor);
}

static void on_closed(uv_handle_t *news) {
  struct executor *executor = list_entry(news, struct executor, news);
  executor->closed = true;
  if (executor->dropped)
    executor_free(executor);
}

static void wake_joiners(struct executor *executor) {
  struct list *link;
  while ((link = list_shift(&executor->joiners))) {
    wait_wake(list_entry(link, struct task, job.link));
    executor->joined--;
  }
  recount(executor);
}

/* No thread is left, and none comes. */
static void begin_close(struct executor *executor) {
  if (executor->closing)
    return;
  executor->closing = true;
  wake_joiners(executor);
  list_remove(&executor->closer.link);
  list_remove(&executor->delivery.link);
  uv_close((uv_handle_t *)&executor->news, on_closed);
}

static void shut(struct executor *executor) {
  if (executor->closing)
    return;
  pool_shut(&executor->pool);
  if (pool_reap(&executor->pool))
    begin_close(executor);
}

/* Of an executor whose loop ends: nobody is there who could be told. */
static void drop_work(struct executor *executor) {
  struct work *work;
  while ((work = pool_take_ended(&executor->pool)) || (work = pool_take_queued(&executor->pool)))
    work_free(work);
}

static void on_loop_end(struct closer *closer) {
  struct executor *executor = list_entry(closer, struct executor, closer);
  struct loop *loop = executor->scheduler->loop;
  unsigned left = pool_stop(&executor->pool);
  if (left > 0)
    fprintf(stderr, "strobe: %u thread(s) of %s would not end and were left behind\n", left,
            executor->pool.name);
  else
    drop_work(executor);
  loop->strays += left;
  executor->closing = true;
  list_remove(&executor->delivery.link);
  uv_close((uv_handle_t *)&executor->news, left > 0 ? NULL : on_closed);
}

/* --- Results ------------------------------------------------------------------------------- */

static void push_broken(lua_State *L, struct executor *executor) {
  struct pool *pool = &executor->pool;
  uv_mutex_lock(&pool->mutex);
  lua_pushlstring(L, buffer_front(&pool->reason), buffer_size(&pool->reason));
  uv_mutex_unlock(&pool->mutex);
  error_push(L, "BrokenThreadPool",
             "A thread initializer failed, the thread pool is not usable anymore: %s",
             lua_tostring(L, -1));
  lua_remove(L, -2);
}

/* Ends the future at the index 1 as the work did. */
static void settle(lua_State *L, struct future *future, struct executor *executor,
                   const struct work *work) {
  const struct buffer *parcel = &work->parcel;
  if (work->outcome == WORK_REFUSED) {
    push_broken(L, executor);
  } else if (work->outcome == WORK_LOST) {
    lua_pushliteral(L, "not enough memory in the worker");
  } else {
    int count = parcel_unpack(L, buffer_front(parcel), buffer_size(parcel));
    if (work->outcome == WORK_RETURNED) {
      future_finish(L, 1, future, count);
      return;
    }
    if (error_is(L, -3, "CancelledError"))
      lua_pop(L, 2);
    else
      failure_import(L);
  }
  future_fail(L, 1, future);
}

struct delivery {
  struct executor *executor;
  struct work *work;
};

/* deliver(future, delivery) */
static int deliver(lua_State *L) {
  const struct delivery *delivery = lua_touserdata(L, 2);
  struct future *future = lua_touserdata(L, 1);
  lua_settop(L, 1);
  if (future->state == FUTURE_PENDING)
    settle(L, future, delivery->executor, delivery->work);
  return 0;
}

/* Pushes the future of the work, which has none from now on. [-0, +1, -] */
static void take_future(lua_State *L, struct executor *executor, struct work *work) {
  lua_rawgeti(L, LUA_REGISTRYINDEX, work->ticket);
  luaL_unref(L, LUA_REGISTRYINDEX, work->ticket);
  ((struct ticket *)lua_touserdata(L, -1))->work = NULL;
  lua_getiuservalue(L, -1, 1);
  lua_remove(L, -2);
  if (work->unwanted)
    executor->abandoned--;
  else
    executor->wanted--;
  recount(executor);
}

static void hand_out(struct executor *executor, struct work *work) {
  lua_State *L = executor->scheduler->L;
  struct delivery delivery = {executor, work};
  take_future(L, executor, work);
  struct future *future = lua_touserdata(L, -1);
  lua_pushcfunction(L, deliver);
  lua_pushvalue(L, -2);
  lua_pushlightuserdata(L, &delivery);
  if (lua_pcall(L, 2, 0, 0) != LUA_OK) {
    if (future->state == FUTURE_PENDING)
      future_abandon(L, -2, future);
    else
      lua_pop(L, 1);
  }
  lua_pop(L, 1);
  work_free(work);
}

static void run_delivery(struct job *job) {
  struct executor *executor = list_entry(job, struct executor, delivery);
  struct work *work;
  for (int i = 0; i < RESULTS_PER_TURN; i++) {
    if (!(work = pool_take_ended(&executor->pool))) {
      if (pool_reap(&executor->pool) && !executor->closing)
        begin_close(executor);
      return;
    }
    hand_out(executor, work);
  }
  loop_ready(executor->scheduler->loop, &executor->delivery);
}

static void on_news(uv_async_t *news) {
  struct executor *executor = list_entry(news, struct executor, news);
  struct loop *loop = executor->scheduler->loop;
  if (!list_linked(&executor->delivery.link))
    loop_ready(loop, &executor->delivery);
}

/* --- For Lua ------------------------------------------------------------------------------- */

static void init_executor(lua_State *L, struct executor *executor, const struct runtime *runtime) {
  executor->scheduler = scheduler_of(L);
  executor->pool.news = &executor->news;
  executor->pool.runtime = runtime;
  executor->delivery.run = run_delivery;
  executor->closer.close = on_loop_end;
  list_init(&executor->delivery.link);
  list_init(&executor->joiners);
  list_append(&executor->scheduler->loop->closers, &executor->closer.link);
}

/* NULL without memory or descriptors. */
static struct executor *executor_new(lua_State *L, const struct runtime *runtime) {
  struct executor *executor = calloc(1, sizeof *executor);
  if (!executor)
    return NULL;
  if (pool_open(&executor->pool) == 0) {
    if (uv_async_init(&scheduler_of(L)->loop->uv, &executor->news, on_news) == 0) {
      uv_unref((uv_handle_t *)&executor->news);
      init_executor(L, executor, runtime);
      return executor;
    }
    pool_close(&executor->pool);
  }
  free(executor);
  return NULL;
}

/* new(most threads, name, memory limit, parcel limit, setup, initializer, …) → executor */
static int new_executor(lua_State *L) {
  const struct runtime *runtime = lua_touserdata(L, lua_upvalueindex(1));
  lua_Integer most = luaL_checkinteger(L, 1);
  const char *name = luaL_checkstring(L, 2);
  struct executor **slot = lua_newuserdatauv(L, sizeof(struct executor *), 0);
  *slot = NULL;
  luaL_setmetatable(L, EXECUTOR);
  lua_insert(L, 5);
  struct executor *executor = executor_new(L, runtime);
  if (!executor)
    return luaL_error(L, "not enough memory for an executor");
  *slot = executor;
  worker_listen();
  executor->pool.most = (unsigned)most;
  executor->pool.memory_limit = (size_t)luaL_checkinteger(L, 3);
  executor->pool.parcel_limit = (size_t)luaL_checkinteger(L, 4);
  if (!(executor->pool.name = strdup(name)))
    return luaL_error(L, "not enough memory for an executor");
  reference_push_new_names(L);
  lua_pop(L, 1);
  parcel_pack(L, 6, (struct parcel_words){"initargs", 2}, executor->pool.parcel_limit,
              &executor->pool.setup);
  lua_settop(L, 5);
  return 1;
}

static int executor_gc(lua_State *L) {
  struct executor **slot = lua_touserdata(L, 1), *executor = *slot;
  *slot = NULL;
  if (!executor)
    return 0;
  executor->dropped = true;
  if (executor->closed)
    executor_free(executor);
  else
    shut(executor);
  return 0;
}

/* pack_work(work, limit, f, …) */
static int pack_work(lua_State *L) {
  struct work *work = lua_touserdata(L, 1);
  parcel_pack(L, 3, (struct parcel_words){"argument", 1}, (size_t)lua_tointeger(L, 2),
              &work->parcel);
  return 0;
}

static void refuse_put(lua_State *L, struct executor *executor, int status) {
  if (status == UV_ESHUTDOWN)
    luaL_error(L, "cannot schedule new futures after shutdown");
  if (status == UV_EPIPE)
    push_broken(L, executor);
  else
    error_push(L, "Error", "cannot start a thread: %s", uv_strerror(status));
  lua_error(L);
}

/* Makes the ticket for the future at the index 3, and refers to it. [-0, +1, m] */
static struct ticket *ticket_push(lua_State *L, int *reference) {
  struct ticket *ticket = lua_newuserdatauv(L, sizeof *ticket, 1);
  *ticket = (struct ticket){0};
  luaL_setmetatable(L, TICKET);
  lua_pushvalue(L, 3);
  lua_setiuservalue(L, -2, 1);
  lua_pushvalue(L, -1);
  *reference = luaL_ref(L, LUA_REGISTRYINDEX);
  return ticket;
}

/* Packs the work's function and arguments, from the index 4 to the one below the top. */
static int try_to_pack(lua_State *L, struct executor *executor, struct work *work) {
  int count = lua_gettop(L) - 4;
  lua_pushcfunction(L, pack_work);
  lua_pushlightuserdata(L, work);
  lua_pushinteger(L, (lua_Integer)executor->pool.parcel_limit);
  for (int i = 0; i < count; i++)
    lua_pushvalue(L, 4 + i);
  return lua_pcall(L, count + 2, 0, 0);
}

static int pack_protected(lua_State *L, struct executor *executor, struct work *work) {
  int status = try_to_pack(L, executor, work);
  if (status != LUA_ERRRUN)
    return status;
  lua_pop(L, 1);
  reference_push_new_names(L);
  lua_pop(L, 1);
  buffer_free(&work->parcel);
  return try_to_pack(L, executor, work);
}

/* executor:submit(is_map, future, f, …) → ticket. Raises what cannot be packed as a string without
 * a place. */
static int executor_submit(lua_State *L) {
  struct executor *executor = executor_check(L);
  int reference;
  future_check(L, 3);
  luaL_checkstack(L, lua_gettop(L) + 8, "too many arguments");
  struct ticket *ticket = ticket_push(L, &reference);
  struct work *work = work_new();
  bool packed = work && pack_protected(L, executor, work) == LUA_OK;
  int status = UV_ENOMEM;
  if (packed) {
    work->is_map = lua_toboolean(L, 2);
    work->ticket = reference;
    work->clock = executor->scheduler->loop->clock;
    status = pool_put(&executor->pool, work);
  }
  if (status == 0) {
    *ticket = (struct ticket){executor, work};
    executor->wanted++;
    recount(executor);
    return 1;
  }
  luaL_unref(L, LUA_REGISTRYINDEX, reference);
  if (work)
    work_free(work);
  if (packed || !work)
    refuse_put(L, executor, status);
  return lua_error(L);
}

/* ticket:cancel() → whether the work had not begun. Its result is not wanted any more. */
static int ticket_cancel(lua_State *L) {
  struct ticket *ticket = type_check(L, 1, TICKET);
  struct work *work = ticket->work;
  if (!work || work->unwanted)
    return 0;
  bool removed = pool_cancel(&ticket->executor->pool, work);
  if (removed) {
    take_future(L, ticket->executor, work);
    work_free(work);
  } else {
    work->unwanted = true;
    ticket->executor->wanted--;
    ticket->executor->abandoned++;
    recount(ticket->executor);
  }
  lua_pushboolean(L, removed);
  return 1;
}

/* executor:drain() → list of the futures whose work is still in the queue, from which it is taken.
 */
static int executor_drain(lua_State *L) {
  struct executor *executor = executor_check(L);
  struct work *work;
  luaL_checkstack(L, 4, NULL);
  lua_newtable(L);
  for (lua_Integer n = 1; (work = pool_take_queued(&executor->pool)); n++) {
    take_future(L, executor, work);
    work_free(work);
    lua_rawseti(L, 2, n);
  }
  return 1;
}

/* executor:shut(): no more work is taken; the threads end when there is none. */
static int executor_shut(lua_State *L) {
  shut(executor_check(L));
  return 0;
}

static enum wait_cancel cancel_join(lua_State *L, struct task *task) {
  (void)L;
  struct executor *executor = task->wait_object;
  list_remove(&task->job.link);
  executor->joined--;
  recount(executor);
  return WAIT_LEFT;
}

static const struct wait_kind joining = {"executor", cancel_join, NULL};

static int join_over(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  wait_resumed(L);
  return 0;
}

/* executor:join(): waits until the threads of one that was shut have ended. */
static int executor_join(lua_State *L) {
  struct executor *executor = executor_check(L);
  struct task *task = wait_enter(L);
  if (executor->closing)
    return wait_turn(L, task, join_over);
  list_append(&executor->joiners, &task->job.link);
  executor->joined++;
  recount(executor);
  return wait_park(L, task, &joining, executor, join_over);
}

/* executor:statistics() → {threads, idle, queued, started} */
static int executor_statistics(lua_State *L) {
  struct pool *pool = &executor_check(L)->pool;
  uv_mutex_lock(&pool->mutex);
  unsigned threads = pool->threads, idle = pool->idle, queued = pool->queued,
           started = pool->started;
  uv_mutex_unlock(&pool->mutex);
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, threads);
  lua_setfield(L, -2, "threads");
  lua_pushinteger(L, idle);
  lua_setfield(L, -2, "idle");
  lua_pushinteger(L, queued);
  lua_setfield(L, -2, "queued");
  lua_pushinteger(L, started);
  lua_setfield(L, -2, "started");
  return 1;
}

/* copy(…) → …, as another state would get them: packed and unpacked. */
static int executor_copy(lua_State *L) {
  struct buffer *buffer = lua_newuserdatauv(L, sizeof *buffer, 0);
  buffer_init(buffer);
  luaL_setmetatable(L, "strobe.parcel");
  lua_insert(L, 1);
  parcel_pack(L, 2, (struct parcel_words){"value", 0}, (size_t)LUA_MAXINTEGER, buffer);
  lua_settop(L, 1);
  return parcel_unpack(L, buffer_front(buffer), buffer_size(buffer));
}

static int parcel_gc(lua_State *L) {
  buffer_free(lua_touserdata(L, 1));
  return 0;
}

static const luaL_Reg executor_methods[] = {
    {"submit", executor_submit},
    {"drain", executor_drain},
    {"shut", executor_shut},
    {"join", executor_join},
    {"statistics", executor_statistics},
    {"__gc", executor_gc},
    {NULL, NULL},
};

static const luaL_Reg ticket_methods[] = {
    {"cancel", ticket_cancel},
    {NULL, NULL},
};

static const luaL_Reg parcel_methods[] = {
    {"__gc", parcel_gc},
    {NULL, NULL},
};

int executor_open(lua_State *L, const struct runtime *runtime) {
  type_open(L, EXECUTOR, executor_methods);
  type_open(L, TICKET, ticket_methods);
  type_open(L, "strobe.parcel", parcel_methods);
  lua_createtable(L, 0, 2);
  lua_pushlightuserdata(L, (void *)runtime);
  lua_pushcclosure(L, new_executor, 1);
  lua_setfield(L, -2, "new");
  lua_pushcfunction(L, executor_copy);
  lua_setfield(L, -2, "copy");
  return 1;
}
