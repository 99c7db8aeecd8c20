/* The case of letters, in all scripts that have one, as the C library knows it. */
#ifndef STROBE_EDITOR_LETTER_LUA_H
#define STROBE_EDITOR_LETTER_LUA_H

#include <lua.h>

/* The module strobe.core.letter. */
int luaopen_strobe_core_letter(lua_State *L);

#endif
