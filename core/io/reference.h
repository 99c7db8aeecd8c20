/* Values that are known by name in every state: a loaded module, or what it has under a name.
 *
 * `require "strobe.json"`, string.format, async.TimeoutError: such a value goes to another state as
 * a name, and is required there. Of the globals only what Lua itself put there is known.
 */
#ifndef STROBE_IO_REFERENCE_H
#define STROBE_IO_REFERENCE_H

#include <lua.h>

/* Pushes a table of names, "MODULE" or "MODULE\0KEY", by their values, which it does not hold. The
 * first function makes it once; the second makes a new one, to know what was loaded since. Looking
 * at all that is loaded takes a tenth of a millisecond: it is for when something was refused.
 * [-0, +1, m] */
void reference_push_names(lua_State *L);
void reference_push_new_names(lua_State *L);

/* Replaces the name on top by what it stands for here. [-1, +1, e] */
void reference_resolve(lua_State *L);

#endif
