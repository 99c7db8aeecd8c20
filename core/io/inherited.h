/* Descriptors of any kind that were opened elsewhere, as streams: standard input and output above
 * all.
 */
#ifndef STROBE_IO_INHERITED_H
#define STROBE_IO_INHERITED_H

#include <lua.h>

/* Puts something into the places of 0, 1 and 2 that are closed, before anything else is opened
 * there: print must not write into a socket. Its use fails, as that of a closed descriptor does. */
void inherited_fill(void);

int luaopen_strobe_core_inherited(lua_State *L);

#endif
