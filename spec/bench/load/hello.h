/* The conversation with a server as load/http_hello.lua is, on a connection that is kept. */
#ifndef STROBE_BENCH_HELLO_H
#define STROBE_BENCH_HELLO_H

#include <stdbool.h>
#include <stddef.h>

enum { HELLO_BODY = 256 };

/* Takes the next answer: its status; the body, cut to HELLO_BODY - 1 bytes and ended by a zero.
 * Returns 0 when the connection ends before it is whole. */
int hello_take(int fd, char body[HELLO_BODY]);

/* Asks for a path and returns its body; anything but 200 ends the program. */
void hello_get(int fd, const char *path, char body[HELLO_BODY]);

/* Asks for a path that is a number and compares what comes. */
void hello_exchange(int fd, long number);

/* What the objects of the server's language take, in bytes; 0 when it cannot tell. */
double hello_heap(int fd);

#endif
