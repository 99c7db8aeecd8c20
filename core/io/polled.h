/* Streams over descriptors that can be polled and that others may share: terminals, pipes, sockets
 * that we inherited. One direction each.
 *
 * Whether a descriptor blocks is a property of what was opened, which the shell that started us and
 * the children we start have open as well: O_NONBLOCK set here would break them, and our own print.
 * So a terminal or pipe is opened once more, for us alone; a socket is asked for each transfer not
 * to block; and what can be neither is touched only when poll(2) says that it is ready.
 */
#ifndef STROBE_IO_POLLED_H
#define STROBE_IO_POLLED_H

#include "core/io/stream.h"

enum direction { DIRECTION_IN, DIRECTION_OUT };

/* Makes the userdata on top, of stream_push, a stream over `fd`, which stays its owner's. 0, or a
 * negative libuv error: UV_EPERM for what cannot be polled, such as a regular file. [-0, +0, -] */
int polled_open(lua_State *L, int fd, enum direction direction);

/* Writes what is queued, however long that takes: nothing else runs meanwhile. 0 or a negative
 * libuv error; 0 for other kinds of streams too. */
int polled_flush(struct stream *stream);

#endif
