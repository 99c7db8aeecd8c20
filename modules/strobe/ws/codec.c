#include "modules/strobe/ws/codec.h"

#include "modules/strobe/ws/close.h"

#include <string.h>

enum stage { AT_HEADER, AT_PAYLOAD, AT_END };

/* What a step of reading came to. */
enum step { GO_ON, NEED_INPUT, EVENT };

void ws_codec_init(struct ws_codec *codec, const struct ws_options *options) {
  *codec = (struct ws_codec){.options = *options};
  buffer_init(&codec->message);
}

void ws_codec_free(struct ws_codec *codec) {
  buffer_free(&codec->message);
  codec->stage = AT_END;
}

void ws_codec_stream(struct ws_codec *codec, bool streaming) {
  codec->options.streaming = streaming;
  codec->streamed = codec->streamed || streaming;
}

/* --- Faults ------------------------------------------------------------------------------ */

enum fault {
  NONE,
  RESERVED_BIT,
  RESERVED_OPCODE,
  FRAGMENTED_CONTROL,
  LONG_CONTROL,
  NO_MESSAGE,
  OPEN_MESSAGE,
  TOO_MANY_FRAGMENTS,
  UNMASKED,
  MASKED,
  LENGTH_SPREAD,
  LENGTH_SIGN,
  MESSAGE_TOO_BIG,
  NOT_TEXT,
  CLOSE_OF_ONE,
  CLOSE_CODE,
  REASON_NOT_TEXT,
  NO_MEMORY
};

static const struct {
  uint16_t code;
  const char *why;
} faults[] = {
    [RESERVED_BIT] = {WS_PROTOCOL_ERROR, "reserved bit set"},
    [RESERVED_OPCODE] = {WS_PROTOCOL_ERROR, "reserved opcode"},
    [FRAGMENTED_CONTROL] = {WS_PROTOCOL_ERROR, "fragmented control frame"},
    [LONG_CONTROL] = {WS_PROTOCOL_ERROR, "control frame longer than 125 bytes"},
    [NO_MESSAGE] = {WS_PROTOCOL_ERROR, "continuation of no message"},
    [OPEN_MESSAGE] = {WS_PROTOCOL_ERROR, "new message inside another"},
    [TOO_MANY_FRAGMENTS] = {WS_TOO_BIG, "too many fragments"},
    [UNMASKED] = {WS_PROTOCOL_ERROR, "unmasked frame from a client"},
    [MASKED] = {WS_PROTOCOL_ERROR, "masked frame from a server"},
    [LENGTH_SPREAD] = {WS_PROTOCOL_ERROR, "length not in its shortest form"},
    [LENGTH_SIGN] = {WS_PROTOCOL_ERROR, "length with its top bit set"},
    [MESSAGE_TOO_BIG] = {WS_TOO_BIG, "message too big"},
    [NOT_TEXT] = {WS_BAD_DATA, "text is not UTF-8"},
    [CLOSE_OF_ONE] = {WS_PROTOCOL_ERROR, "close payload of one byte"},
    [CLOSE_CODE] = {WS_PROTOCOL_ERROR, "invalid close code"},
    [REASON_NOT_TEXT] = {WS_BAD_DATA, "close reason is not UTF-8"},
    [NO_MEMORY] = {WS_SERVER_FAULT, "out of memory"},
};

static enum step end(struct ws_codec *codec) {
  buffer_free(&codec->message);
  codec->stage = AT_END;
  return EVENT;
}

static enum step fail(struct ws_codec *codec, struct ws_event *event, enum fault fault) {
  *event = (struct ws_event){.kind = WS_GOT_FAILURE,
                             .code = faults[fault].code,
                             .bytes = faults[fault].why,
                             .size = strlen(faults[fault].why)};
  return end(codec);
}

/* --- A frame's header -------------------------------------------------------------------- */

static enum fault check_first(const struct ws_codec *codec, uint8_t first) {
  unsigned opcode = first & WS_OPCODE;
  bool begins = opcode == WS_TEXT || opcode == WS_BINARY;
  if (first & (WS_RSV2 | WS_RSV3) || (first & WS_RSV1 && !(begins && codec->options.deflate)))
    return RESERVED_BIT;
  if (ws_is_control(opcode))
    return opcode > WS_PONG ? RESERVED_OPCODE : first & WS_FIN ? NONE : FRAGMENTED_CONTROL;
  if (opcode > WS_BINARY)
    return RESERVED_OPCODE;
  if (begins == codec->open)
    return begins ? OPEN_MESSAGE : NO_MESSAGE;
  return codec->fragments < codec->options.max_fragments ? NONE : TOO_MANY_FRAGMENTS;
}

static enum fault check_second(const struct ws_codec *codec, uint8_t first, uint8_t second) {
  bool masked = second & WS_MASK;
  unsigned length = second & WS_LENGTH;
  if (masked != (codec->options.role == WS_SERVER))
    return masked ? MASKED : UNMASKED;
  if (ws_is_control(first) && length > WS_CONTROL_MAX)
    return LONG_CONTROL;
  return (first & WS_OPCODE) == WS_CLOSE && length == 1 ? CLOSE_OF_ONE : NONE;
}

/* A length of 8 bytes is wrong when 2 would do, which the first 6 of them tell. */
static enum fault check_length(const uint8_t *header, size_t size) {
  static const uint8_t zeros[6];
  unsigned length = header[1] & WS_LENGTH;
  if (length == WS_LENGTH_16 && size >= 4)
    return ws_header_length(header) < WS_LENGTH_16 ? LENGTH_SPREAD : NONE;
  if (length == WS_LENGTH_64 && size >= 3 && header[2] & 0x80)
    return LENGTH_SIGN;
  if (length == WS_LENGTH_64 && size >= 8 && memcmp(header + 2, zeros, sizeof zeros) == 0)
    return LENGTH_SPREAD;
  return NONE;
}

/* Data that deflate cannot shrink grows a little, at most by a 16th: the limit, which
 * counts what was sent, must not refuse it for that. */
static uint64_t wire_limit(const struct ws_codec *codec, uint8_t first) {
  uint64_t limit = codec->options.max_message;
  bool compressed = codec->open ? codec->compressed : first & WS_RSV1;
  uint64_t extra = compressed ? limit / 16 + 64 : 0;
  return limit > UINT64_MAX - extra ? UINT64_MAX : limit + extra;
}

static enum fault check_size(const struct ws_codec *codec, const uint8_t *header) {
  uint64_t room = wire_limit(codec, header[0]) - codec->claimed;
  return ws_header_length(header) > room ? MESSAGE_TOO_BIG : NONE;
}

/* Looks at what there is of a header. The checks stand in the order of the bytes that
 * decide them, so that it does not matter in what pieces the bytes came. */
static enum fault check_header(const struct ws_codec *codec, const uint8_t *header, size_t size) {
  enum fault fault = NONE;
  if (size >= 1)
    fault = check_first(codec, header[0]);
  if (fault || size < 2)
    return fault;
  fault = check_second(codec, header[0], header[1]);
  if (fault || ws_is_control(header[0]))
    return fault;
  fault = check_length(header, size);
  if (fault || size < ws_length_end(header[1]))
    return fault;
  return check_size(codec, header);
}

static void open_message(struct ws_codec *codec) {
  codec->open = true;
  codec->text = (codec->first & WS_OPCODE) == WS_TEXT;
  codec->compressed = codec->first & WS_RSV1;
  codec->streamed = codec->options.streaming;
  codec->begun = false;
  codec->utf8 = (struct ws_utf8){0};
}

static void begin_frame(struct ws_codec *codec, const uint8_t *header) {
  codec->first = header[0];
  codec->done = 0;
  codec->left = ws_header_length(header);
  codec->stage = AT_PAYLOAD;
  codec->header_size = 0;
  codec->control_size = 0;
  if (header[1] & WS_MASK)
    memcpy(codec->key, header + ws_length_end(header[1]), WS_KEY_SIZE);
  if (ws_is_control(header[0]))
    return;
  if (!codec->open)
    open_message(codec);
  codec->fragments++;
  codec->claimed += codec->left;
}

static void advance(struct ws_input *input, size_t size) {
  input->bytes += size;
  input->size -= size;
}

/* Keeps the start of a header whose rest is still to come. No input is left then: what
 * was kept before and all the input do not make WS_HEADER_MAX bytes. */
static enum step keep_header(struct ws_codec *codec, struct ws_input *input, size_t size) {
  if (codec->header_size == 0)
    memcpy(codec->header, input->bytes, size);
  codec->header_size = (uint8_t)size;
  advance(input, input->size);
  return NEED_INPUT;
}

static enum step read_header(struct ws_codec *codec, struct ws_input *input,
                             struct ws_event *event) {
  if (input->size == 0)
    return NEED_INPUT;
  const uint8_t *header = (const uint8_t *)input->bytes;
  size_t kept = codec->header_size, size = input->size;
  if (kept > 0) {
    size = size < WS_HEADER_MAX - kept ? size : WS_HEADER_MAX - kept;
    memcpy(codec->header + kept, input->bytes, size);
    header = codec->header;
    size += kept;
  }
  enum fault fault = check_header(codec, header, size);
  if (fault)
    return fail(codec, event, fault);
  if (size < 2 || size < ws_header_size(header[1]))
    return keep_header(codec, input, size);
  begin_frame(codec, header);
  advance(input, ws_header_size(header[1]) - kept);
  return GO_ON;
}

/* --- The payload of a control frame --------------------------------------------------------- */

/* Looks at what there is of a Close's payload. */
static enum fault check_close(const struct ws_codec *codec) {
  struct ws_utf8 utf8 = {0};
  if (codec->control_size < WS_CODE_SIZE)
    return NONE;
  if (!ws_close_valid(ws_close_code(codec->control)))
    return CLOSE_CODE;
  if (!ws_utf8_feed(&utf8, codec->control + WS_CODE_SIZE, codec->control_size - WS_CODE_SIZE))
    return REASON_NOT_TEXT;
  return codec->left == 0 && !ws_utf8_complete(&utf8) ? REASON_NOT_TEXT : NONE;
}

static enum step end_close(struct ws_codec *codec, struct ws_event *event) {
  *event = (struct ws_event){.kind = WS_GOT_CLOSE, .code = WS_NO_CODE, .bytes = codec->control};
  if (codec->control_size >= WS_CODE_SIZE) {
    event->code = (uint16_t)ws_close_code(codec->control);
    event->bytes = codec->control + WS_CODE_SIZE;
    event->size = codec->control_size - WS_CODE_SIZE;
  }
  return end(codec);
}

static enum step read_control(struct ws_codec *codec, const char *bytes, size_t size,
                              struct ws_event *event) {
  unsigned opcode = codec->first & WS_OPCODE;
  if (size > 0)
    memcpy(codec->control + codec->control_size, bytes, size);
  codec->control_size = (uint8_t)(codec->control_size + size);
  enum fault fault = opcode == WS_CLOSE ? check_close(codec) : NONE;
  if (fault)
    return fail(codec, event, fault);
  if (codec->left > 0)
    return NEED_INPUT;
  if (opcode == WS_CLOSE)
    return end_close(codec, event);
  codec->stage = AT_HEADER;
  *event = (struct ws_event){.kind = opcode == WS_PING ? WS_GOT_PING : WS_GOT_PONG,
                             .bytes = codec->control,
                             .size = codec->control_size};
  return EVENT;
}

/* --- The payload of a message --------------------------------------------------------------- */

static void end_frame(struct ws_codec *codec) {
  codec->stage = AT_HEADER;
  if (codec->first & WS_FIN) {
    codec->open = false;
    codec->fragments = 0;
    codec->claimed = 0;
  }
}

static enum step hand_out(struct ws_codec *codec, const char *bytes, size_t size, bool last,
                          struct ws_event *event) {
  *event = (struct ws_event){.kind = WS_GOT_MESSAGE,
                             .text = codec->text,
                             .compressed = codec->compressed,
                             .first = !codec->begun,
                             .last = last,
                             .bytes = bytes,
                             .size = size};
  codec->begun = true;
  return EVENT;
}

/* Keeps what came until the message is whole. */
static enum step gather(struct ws_codec *codec, const char *bytes, size_t size, bool last,
                        struct ws_event *event) {
  if (last && buffer_size(&codec->message) == 0)
    return hand_out(codec, bytes, size, true, event);
  if (!buffer_append(&codec->message, bytes, size))
    return fail(codec, event, NO_MEMORY);
  if (!last)
    return GO_ON;
  codec->handed_out = true;
  return hand_out(codec, buffer_front(&codec->message), buffer_size(&codec->message), true, event);
}

static enum step read_data(struct ws_codec *codec, const char *bytes, size_t size,
                           struct ws_event *event) {
  bool last = codec->left == 0 && codec->first & WS_FIN;
  if (codec->text && !codec->compressed &&
      (!ws_utf8_feed(&codec->utf8, bytes, size) || (last && !ws_utf8_complete(&codec->utf8))))
    return fail(codec, event, NOT_TEXT);
  if (codec->left == 0)
    end_frame(codec);
  if (!codec->streamed)
    return gather(codec, bytes, size, last, event);
  return size > 0 || last ? hand_out(codec, bytes, size, last, event) : GO_ON;
}

static enum step read_payload(struct ws_codec *codec, struct ws_input *input,
                              struct ws_event *event) {
  char *bytes = input->bytes;
  size_t size = input->size < codec->left ? input->size : (size_t)codec->left;
  if (size == 0 && codec->left > 0)
    return NEED_INPUT;
  if (codec->options.role == WS_SERVER)
    ws_mask(bytes, bytes, size, codec->key, (size_t)codec->done);
  if (size > 0)
    advance(input, size);
  codec->done += size;
  codec->left -= size;
  return ws_is_control(codec->first) ? read_control(codec, bytes, size, event)
                                     : read_data(codec, bytes, size, event);
}

/* What was gathered of a message before it was to be streamed. */
static enum step hand_out_gathered(struct ws_codec *codec, struct ws_event *event) {
  size_t size = buffer_size(&codec->message);
  if (size == 0 || !codec->streamed || codec->stage == AT_END)
    return GO_ON;
  codec->handed_out = true;
  return hand_out(codec, buffer_front(&codec->message), size, false, event);
}

bool ws_codec_next(struct ws_codec *codec, struct ws_input *input, struct ws_event *event) {
  if (codec->handed_out) {
    buffer_take(&codec->message, buffer_size(&codec->message));
    codec->handed_out = false;
  }
  enum step step = hand_out_gathered(codec, event);
  while (step == GO_ON && codec->stage != AT_END)
    step = codec->stage == AT_HEADER ? read_header(codec, input, event)
                                     : read_payload(codec, input, event);
  if (codec->stage == AT_END && step != EVENT)
    input->size = 0;
  return step == EVENT;
}
