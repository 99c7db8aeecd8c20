#include "core/task/interrupt.h"

#include "core/task/error.h"

/* Instructions between two looks at the time. */
enum { HOOK_COUNT = 1000 };

static void hook(lua_State *L, lua_Debug *activation) {
  struct scheduler *scheduler = scheduler_of(L);
  (void)activation;
  if (!scheduler->interrupt) {
    lua_sethook(L, NULL, 0, 0);
    return;
  }
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
    lua_sethook(L, hook, LUA_MASKCOUNT, HOOK_COUNT);
}

void interrupt_request(struct scheduler *scheduler) {
  scheduler->interrupt = 1;
  interrupt_follow(scheduler, scheduler->running);
}
