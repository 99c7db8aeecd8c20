/* Sockets that were made elsewhere and come as numbers: inherited from who started us, as
 * systemd's socket activation does, or made by another library.
 *
 * A descriptor stays its owner's until the handle that takes it is open.
 */
#ifndef STROBE_IO_DESCRIPTOR_H
#define STROBE_IO_DESCRIPTOR_H

#include "core/io/socket.h"

enum descriptor_use { DESCRIPTOR_CONNECTION, DESCRIPTOR_LISTENER };

/* Whether a descriptor is a stream socket that fits, or for a connection one end of a pipe, and
 * of which family. 0, or why not:
 * UV_EBADF, UV_ENOTSOCK, UV_EPROTOTYPE for another type, UV_EAFNOSUPPORT for another family,
 * UV_ENOTCONN, or UV_EISCONN for a connection where a listener was wanted. */
int descriptor_check(int fd, enum descriptor_use use, enum socket_family *family);

/* Gives it to a handle of that family, which closes it from now on. Children do not inherit
 * it. 0 or a negative libuv error, UV_EEXIST for one that has a handle already. */
int descriptor_take(int fd, enum socket_family family, union socket_handle *handle);

#endif
