#include "core/host/scavenger.h"

#include "core/host/host.h"
#include "core/task/time.h"

#include <stdio.h>

#ifdef STROBE_MIMALLOC
#include <mimalloc.h>
#if MI_MALLOC_VERSION < 210
#define PURGE_DELAY mi_option_decommit_delay
#else
#define PURGE_DELAY mi_option_purge_delay
#endif
#endif

/* How much is much: steps of tasks, KiB of Lua's objects. */
enum { MANY_STEPS = 1000, MUCH_HEAP = 4096 };

/* What has a finalizer is freed by the cycle after the one that found it. */
enum { CYCLES = 2 };

enum { DELAY = 1000 }; /* milliseconds */

/* It rests so many times as long as it has worked. */
enum { REST_TO_WORK = 20 };

/* A slice takes so many nanoseconds, and the next one comes after so many milliseconds: sooner
 * when nobody else has anything to do. */
enum { SLICE = 250 * 1000, MILLISECOND = 1000 * 1000, WHEN_BUSY = 10, WHEN_QUIET = 1 };

static void fired(uv_timer_t *timer) {
  struct scavenger *scavenger = timer->data;
  loop_ready(&scavenger->host->loop, &scavenger->job);
}

static void go_on_after(struct scavenger *scavenger, uint64_t milliseconds) {
  uv_timer_start(&scavenger->timer, fired, milliseconds, 0);
}

static size_t heap_of(lua_State *L) {
  return (size_t)lua_gc(L, LUA_GCCOUNT);
}

static void rest(struct scavenger *scavenger) {
  scavenger->state = SCAVENGER_RESTS;
  scavenger->steps = scavenger->host->scheduler.steps;
  scavenger->heap = heap_of(scavenger->host->L);
}

/* What was freed may have held more, and those who let go of it may still be at it. */
static bool has_found_much(struct scavenger *scavenger, size_t heap) {
  return heap < scavenger->before - scavenger->before / 8;
}

/* Collects for a slice's time. Finalizers may run, and raise: hence protected. [-0, +0, e] */
static int collect(lua_State *L) {
  struct scavenger *scavenger = lua_touserdata(L, 1);
  int64_t began = clock_real(), taken;
  do {
    if (lua_gc(L, LUA_GCSTEP, 0))
      scavenger->cycles--;
    taken = clock_real() - began;
  } while (scavenger->cycles > 0 && taken < SLICE);
  scavenger->worked += taken;
  return 0;
}

static void wait(struct scavenger *scavenger) {
  scavenger->state = SCAVENGER_WAITS;
  int64_t pause = scavenger->worked * REST_TO_WORK / MILLISECOND;
  go_on_after(scavenger, pause > scavenger->delay ? (uint64_t)pause : (uint64_t)scavenger->delay);
}

/* Pages that the allocator has kept for a while, for they are often needed again soon, are given
 * back at the next occasion; after the last occasion there would be none. */
static void hand_back_at_once(struct scavenger *scavenger) {
#ifdef STROBE_MIMALLOC
  scavenger->purge_delay = mi_option_get(PURGE_DELAY);
  mi_option_set(PURGE_DELAY, 0);
#else
  (void)scavenger;
#endif
}

static void hand_back_as_before(struct scavenger *scavenger) {
#ifdef STROBE_MIMALLOC
  mi_collect(true);
  mi_option_set(PURGE_DELAY, scavenger->purge_delay);
#else
  (void)scavenger;
#endif
}

static void begin_collection(struct scavenger *scavenger) {
  scavenger->state = SCAVENGER_COLLECTS;
  scavenger->before = heap_of(scavenger->host->L);
  scavenger->cycles = CYCLES;
  scavenger->worked = 0;
  hand_back_at_once(scavenger);
}

static void end_collection(struct scavenger *scavenger) {
  hand_back_as_before(scavenger);
  scavenger->rounds++;
  rest(scavenger);
  if (has_found_much(scavenger, scavenger->heap))
    wait(scavenger);
}

static void collect_slice(struct scavenger *scavenger) {
  struct host *host = scavenger->host;
  lua_State *L = host->L;
  bool quiet = scavenger->steps == host->scheduler.steps;
  scavenger->steps = host->scheduler.steps;
  lua_pushcfunction(L, collect);
  lua_pushlightuserdata(L, scavenger);
  if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
    fprintf(stderr, "strobe: while collecting garbage: %s\n", lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  if (scavenger->cycles > 0) {
    go_on_after(scavenger, quiet ? WHEN_QUIET : WHEN_BUSY);
    return;
  }
  end_collection(scavenger);
}

/* A script that has stopped the collector keeps its garbage. */
static bool may_collect(lua_State *L) {
  return lua_gc(L, LUA_GCISRUNNING);
}

static void step(struct job *job) {
  struct scavenger *scavenger = list_entry(job, struct scavenger, job);
  bool waited = scavenger->state == SCAVENGER_WAITS;
  if (waited && !may_collect(scavenger->host->L)) {
    rest(scavenger);
    return;
  }
  if (waited)
    begin_collection(scavenger);
  collect_slice(scavenger);
}

int scavenger_open(struct scavenger *scavenger, struct host *host) {
  *scavenger =
      (struct scavenger){.job.run = step, .host = host, .delay = DELAY, .heap = heap_of(host->L)};
  int status = uv_timer_init(&host->loop.uv, &scavenger->timer);
  if (status < 0)
    return status;
  scavenger->timer.data = scavenger;
  uv_unref((uv_handle_t *)&scavenger->timer);
  return 0;
}

void scavenger_look(struct scavenger *scavenger) {
  struct host *host = scavenger->host;
  if (scavenger->state != SCAVENGER_RESTS)
    return;
  if (host->scheduler.steps - scavenger->steps < MANY_STEPS &&
      heap_of(host->L) < scavenger->heap + MUCH_HEAP)
    return;
  wait(scavenger);
}

int scavenger_after(lua_State *L) {
  struct scavenger *scavenger = &host_of(L)->scavenger;
  if (!lua_isnoneornil(L, 1)) {
    double seconds = time_check_seconds(L, 1);
    luaL_argcheck(L, seconds >= 0.001 && seconds <= 3600, 1, "1 ms to 1 h expected");
    scavenger->delay = (int64_t)(seconds * 1e3);
  }
  lua_pushnumber(L, (double)scavenger->delay / 1e3);
  return 1;
}

const char *scavenger_allocator(void) {
#ifdef STROBE_MIMALLOC
  return "mimalloc";
#else
  return "system";
#endif
}
