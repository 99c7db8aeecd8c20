/* Compressed messages of a WebSocket: permessage-deflate (RFC 7692) on zlib.
 *
 * A deflater makes the payload of messages to send, an inflater reads it: each has one
 * direction of one connection. What both ends agreed on (see extension.h) says how far
 * back a message may refer (the window), and whether into the messages before it (context
 * takeover). Without takeover nothing is left between two messages: such a deflater may
 * serve many connections, one message after the other.
 *
 * A message may come in pieces. Each piece is flushed, so that it can be sent at once.
 * On the wire a message lacks the four bytes that end every flush; the receiver puts
 * them back, which also tells a message that was cut short from a whole one.
 *
 * Limits: inflated bytes are counted while they are made, in steps of 16 KiB, for a
 * message may blow up a thousandfold. zlib's memory is taken at first use: 2^(bits+2) +
 * 2^(mem_level+9) bytes to deflate, 2^bits and 10 KiB to inflate. With takeover, memory
 * may not be given back between two messages.
 *
 * After a failure a deflater or inflater has lost its place: it fails for ever.
 */
#ifndef STROBE_WS_DEFLATE_H
#define STROBE_WS_DEFLATE_H

#include "core/base/buffer.h"

#include <stdint.h>

/* A peer may agree on 8, but zlib cannot deflate with it: send such messages as they are. */
enum { WS_WINDOW_MIN = 8, WS_WINDOW_DEFLATE_MIN = 9, WS_WINDOW_MAX = 15 };

enum ws_deflate_result {
  WS_DEFLATE_GOOD,
  WS_DEFLATE_BROKEN,    /* not deflate, or cut short */
  WS_DEFLATE_TOO_BIG,   /* more than the limit once inflated */
  WS_DEFLATE_NO_MEMORY, /* or options that zlib refuses */
};

struct ws_deflater_options {
  uint8_t window_bits; /* 9 to 15 */
  uint8_t mem_level;   /* 1 to 9: memory for speed */
  uint8_t level;       /* 1 to 9: time for size */
  bool takeover;
};

struct ws_deflater {
  struct ws_deflater_options options;
  bool failed;
  struct z_stream_s *stream; /* NULL until the first message */
};

void ws_deflater_init(struct ws_deflater *deflater, const struct ws_deflater_options *options);
void ws_deflater_free(struct ws_deflater *deflater);

/* Refers to nothing before the next message: the peer got others in between. */
void ws_deflater_forget(struct ws_deflater *deflater);

/* Appends the payload for a piece of a message; an empty message is a payload of one byte.
 * Bytes appended before a failure are of no use. */
enum ws_deflate_result ws_deflate(struct ws_deflater *deflater, const char *bytes, size_t size,
                                  bool last, struct buffer *out);

struct ws_inflater {
  uint8_t window_bits;
  bool takeover;
  bool failed;
  size_t limit;              /* inflated bytes of one message */
  size_t inflated;           /* bytes of the message under way */
  struct z_stream_s *stream; /* NULL until the first message */
};

/* A window of 8 to 15 bits, as agreed or larger. */
void ws_inflater_init(struct ws_inflater *inflater, unsigned window_bits, bool takeover,
                      size_t limit);
void ws_inflater_free(struct ws_inflater *inflater);

/* Appends what a piece of a message's payload says; never more than the limit. */
enum ws_deflate_result ws_inflate(struct ws_inflater *inflater, const char *bytes, size_t size,
                                  bool last, struct buffer *out);

#endif
