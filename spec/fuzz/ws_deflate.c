/* Hostile input for permessage-deflate, and for its header, for libFuzzer; `./run fuzz` builds
 * and runs it.
 *
 * The first byte chooses the window, the second takeover and limit, the third how long the
 * messages and the reads are that the rest is cut into. What must hold: no byte is read beyond
 * a read, nothing is inflated beyond the limit, nothing works after a failure, the reads do
 * not matter, and what is deflated comes back. The rest is a header too: what one side
 * chooses, the other accepts. */
#include "modules/strobe/ws/deflate.h"
#include "modules/strobe/ws/extension.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD = 3, SMALL_LIMIT = 1000, LARGE_LIMIT = 1 << 20 };

/* Bits of the second byte. */
enum { TAKEOVER = 1, SMALL = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good) {
  if (!good)
    abort();
}

static bool same(const struct buffer *a, const struct buffer *b) {
  size_t size = buffer_size(a);
  return size == buffer_size(b) && (size == 0 || !memcmp(buffer_front(a), buffer_front(b), size));
}

/* --- Foreign messages ------------------------------------------------------------------------- */

/* Inflates one message in reads of `step` bytes, which are copies of their exact size. */
static enum ws_deflate_result inflate_by(struct ws_inflater *inflater, const uint8_t *data,
                                         size_t size, size_t step, struct buffer *out) {
  enum ws_deflate_result result;
  size_t at = 0;
  do {
    size_t piece = step < size - at ? step : size - at;
    char *copy = malloc(piece ? piece : 1);
    must(copy);
    memcpy(copy, data + at, piece);
    at += piece;
    result = ws_inflate(inflater, copy, piece, at == size, out);
    free(copy);
  } while (result == WS_DEFLATE_GOOD && at < size);
  must(buffer_size(out) <= inflater->limit);
  return result;
}

static void inflate_twice(struct ws_inflater inflaters[2], const uint8_t *data, size_t size,
                          size_t step) {
  struct buffer out[2];
  buffer_init(&out[0]);
  buffer_init(&out[1]);
  bool failed = inflaters[0].failed;
  enum ws_deflate_result whole = inflate_by(&inflaters[0], data, size, size + 1, &out[0]);
  enum ws_deflate_result split = inflate_by(&inflaters[1], data, size, step, &out[1]);
  must(whole == split && (!failed || whole == WS_DEFLATE_BROKEN));
  must(whole != WS_DEFLATE_GOOD || same(&out[0], &out[1]));
  buffer_free(&out[0]);
  buffer_free(&out[1]);
}

static void inflate_all(const uint8_t *data, size_t size, const uint8_t *head) {
  struct ws_inflater inflaters[2];
  size_t message = (size_t)(head[2] >> 4) * 20 + 10, step = head[2] % 16 + 1u;
  for (int i = 0; i < 2; i++)
    ws_inflater_init(&inflaters[i], WS_WINDOW_MIN + head[0] % 8, head[1] & TAKEOVER,
                     head[1] & SMALL ? SMALL_LIMIT : LARGE_LIMIT);
  for (size_t at = 0; at < size; at += message)
    inflate_twice(inflaters, data + at, message < size - at ? message : size - at, step);
  ws_inflater_free(&inflaters[0]);
  ws_inflater_free(&inflaters[1]);
}

/* --- Our own messages ------------------------------------------------------------------------- */

static void there_and_back(struct ws_deflater *deflater, struct ws_inflater *inflater,
                           const uint8_t *data, size_t size, size_t step) {
  struct buffer payload, out;
  buffer_init(&payload);
  buffer_init(&out);
  const char *bytes = (const char *)data;
  size_t half = size / 2 / step * step;
  must(ws_deflate(deflater, bytes, half, false, &payload) == WS_DEFLATE_GOOD);
  must(ws_deflate(deflater, bytes + half, size - half, true, &payload) == WS_DEFLATE_GOOD);
  must(inflate_by(inflater, (const uint8_t *)buffer_front(&payload), buffer_size(&payload), step,
                  &out) == WS_DEFLATE_GOOD);
  must(buffer_size(&out) == size && (size == 0 || !memcmp(buffer_front(&out), bytes, size)));
  buffer_free(&payload);
  buffer_free(&out);
}

static void deflate_all(const uint8_t *data, size_t size, const uint8_t *head) {
  struct ws_deflater deflater;
  struct ws_inflater inflater;
  unsigned bits = WS_WINDOW_DEFLATE_MIN + head[0] % 7;
  struct ws_deflater_options options = {.window_bits = (uint8_t)bits,
                                        .mem_level = (uint8_t)(head[0] / 8 % 9 + 1),
                                        .level = (uint8_t)(head[1] / 4 % 9 + 1),
                                        .takeover = head[1] & TAKEOVER};
  ws_deflater_init(&deflater, &options);
  ws_inflater_init(&inflater, bits, options.takeover, LARGE_LIMIT);
  for (int i = 0; i < 3; i++)
    there_and_back(&deflater, &inflater, data, size, head[2] % 16 + 1u);
  ws_deflater_free(&deflater);
  ws_inflater_free(&inflater);
}

/* --- The header ------------------------------------------------------------------------------- */

static void negotiate(const uint8_t *data, size_t size, const uint8_t *head) {
  struct ws_deflate_params ours = {.server_max_window_bits = (uint8_t)(9 + head[0] % 7),
                                   .client_max_window_bits = (uint8_t)(9 + head[1] % 7)};
  struct ws_deflate_params chosen, seen;
  struct buffer answer;
  char *header = malloc(size ? size : 1);
  must(header);
  memcpy(header, data, size);
  buffer_init(&answer);
  if (ws_extension_choose(header, size, &ours, &chosen) == WS_EXTENSION_AGREED) {
    struct ws_deflate_params offer = {.client_max_window_bits = WS_BITS_ANY};
    must(ws_extension_append(&answer, &chosen));
    must(ws_extension_check(buffer_front(&answer), buffer_size(&answer), &offer, &seen) ==
         WS_EXTENSION_AGREED);
    must(memcmp(&chosen, &seen, sizeof seen) == 0);
    must(ws_window_bits(chosen.server_max_window_bits) >= WS_WINDOW_DEFLATE_MIN);
  }
  ws_extension_check(header, size, &ours, &seen);
  buffer_free(&answer);
  free(header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < HEAD)
    return 0;
  inflate_all(data + HEAD, size - HEAD, data);
  deflate_all(data + HEAD, size - HEAD, data);
  negotiate(data + HEAD, size - HEAD, data);
  return 0;
}
