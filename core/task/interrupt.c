#include "core/task/interrupt.h"

#include "core/task/debugger.h"
#include "core/task/error.h"
#include "core/task/traceback.h"

/* Instructions between two looks at the time. */
enum { HOOK_COUNT = 1000 };

/* In the registry: what is raised again and again. */
static const char condemnation = 0;

static int reasons(const struct scheduler *scheduler) {
  return atomic_load_explicit(&scheduler->interrupt, memory_order_relaxed);
}

void interrupt_withdraw(struct scheduler *scheduler, enum interrupt_reason reason) {
  atomic_fetch_and_explicit(&scheduler->interrupt, ~(int)reason, memory_order_relaxed);
}

bool interrupt_is_condemned(const struct scheduler *scheduler) {
  return reasons(scheduler) & INTERRUPT_CONDEMNED;
}

static void take_hook_off(lua_State *L, struct scheduler *scheduler) {
  struct displaced_hook *before = &scheduler->displaced;
  if (before->L != L) {
    lua_sethook(L, NULL, 0, 0);
    return;
  }
  before->L = NULL;
  lua_sethook(L, before->hook, before->mask, before->count);
}

/* Ends requests of that kind, and the hook with the last one. */
static void answer(lua_State *L, struct scheduler *scheduler, enum interrupt_reason reason) {
  interrupt_withdraw(scheduler, reason);
  if (!reasons(scheduler))
    take_hook_off(L, scheduler);
}

static void raise_quit(lua_State *L, struct scheduler *scheduler) {
  if (scheduler->quit == QUIT_ONCE)
    answer(L, scheduler, INTERRUPT_SIGNAL);
  luaL_where(L, 0);
  error_raise(L, "Interrupted", "%sits thread is to end", lua_tostring(L, -1));
}

/* The error of a step that is cut. [-0, +1, m] */
static void push_interrupted(lua_State *L, int64_t taken) {
  scheduler_of(L)->was_cut = true;
  luaL_where(L, 0);
  error_push(L, "Interrupted", "%safter running %d ms without waiting", lua_tostring(L, -1),
             (int)(taken / 1000000));
}

static int64_t time_taken(const struct scheduler *scheduler) {
  return clock_real_coarse() - scheduler->loop->stamp;
}

static void raise_signal(lua_State *L, struct scheduler *scheduler) {
  int64_t taken = time_taken(scheduler);
  if (taken < scheduler->slow_step)
    return;
  answer(L, scheduler, INTERRUPT_SIGNAL);
  push_interrupted(L, taken);
  lua_error(L);
}

static bool is_ours(lua_State *L, lua_Debug *activation) {
  lua_getinfo(L, "S", activation);
  return traceback_is_ours(activation->short_src);
}

static void raise_condemned(lua_State *L, lua_Debug *activation) {
  if (is_ours(L, activation))
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

static void hook(lua_State *L, lua_Debug *activation);

/* Does what the judge says. */
static void obey(lua_State *L, struct scheduler *scheduler, lua_Debug *activation) {
  switch (scheduler->judge(scheduler, is_ours(L, activation))) {
  case INTERRUPT_LATER:
    return;
  case INTERRUPT_LET:
    answer(L, scheduler, INTERRUPT_KEY);
    return;
  case INTERRUPT_CLOSELY:
    if (lua_gethookcount(L) != 1)
      lua_sethook(L, hook, LUA_MASKCOUNT, 1);
    return;
  case INTERRUPT_CONDEMN:
    interrupt_withdraw(scheduler, INTERRUPT_KEY);
    push_interrupted(L, time_taken(scheduler));
    condemn(L, scheduler);
    return;
  case INTERRUPT_RAISE:
    answer(L, scheduler, INTERRUPT_KEY);
    push_interrupted(L, time_taken(scheduler));
    lua_error(L);
  }
}

static void hook(lua_State *L, lua_Debug *activation) {
  struct scheduler *scheduler = scheduler_of(L);
  if (!reasons(scheduler)) {
    take_hook_off(L, scheduler);
    return;
  }
  if (scheduler->quit != QUIT_NOT)
    raise_quit(L, scheduler);
  if (reasons(scheduler) & INTERRUPT_EXAMINE) {
    answer(L, scheduler, INTERRUPT_EXAMINE);
    if (scheduler->examine && scheduler->examine(scheduler, L)) {
      scheduler->was_cut = true;
      condemn(L, scheduler);
    }
  }
  if (reasons(scheduler) & INTERRUPT_KEY)
    obey(L, scheduler, activation);
  if (reasons(scheduler) & INTERRUPT_CONDEMNED)
    raise_condemned(L, activation);
  if (reasons(scheduler) & INTERRUPT_SIGNAL)
    raise_signal(L, scheduler);
}

/* A hook of somebody else's is put back when ours is taken off. */
static void set_hook(struct scheduler *scheduler, lua_State *L, int count) {
  struct displaced_hook *displaced = &scheduler->displaced;
  lua_Hook before = lua_gethook(L);
  if (before == hook && lua_gethookcount(L) == count)
    return; /* the count would begin anew */
  if (before && before != hook)
    *displaced = (struct displaced_hook){L, before, lua_gethookmask(L), lua_gethookcount(L)};
  else if (!before && displaced->L == L) /* a state that is gone, and another in its place */
    displaced->L = NULL;
  lua_sethook(L, hook, LUA_MASKCOUNT, count);
}

/* Ours could not be put in the place of somebody else's hook without one being lost: too much for a
 * look. */
static bool would_lose_hook(const struct scheduler *scheduler, lua_State *L) {
  lua_Hook other = lua_gethook(L);
  if (!other || other == hook || debugger_is_hook(other))
    return false;
  return scheduler->displaced.L && scheduler->displaced.L != L;
}

void interrupt_hook(struct scheduler *scheduler, lua_State *L) {
  int why = reasons(scheduler);
  if (why == INTERRUPT_EXAMINE && would_lose_hook(scheduler, L))
    return;
  bool always = scheduler->quit == QUIT_ALWAYS || why & INTERRUPT_CONDEMNED;
  set_hook(scheduler, L, always ? 1 : HOOK_COUNT);
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
  interrupt_withdraw(scheduler, INTERRUPT_CONDEMNED);
  lua_pushnil(scheduler->L);
  lua_rawsetp(scheduler->L, LUA_REGISTRYINDEX, &condemnation); /* the key is there: no memory */
}

void interrupt_close_requests(struct scheduler *scheduler) {
  interrupt_pardon(scheduler);
  int why = atomic_exchange_explicit(&scheduler->interrupt, 0, memory_order_relaxed);
  if (why & INTERRUPT_EXAMINE && scheduler->examine)
    scheduler->examine(scheduler, NULL);
}
