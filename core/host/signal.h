/* SIGINT and SIGTERM: the first asks the main task to end, the second ends the
 * process at once. SIGPIPE is ignored: a write says that the peer is gone. */
#ifndef STROBE_HOST_SIGNAL_H
#define STROBE_HOST_SIGNAL_H

#include "core/host/host.h"

/* 0, or a negative libuv error. */
int signal_open(struct host *host);
void signal_close(struct host *host);

/* on_signal(fn): fn(number) is called in the loop for the first signal. */
int signal_on(lua_State *L);

#endif
