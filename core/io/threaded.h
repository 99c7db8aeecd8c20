/* Streams over what cannot be polled: regular files, disks, /dev/null. It always looks ready, and
 * may still make who reads it wait for a disk: a thread of libuv reads it. Writing goes into the
 * system's memory, so it is done at once.
 */
#ifndef STROBE_IO_THREADED_H
#define STROBE_IO_THREADED_H

#include "core/io/polled.h"

/* As polled_open. It goes on where others who share the descriptor have left off. */
int threaded_open(lua_State *L, int fd, enum direction direction);

#endif
