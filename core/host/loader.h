/* Where `require "strobe.x"` looks: in the files inside the executable, or in
 * the folder named by STROBE_MODULES, which holds the same tree. */
#ifndef STROBE_HOST_LOADER_H
#define STROBE_HOST_LOADER_H

#include <lua.h>

/* Adds the searcher, before those of package.path. [-0, +0, e] */
void loader_open(lua_State *L);

/* embedded(path) → its text or nil; embedded() → the list of all paths. */
int loader_embedded(lua_State *L);

#endif
