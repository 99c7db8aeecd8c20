/* What a journal needs of the system and libuv does not offer: a checksum, and a lock. */
#ifndef STROBE_BROKER_JOURNAL_LUA_H
#define STROBE_BROKER_JOURNAL_LUA_H

#include <lua.h>

/* The module strobe.core.journal. */
int luaopen_strobe_core_journal(lua_State *L);

#endif
