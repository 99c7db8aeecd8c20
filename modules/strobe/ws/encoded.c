#include "modules/strobe/ws/encoded.h"

#include "modules/strobe/ws/frame.h"

static unsigned opcode_of(const struct ws_encoded *encoded) {
  return encoded->text ? WS_TEXT : WS_BINARY;
}

bool ws_encoded_init(struct ws_encoded *encoded, const char *bytes, size_t size, bool text) {
  *encoded = (struct ws_encoded){.text = text};
  buffer_init(&encoded->plain);
  for (unsigned bits = 0; bits <= WS_WINDOW_MAX; bits++)
    buffer_init(&encoded->deflated[bits]);
  if (!ws_frame_append(&encoded->plain, WS_FIN | opcode_of(encoded), NULL, bytes, size))
    return false;
  encoded->payload = buffer_size(&encoded->plain) - size;
  return true;
}

void ws_encoded_free(struct ws_encoded *encoded) {
  buffer_free(&encoded->plain);
  for (unsigned bits = 0; bits <= WS_WINDOW_MAX; bits++)
    buffer_free(&encoded->deflated[bits]);
}

static bool append_deflated(const struct ws_encoded *encoded,
                            const struct ws_deflater_options *options, struct buffer *frame) {
  struct ws_deflater deflater;
  struct buffer payload;
  buffer_init(&payload);
  ws_deflater_init(&deflater, options);
  bool good = ws_deflate(&deflater, buffer_front(&encoded->plain) + encoded->payload,
                         ws_encoded_size(encoded), true, &payload) == WS_DEFLATE_GOOD &&
              ws_frame_append(frame, WS_FIN | WS_RSV1 | opcode_of(encoded), NULL,
                              buffer_front(&payload), buffer_size(&payload));
  ws_deflater_free(&deflater);
  buffer_free(&payload);
  return good;
}

const struct buffer *ws_encoded_deflate(struct ws_encoded *encoded,
                                        const struct ws_deflater_options *options) {
  struct buffer *frame = &encoded->deflated[options->window_bits];
  if (buffer_size(frame) > 0 || append_deflated(encoded, options, frame))
    return frame;
  return NULL;
}
