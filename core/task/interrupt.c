#include "core/task/interrupt.h"

#include "core/task/error.h"

/* Instructions between two looks at the time. */
enum { HOOK_COUNT = 1000 };

static void raise_quit(lua_State *L, struct scheduler *scheduler) {
  if (scheduler->quit == QUIT_ONCE) {
    scheduler->interrupt = 0;
    lua_sethook(L, NULL, 0, 0);
  }
  luaL_where(L, 0);
  error_raise(L, "Interrupted", "%sits thread is to end", lua_tostring(L, -1));
}

static void hook(lua_State *L, lua_Debug *activation) {
  struct scheduler *scheduler = scheduler_of(L);
  (void)activation;
  if (!scheduler->interrupt) {
    lua_sethook(L, NULL, 0, 0);
    return;
  }
  if (scheduler->quit != QUIT_NOT)
    raise_quit(L, scheduler);
  int64_t taken = clock_real_coarse() - scheduler->loop->stamp;
  if (taken < scheduler->slow_step)
    return;
  scheduler->interrupt = 0;
  lua_sethook(L, NULL, 0, 0);
  luaL_where(L, 0);
  error_raise(L, "Interrupted", "%safter running %d ms without waiting", lua_tostring(L, -1),
              (int)(taken / 1000000));
}

void interrupt_follow(struct scheduler *scheduler, lua_State *L) {
  if (scheduler->interrupt)
    lua_sethook(L, hook, LUA_MASKCOUNT, scheduler->quit == QUIT_ALWAYS ? 1 : HOOK_COUNT);
}

void interrupt_request(struct scheduler *scheduler) {
  scheduler->interrupt = 1;
  interrupt_follow(scheduler, scheduler->running);
}

void interrupt_quit(struct scheduler *scheduler, enum interrupt_quit quit) {
  scheduler->quit = (int)quit;
  interrupt_request(scheduler);
}
