/* Executors: Lua functions on threads of their own, for strobe.async.executor. */
#ifndef STROBE_IO_EXECUTOR_H
#define STROBE_IO_EXECUTOR_H

#include "core/io/pool.h"

/* Pushes the module strobe.core.executor, whose workers get their states from `runtime`, which has
 * to live as long as the process. [-0, +1, m] */
int executor_open(lua_State *L, const struct runtime *runtime);

#endif
