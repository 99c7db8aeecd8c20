/* Whether a peer is in this process: served by a handle of our own loop.
 *
 * Such a peer lives in our time, a virtual one as well; what any other does takes real time.
 */
#ifndef STROBE_IO_PEER_H
#define STROBE_IO_PEER_H

#include "core/loop/loop.h"

/* A numeric address and a port, or with `path` a unix socket. Looks at every handle. */
bool peer_is_here(struct loop *loop, const char *address, int port, const char *path);

#endif
