/* The receiving side of a WebSocket (RFC 6455, sections 5 and 7): bytes in, events out.
 * Sending needs no state; it is in frame.h and close.h.
 *
 *   struct ws_input input = {bytes, size};
 *   struct ws_event event;
 *   while (ws_codec_next(&codec, &input, &event))
 *     ...
 *
 * A frame's payload is unmasked where it lies. A message which lies inside one read is
 * handed out as a slice of it, without a copy; the others are gathered in `message`,
 * which grows with the bytes that came, never to the length a header claims.
 *
 * What is wrong is told as soon as the byte that decides is there, by an event that is
 * the last; so is a Close. All later bytes are ignored.
 *
 * Limits: messages and fragments are bounded by the options; control frames by the RFC.
 * A codec has about 250 bytes; with no message under way, it holds 512 more at most.
 */
#ifndef STROBE_WS_CODEC_H
#define STROBE_WS_CODEC_H

#include "core/base/buffer.h"
#include "modules/strobe/ws/frame.h"
#include "modules/strobe/ws/utf8.h"

#include <stdint.h>

enum ws_role { WS_SERVER, WS_CLIENT };

struct ws_options {
  enum ws_role role;
  /* permessage-deflate was agreed on: RSV1 marks a compressed message. Inflating it, and
   * looking whether text is UTF-8 and below the limit then, is left to who gets it. */
  bool deflate;
  /* Hands out what came of a message, not only whole messages. */
  bool streaming;
  uint32_t max_fragments; /* frames of one message; at least 1 */
  size_t max_message;     /* bytes of one message */
};

/* What is still to be read. Its bytes are changed where they lie. */
struct ws_input {
  char *bytes;
  size_t size;
};

enum ws_event_kind { WS_GOT_MESSAGE, WS_GOT_PING, WS_GOT_PONG, WS_GOT_CLOSE, WS_GOT_FAILURE };

/* The bytes are a message, a control frame's payload, a reason, or why it failed. They
 * hold until the next call, and no longer than the input. */
struct ws_event {
  enum ws_event_kind kind;
  uint16_t code;   /* of a Close, WS_NO_CODE if it had none; what to answer to a failure */
  bool text;       /* a message's kind; what is not text is binary */
  bool compressed; /* the message is to be inflated */
  bool first;      /* the message's first bytes, and its last ones: always both, unless */
  bool last;       /* it is streamed; a character may then be split between two events */
  const char *bytes;
  size_t size;
};

struct ws_codec {
  struct ws_options options;
  /* The frame under way. */
  uint8_t stage;       /* of reading it */
  uint8_t header_size; /* bytes of a header that came in pieces */
  uint8_t header[WS_HEADER_MAX];
  uint8_t first; /* its first byte */
  uint8_t key[WS_KEY_SIZE];
  uint64_t done, left; /* bytes of its payload */
  /* The message under way; control frames may come between its fragments. */
  bool open, text, compressed, streamed;
  bool begun;      /* an event told of it */
  bool handed_out; /* the last event's bytes lie in `message` */
  struct ws_utf8 utf8;
  uint32_t fragments;
  uint64_t claimed; /* by the headers of its frames */
  struct buffer message;
  uint8_t control_size;
  char control[WS_CONTROL_MAX];
};

void ws_codec_init(struct ws_codec *codec, const struct ws_options *options);
void ws_codec_free(struct ws_codec *codec);

/* Reads until something is to tell. False when all input was read, or nothing will ever
 * be told again. Ask until then: the memory of the last message is given back. */
bool ws_codec_next(struct ws_codec *codec, struct ws_input *input, struct ws_event *event);

/* Streams messages from now on, also what is left of one under way; or from the next one on
 * no longer. */
void ws_codec_stream(struct ws_codec *codec, bool streaming);

#endif
