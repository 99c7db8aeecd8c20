/* The client's side of a WebSocket on a blocking socket. All frames have the same mask. */
#ifndef STROBE_BENCH_WEBSOCKET_H
#define STROBE_BENCH_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  WEBSOCKET_TEXT = 0x81,
  WEBSOCKET_BINARY = 0x82,
  WEBSOCKET_CLOSE = 0x88,
  WEBSOCKET_PING = 0x89,
  WEBSOCKET_PONG = 0x8a,
  WEBSOCKET_MASKED = 0x80,
  WEBSOCKET_HEADER_MAX = 14,
  WEBSOCKET_KEY = 4,
};

extern const uint8_t websocket_key[WEBSOCKET_KEY];

/* Opens a WebSocket on a socket that has just been connected. */
void websocket_open(int fd);

/* The header of a frame, with the key when it is masked; its size. */
size_t websocket_header(uint8_t *header, uint8_t first, uint64_t size, bool masked);

/* Masks in place, or back. */
void websocket_mask(char *payload, size_t size);

/* A masked frame, in `frame`, which has room for it; its size. */
size_t websocket_frame(void *frame, uint8_t first, const void *payload, size_t size);

void websocket_send(int fd, uint8_t first, const void *payload, size_t size);

/* Takes the next frame; its size, and its first byte. A payload above `most`
 * fails. Pings are answered and passed over. */
size_t websocket_receive(int fd, uint8_t *first, void *payload, size_t most);

/* The code of the Close that comes next; 0 when the connection ends without one. Other
 * frames are passed over. */
int websocket_await_close(int fd);

/* Says Close, and waits for the server to close the connection. */
void websocket_close(int fd);

#endif
