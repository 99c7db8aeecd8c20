/* The one table of what is written in C, and where Lua modules come from. */
#ifndef STROBE_HOST_LIBRARIES_H
#define STROBE_HOST_LIBRARIES_H

#include "core/host/host.h"

/* Opens Lua's own libraries, preloads ours and luv. [-0, +0, e] */
void libraries_open(struct host *host);

#endif
