/* Sockets on 127.0.0.1; whatever fails ends the program. */
#ifndef STROBE_BENCH_SOCKET_H
#define STROBE_BENCH_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

/* Seconds in which a server that works has answered. */
enum { SOCKET_PATIENCE = 5 };

/* Lets this program open as many as the system allows; ends it if those are fewer. */
void socket_allow(int count);

/* Connects from 127.0.0.1, .2, … by its number, so that ports last for many. What is
 * received in vain for SOCKET_PATIENCE fails. */
int socket_connect(int port, int number);

/* As socket_connect; the kernel keeps next to nothing that is not read. */
int socket_connect_narrow(int port, int number);

void socket_send(int fd, const void *bytes, size_t size);

/* Sends as much as is taken within some milliseconds; how much that was. A server that
 * has closed takes nothing. */
size_t socket_try_send(int fd, const void *bytes, size_t size, int milliseconds);

/* Takes exactly so many bytes. */
void socket_receive(int fd, void *bytes, size_t size);

/* Takes all that comes until the server has closed: true, or false when that takes longer
 * than SOCKET_PATIENCE. */
bool socket_await_end(int fd);

/* Listens on any port of 127.0.0.1, and prints `PORT n`. */
int socket_listen(void);

/* Closes with a RST. */
void socket_reset(int fd);

#endif
