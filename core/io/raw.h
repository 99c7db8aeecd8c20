/* Raw mode: a terminal whose keys come one by one, and its settings as they were.
 *
 * Whoever ends the process, the terminal is not left raw: exit, a crash, SIGHUP, SIGTERM. SIGTSTP
 * gives it back while we are stopped. Ctrl-C stays a signal, so that it is heard while Lua does not
 * wait; what was typed ahead stays when it comes; no key stops or kills the process by itself.
 *
 * One terminal of the process is raw at a time, for a signal handler gets nothing but a number.
 */
#ifndef STROBE_IO_RAW_H
#define STROBE_IO_RAW_H

#include <stdbool.h>

/* Sets the terminal to raw mode; if it is that already, once more, as somebody may have changed it
 * while we were stopped. `fd` stays open until raw_leave. In the background it is stopped by
 * SIGTTOU, until it is brought to the foreground. 0 or a negative libuv error, UV_EBUSY while
 * another terminal is raw. */
int raw_enter(int fd);

/* Sets it as it was before raw_enter. Twice is harmless. */
void raw_leave(int fd);

/* The same, whichever terminal it is; safe in signal handlers. A raw_leave behind it does
 * nothing. */
void raw_restore(void);

/* Whether the terminal is another group's now, as after `bg`; false if it controls us not. */
bool raw_in_background(int fd);

#endif
