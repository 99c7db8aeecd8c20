/* The floor of a task switch: plain lua_resume and lua_yield among 100 coroutines, with no
 * scheduler, no clock, no waiting and no cancelling around them.
 * usage: lua_switch [COUNT] */
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { COROUTINES = 100, RUNS = 5 };

static int yield(lua_State *L) {
  return lua_yield(L, 0);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Resumes every coroutine `count` times; returns the nanoseconds of one switch. */
static double run(lua_State *L, lua_State **coroutines, int count) {
  double began = now();
  for (int i = 0; i < count; i++)
    for (int j = 0; j < COROUTINES; j++) {
      int results;
      lua_resume(coroutines[j], L, 0, &results);
      lua_pop(coroutines[j], results);
    }
  return (now() - began) / count / COROUTINES * 1e9;
}

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 1000;
  double best = 1e9;
  lua_State *L = luaL_newstate(), *coroutines[COROUTINES];
  lua_register(L, "sleep", yield);
  if (luaL_dostring(L, "local sleep = sleep return function() while true do sleep(0) end end"))
    return 1;
  luaL_checkstack(L, COROUTINES + 1, "the coroutines lie on the stack");
  for (int i = 0; i < COROUTINES; i++) {
    coroutines[i] = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, coroutines[i], 1);
  }
  for (int i = 0; i < RUNS; i++) {
    double taken = run(L, coroutines, count);
    best = taken < best ? taken : best;
  }
  printf("RESULT switch_ns %.1f ns\n", best);
  lua_close(L);
  return 0;
}
