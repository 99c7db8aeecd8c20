/* The linker sends every malloc, calloc and realloc of our own code here (--wrap, see
 * CMakeLists.txt), so no caller knows of this; libraries are as they were. While a sweep
 * runs, Lua's allocations come here as well, and both are counted in one row.
 *
 * Off, which is always but in a spec, it costs a branch beside malloc's own work. The
 * counter is the thread's: a Lua state stays on its thread, and allocators have no
 * argument through which it could come.
 */
#include "core/task/allocation.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

void *real_malloc(size_t size) __asm__("__real_malloc");
void *real_calloc(size_t count, size_t size) __asm__("__real_calloc");
void *real_realloc(void *pointer, size_t size) __asm__("__real_realloc");
void *wrap_malloc(size_t size) __asm__("__wrap_malloc");
void *wrap_calloc(size_t count, size_t size) __asm__("__wrap_calloc");
void *wrap_realloc(void *pointer, size_t size) __asm__("__wrap_realloc");

struct sweep {
  bool on;
  lua_Integer count;       /* allocations so far */
  lua_Integer first, last; /* those fail */
  lua_Integer failed;
  lua_Alloc usual; /* Lua's own allocator meanwhile, and its argument */
  void *usual_data;
};

static _Thread_local struct sweep sweep;

static bool fails(void) {
  if (!sweep.on)
    return false;
  sweep.count++;
  if (sweep.count < sweep.first || sweep.count > sweep.last)
    return false;
  sweep.failed++;
  return true;
}

__attribute__((used)) void *wrap_malloc(size_t size) {
  return fails() ? NULL : real_malloc(size);
}

__attribute__((used)) void *wrap_calloc(size_t count, size_t size) {
  return fails() ? NULL : real_calloc(count, size);
}

__attribute__((used)) void *wrap_realloc(void *pointer, size_t size) {
  return fails() ? NULL : real_realloc(pointer, size);
}

/* A lua_Alloc. Lua relies on it that shrinking never fails. */
static void *allocate(void *data, void *pointer, size_t old_size, size_t size) {
  (void)data;
  if (size == 0) {
    free(pointer);
    return NULL;
  }
  if (pointer && size <= old_size)
    return real_realloc(pointer, size);
  return wrap_realloc(pointer, size);
}

/* start(first, last): of the allocations from now on, those with these numbers fail. */
static int allocation_start(lua_State *L) {
  lua_Integer first = luaL_checkinteger(L, 1), last = luaL_checkinteger(L, 2);
  if (sweep.on)
    return luaL_error(L, "a sweep of allocations is under way already");
  sweep = (struct sweep){.on = true, .first = first, .last = last};
  sweep.usual = lua_getallocf(L, &sweep.usual_data);
  lua_setallocf(L, allocate, NULL);
  return 0;
}

/* stop() → how many there were, and how many of them failed. Twice is harmless. */
static int allocation_stop(lua_State *L) {
  if (sweep.on)
    lua_setallocf(L, sweep.usual, sweep.usual_data);
  sweep.on = false;
  lua_pushinteger(L, sweep.count);
  lua_pushinteger(L, sweep.failed);
  return 2;
}

/* in_use() → bytes that malloc has given away, to Lua and to C; nil when the system does
 * not tell. */
static int allocation_in_use(lua_State *L) {
#if defined __GLIBC__ && __GLIBC_PREREQ(2, 33)
  struct mallinfo2 info = mallinfo2();
  if (info.uordblks > 0) { /* a sanitizer's malloc knows nothing */
    lua_pushinteger(L, (lua_Integer)info.uordblks + (lua_Integer)info.hblkhd);
    return 1;
  }
#endif
  lua_pushnil(L);
  return 1;
}

static const luaL_Reg functions[] = {
    {"start", allocation_start},
    {"stop", allocation_stop},
    {"in_use", allocation_in_use},
    {NULL, NULL},
};

int luaopen_strobe_core_allocation(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
