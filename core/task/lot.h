/* A parking lot: tasks wait in it, first come first woken. What locks, events
 * and queues are made of. */
#ifndef STROBE_TASK_LOT_H
#define STROBE_TASK_LOT_H

#include <lua.h>

int luaopen_strobe_core_lot(lua_State *L);

#endif
