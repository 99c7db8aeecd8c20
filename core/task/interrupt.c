#include "core/task/interrupt.h"

#include "core/task/error.h"
#include "core/task/traceback.h"

/* Instructions between two looks at the time. */
enum { HOOK_COUNT = 1000 };

/* In the registry: what is raised again and again. */
static const char condemnation = 0;

static int reasons(const struct scheduler *scheduler) {
  return atomic_load_explicit(&scheduler->interrupt, memory_order_relaxed);
}

static void clear(struct scheduler *scheduler, enum interrupt_reason reason) {
  atomic_fetch_and_explicit(&scheduler->interrupt, ~(int)reason, memory_order_relaxed);
}

/* Ends requests of that kind, and the hook with the last one. */
static void answer(lua_State *L, struct scheduler *scheduler, enum interrupt_reason reason) {
  clear(scheduler, reason);
  if (!reasons(scheduler))
    lua_sethook(L, NULL, 0, 0);
}

static void raise_quit(lua_State *L, struct scheduler *scheduler) {
  if (scheduler->quit == QUIT_ONCE)
    answer(L, scheduler, INTERRUPT_SIGNAL);
  luaL_where(L, 0);
  error_raise(L, "Interrupted", "%sits thread is to end", lua_tostring(L, -1));
}

static void raise_signal(lua_State *L, struct scheduler *scheduler) {
  int64_t taken = clock_real_coarse() - scheduler->loop->stamp;
  if (taken < scheduler->slow_step)
    return;
  answer(L, scheduler, INTERRUPT_SIGNAL);
  luaL_where(L, 0);
  error_raise(L, "Interrupted", "%safter running %d ms without waiting", lua_tostring(L, -1),
              (int)(taken / 1000000));
}

static void raise_condemned(lua_State *L, lua_Debug *activation) {
  lua_getinfo(L, "S", activation);
  if (traceback_is_ours(activation->short_src))
    return;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &condemnation);
  lua_error(L);
}

/* The error is on top. [-1, +0, m] */
static void condemn(lua_State *L, struct scheduler *scheduler) {
  lua_rawsetp(L, LUA_REGISTRYINDEX, &condemnation);
  atomic_fetch_or_explicit(&scheduler->interrupt, INTERRUPT_CONDEMNED, memory_order_relaxed);
  interrupt_hook(scheduler, L);
}

static void hook(lua_State *L, lua_Debug *activation) {
  struct scheduler *scheduler = scheduler_of(L);
  if (!reasons(scheduler)) {
    lua_sethook(L, NULL, 0, 0);
    return;
  }
  if (scheduler->quit != QUIT_NOT)
    raise_quit(L, scheduler);
  if (reasons(scheduler) & INTERRUPT_EXAMINE) {
    answer(L, scheduler, INTERRUPT_EXAMINE);
    if (scheduler->examine && scheduler->examine(scheduler, L))
      condemn(L, scheduler);
  }
  if (reasons(scheduler) & INTERRUPT_CONDEMNED)
    raise_condemned(L, activation);
  if (reasons(scheduler) & INTERRUPT_SIGNAL)
    raise_signal(L, scheduler);
}

/* Who counts instructions has set a limit already: a look is not worth taking that away. */
static bool has_limit(lua_State *L) {
  lua_Hook other = lua_gethook(L);
  return other && other != hook;
}

void interrupt_hook(struct scheduler *scheduler, lua_State *L) {
  int why = reasons(scheduler);
  if (why == INTERRUPT_EXAMINE && has_limit(L))
    return;
  bool always = scheduler->quit == QUIT_ALWAYS || why & INTERRUPT_CONDEMNED;
  int count = always ? 1 : HOOK_COUNT;
  if (lua_gethook(L) != hook || lua_gethookcount(L) != count) /* else the count would begin anew */
    lua_sethook(L, hook, LUA_MASKCOUNT, count);
}

void interrupt_request(struct scheduler *scheduler, enum interrupt_reason reason) {
  atomic_fetch_or_explicit(&scheduler->interrupt, (int)reason, memory_order_relaxed);
  interrupt_hook(scheduler, scheduler->running);
}

void interrupt_quit(struct scheduler *scheduler, enum interrupt_quit quit) {
  scheduler->quit = (int)quit;
  interrupt_request(scheduler, INTERRUPT_SIGNAL);
}

void interrupt_pardon(struct scheduler *scheduler) {
  if (!(reasons(scheduler) & INTERRUPT_CONDEMNED))
    return;
  clear(scheduler, INTERRUPT_CONDEMNED);
  lua_pushnil(scheduler->L);
  lua_rawsetp(scheduler->L, LUA_REGISTRYINDEX, &condemnation); /* the key is there: no memory */
}

void interrupt_close_requests(struct scheduler *scheduler) {
  interrupt_pardon(scheduler);
  int why = atomic_exchange_explicit(&scheduler->interrupt, 0, memory_order_relaxed);
  if (why & INTERRUPT_EXAMINE && scheduler->examine)
    scheduler->examine(scheduler, NULL);
}
