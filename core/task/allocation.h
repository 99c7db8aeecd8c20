/* Allocations that fail on demand, for specs of what becomes of a program without memory. */
#ifndef STROBE_TASK_ALLOCATION_H
#define STROBE_TASK_ALLOCATION_H

#include <lua.h>

/* The module strobe.core.allocation. */
int luaopen_strobe_core_allocation(lua_State *L);

#endif
