/* A parcel: Lua values as bytes, which another state in another thread unpacks.
 *
 * Copied are nil, booleans, numbers, strings, json.null and tables, with shared references and
 * cycles, also between the values of one parcel. The function of a job, and functions among
 * upvalues, go as bytecode with their upvalues, those which several of them share being shared
 * again; _ENV becomes the globals of the state that unpacks. A table that is a loaded module, and
 * where functions may be one which a module has under a name, goes as that name (reference.h). All
 * else is refused.
 *
 * The bytes never leave the process, and are trusted:
 *
 *   parcel     shared(1) value*
 *   value      TAG …, as below; an object has the next number, from 1, where it is first met
 *   NIL FALSE TRUE NULL
 *   INTEGER bytes(8)        FLOAT bytes(8)        STRING size bytes
 *   REFERENCE string        OBJECT number
 *   TABLE list fields(4) meta entry* END          meta: value, NIL for none
 *   entry      value, for the next integer key; or KEY value value
 *   FUNCTION size bytecode count upvalue*         upvalue: value, or JOIN number index
 *
 * Both directions are loops: how deep a table is costs memory, not C stack.
 */
#ifndef STROBE_IO_PARCEL_H
#define STROBE_IO_PARCEL_H

#include "core/base/buffer.h"

#include <lua.h>

enum parcel_tag {
  PARCEL_NIL,
  PARCEL_FALSE,
  PARCEL_TRUE,
  PARCEL_NULL,
  PARCEL_INTEGER,
  PARCEL_FLOAT,
  PARCEL_STRING,
  PARCEL_REFERENCE,
  PARCEL_OBJECT,
  PARCEL_TABLE,
  PARCEL_FUNCTION,
  PARCEL_JOIN,
  PARCEL_KEY,
  PARCEL_END
};

/* What errors call the values: the first `functions` of them may be functions, which have no
 * name, and those behind are "WORD 1", "WORD 2", … */
struct parcel_words {
  const char *word;
  int functions;
};

/* Appends the values from the index `first` to the top to the empty buffer. Raises a string that
 * names what cannot go, or that it were more than `limit` bytes. What was loaded lately may not be
 * known by its name, see reference_push_new_names; then it is worth another try. [-0, +0, e] */
void parcel_pack(lua_State *L, int first, struct parcel_words words, size_t limit,
                 struct buffer *buffer);

/* Pushes the values and returns how many. Raises for want of memory, or when a module that is
 * named cannot be loaded here. [-0, +n, e] */
int parcel_unpack(lua_State *L, const char *bytes, size_t size);

#endif
