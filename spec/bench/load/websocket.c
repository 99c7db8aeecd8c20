#include "websocket.h"

#include "report.h"
#include "socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LENGTH = 0x7f, LENGTH_16 = 126, LENGTH_64 = 127, CONTROL_MAX = 125, NORMAL = 1000 };
enum { HEAD = 4096, CHUNK = 64 * 1024 };

const uint8_t websocket_key[WEBSOCKET_KEY] = {0x37, 0xfa, 0x21, 0x3d};

/* --- The handshake -------------------------------------------------------------- */

void websocket_open(int fd) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  char head[HEAD] = "";
  size_t size = 0;
  socket_send(fd, request, sizeof request - 1);
  while (!strstr(head, "\r\n\r\n")) {
    if (size == sizeof head - 1 || recv(fd, head + size, 1, 0) != 1)
      report_failure("the head of the answer");
    size++;
  }
  errno = 0;
  if (strncmp(head, "HTTP/1.1 101 ", 13) != 0 || !strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
    report_failure("the handshake");
}

/* --- Frames --------------------------------------------------------------------- */

size_t websocket_header(uint8_t *header, uint8_t first, uint64_t size, bool masked) {
  int extended = size < LENGTH_16 ? 0 : size < 65536 ? 2 : 8;
  size_t n = 2;
  header[0] = first;
  header[1] = (uint8_t)(extended == 0 ? size : extended == 2 ? LENGTH_16 : LENGTH_64);
  for (int i = extended - 1; i >= 0; i--)
    header[n++] = (uint8_t)(size >> (8 * i));
  if (!masked)
    return n;
  header[1] |= WEBSOCKET_MASKED;
  memcpy(header + n, websocket_key, sizeof websocket_key);
  return n + sizeof websocket_key;
}

void websocket_mask(char *payload, size_t size) {
  for (size_t i = 0; i < size; i++)
    payload[i] = (char)(payload[i] ^ websocket_key[i % sizeof websocket_key]);
}

size_t websocket_frame(void *frame, uint8_t first, const void *payload, size_t size) {
  size_t header = websocket_header(frame, first, size, true);
  if (size > 0)
    memcpy((char *)frame + header, payload, size);
  websocket_mask((char *)frame + header, size);
  return header + size;
}

void websocket_send(int fd, uint8_t first, const void *payload, size_t size) {
  char frame[CHUNK];
  errno = 0;
  if (size > sizeof frame - WEBSOCKET_HEADER_MAX)
    report_failure("a message of %zu bytes to send", size);
  socket_send(fd, frame, websocket_frame(frame, first, payload, size));
}

static size_t receive_frame(int fd, uint8_t *first, void *payload, size_t most) {
  uint8_t header[2], extended[8];
  socket_receive(fd, header, sizeof header);
  uint64_t size = header[1] & LENGTH;
  int more = size == LENGTH_16 ? 2 : size == LENGTH_64 ? 8 : 0;
  socket_receive(fd, extended, (size_t)more);
  if (more > 0)
    size = 0;
  for (int i = 0; i < more; i++)
    size = size << 8 | extended[i];
  errno = 0;
  if (header[1] & WEBSOCKET_MASKED || size > most)
    report_failure("a frame of the server, 0x%02x and %zu bytes", header[0], (size_t)size);
  socket_receive(fd, payload, (size_t)size);
  *first = header[0];
  return (size_t)size;
}

/* The server's own pings come when a run takes long. */
size_t websocket_receive(int fd, uint8_t *first, void *payload, size_t most) {
  size_t size = receive_frame(fd, first, payload, most);
  while (*first == WEBSOCKET_PING) {
    websocket_send(fd, WEBSOCKET_PONG, payload, size);
    size = receive_frame(fd, first, payload, most);
  }
  return size;
}

/* --- The end -------------------------------------------------------------------- */

/* The next frame; its first byte, or 0 when the connection ends instead. */
static uint8_t next_frame(int fd, uint8_t *payload, size_t most) {
  uint8_t first;
  if (recv(fd, &first, 1, MSG_PEEK) != 1)
    return 0;
  websocket_receive(fd, &first, payload, most);
  return first;
}

int websocket_await_close(int fd) {
  uint8_t payload[CHUNK], first;
  do
    first = next_frame(fd, payload, sizeof payload);
  while (first != 0 && first != WEBSOCKET_CLOSE);
  return first == 0 ? 0 : payload[0] << 8 | payload[1];
}

void websocket_close(int fd) {
  static const uint8_t code[] = {NORMAL >> 8, NORMAL & 0xff};
  websocket_send(fd, WEBSOCKET_CLOSE, code, sizeof code);
  if (!socket_await_end(fd))
    report_failure("the server does not close");
  close(fd);
}
