/* The reading half of a stream's methods: read, read_exactly, read_until, read_line, unread,
 * at_eof, buffered.
 */
#ifndef STROBE_IO_READER_H
#define STROBE_IO_READER_H

#include <lua.h>

/* Adds them to the table on top. [-0, +0, m] */
void reader_add(lua_State *L);

#endif
