/* A WebSocket frame on the wire (RFC 6455, section 5): its header, its mask, and
 * appending one to what will be sent.
 *
 *   byte 0    FIN, RSV1-3, opcode
 *   byte 1    MASK, and the length when it is below 126
 *   0, 2, 8   a longer length, big-endian: 126 and 127 in byte 1 announce it
 *   0, 4      the mask key
 *
 * A client masks what it sends, with a key nobody can foresee; a server does not.
 * Where keys come from is the caller's business, and so is the order of frames:
 * nothing here remembers a frame.
 */
#ifndef STROBE_WS_FRAME_H
#define STROBE_WS_FRAME_H

#include "core/base/buffer.h"

#include <stdint.h>

enum ws_opcode {
  WS_CONTINUATION = 0,
  WS_TEXT = 1,
  WS_BINARY = 2,
  WS_CLOSE = 8,
  WS_PING = 9,
  WS_PONG = 10
};

/* Bits of the first byte, beside the opcode. */
enum ws_first { WS_FIN = 0x80, WS_RSV1 = 0x40, WS_RSV2 = 0x20, WS_RSV3 = 0x10, WS_OPCODE = 0x0f };

/* Bits of the second byte, and the lengths which announce a longer one. */
enum ws_second { WS_MASK = 0x80, WS_LENGTH = 0x7f, WS_LENGTH_16 = 126, WS_LENGTH_64 = 127 };

enum { WS_KEY_SIZE = 4, WS_HEADER_MAX = 14, WS_CONTROL_MAX = 125 };

/* Opcodes 8 to 15. */
static inline bool ws_is_control(unsigned opcode) {
  return opcode & 8;
}

/* Bytes before the mask key, as the second byte tells. */
static inline size_t ws_length_end(uint8_t second) {
  unsigned length = second & WS_LENGTH;
  return length < WS_LENGTH_16 ? 2 : length == WS_LENGTH_16 ? 4 : 10;
}

/* Bytes of the whole header. */
static inline size_t ws_header_size(uint8_t second) {
  return ws_length_end(second) + (second & WS_MASK ? WS_KEY_SIZE : 0);
}

/* The length of the payload; `header` is complete up to ws_length_end. */
uint64_t ws_header_length(const uint8_t *header);

/* Writes a header with the shortest length; no key, no mask. Returns its size. */
size_t ws_header_write(uint8_t header[WS_HEADER_MAX], unsigned first, uint64_t length,
                       const uint8_t *key);

/* Masks, or unmasks, `size` bytes which follow `done` others of the same payload. `to`
 * may be `from`; otherwise they must not overlap. */
void ws_mask(char *to, const char *from, size_t size, const uint8_t key[WS_KEY_SIZE], size_t done);

/* Appends a frame; `first` is an opcode with WS_FIN, WS_RSV1 or neither, `key` is NULL on
 * a server. A control frame's payload has at most WS_CONTROL_MAX bytes. False when there
 * is no memory; `out` is then as before. */
bool ws_frame_append(struct buffer *out, unsigned first, const uint8_t *key, const char *payload,
                     size_t size);

#endif
