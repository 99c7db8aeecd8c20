/* permessage-deflate: the RFC's vectors, and every way in which a peer may spoil it.
 *
 * Each payload is inflated whole, split at every point, and byte by byte. */
#include "modules/strobe/ws/deflate.h"
#include "spec/support/check.h"
#include "spec/support/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NO_LIMIT = 1 << 30, MEBIBYTE = 1 << 20 };

static bool holds(const struct buffer *buffer, const char *bytes, size_t size) {
  return buffer_size(buffer) == size && (size == 0 || !memcmp(buffer_front(buffer), bytes, size));
}

/* --- Payloads in hex ------------------------------------------------------------------------ */

static struct buffer from_hex(const char *hex) {
  struct buffer bytes;
  unsigned byte;
  int used;
  buffer_init(&bytes);
  for (; sscanf(hex, "%2x%n", &byte, &used) == 1; hex += used)
    CHECK(buffer_append(&bytes, &(char){(char)byte}, 1));
  return bytes;
}

static bool is_hex(const struct buffer *bytes, const char *hex) {
  struct buffer expected = from_hex(hex);
  bool same = holds(bytes, buffer_front(&expected), buffer_size(&expected));
  buffer_free(&expected);
  return same;
}

/* --- The notation: a chain of messages to one inflater ---------------------------------------- */

/* The first `cut` bytes are one piece, the others are pieces of `step` bytes. */
static enum ws_deflate_result feed(struct ws_inflater *inflater, const struct buffer *payload,
                                   size_t cut, size_t step, struct buffer *out) {
  size_t size = buffer_size(payload), at = 0, next = cut;
  enum ws_deflate_result result;
  do {
    size_t piece = next < size - at ? next : size - at;
    /* Of its exact size, so that a sanitizer sees who reads too far. */
    char *copy = malloc(piece ? piece : 1);
    CHECK(copy);
    if (piece > 0)
      memcpy(copy, buffer_front(payload) + at, piece);
    at += piece;
    next = step;
    result = ws_inflate(inflater, copy, piece, at == size, out);
    free(copy);
  } while (result == WS_DEFLATE_GOOD && at < size);
  return result;
}

struct chain {
  const char *payloads; /* hex, a semicolon between two messages */
  const char *texts;    /* what they say; or !, when the last one is broken */
  bool takeover;
};

static void inflate_chain(const struct chain *chain, size_t cut, size_t step) {
  struct ws_inflater inflater;
  struct buffer out;
  char said[256] = "";
  buffer_init(&out);
  ws_inflater_init(&inflater, WS_WINDOW_MAX, chain->takeover, NO_LIMIT);
  for (const char *at = chain->payloads; at; at = strchr(at, ';') ? strchr(at, ';') + 1 : NULL) {
    struct buffer payload = from_hex(at);
    enum ws_deflate_result result = feed(&inflater, &payload, cut, step, &out);
    buffer_free(&payload);
    if (result != WS_DEFLATE_GOOD)
      strcat(said, "!");
    else if (buffer_size(&out) > 0)
      strncat(said, buffer_front(&out), buffer_size(&out));
    if (strchr(at, ';'))
      strcat(said, ";");
    buffer_take(&out, buffer_size(&out));
  }
  if (strcmp(said, chain->texts) != 0)
    printf("%s (cut at %zu, by %zu): %s\n", chain->payloads, cut, step, said);
  CHECK(strcmp(said, chain->texts) == 0);
  ws_inflater_free(&inflater);
  buffer_free(&out);
}

static const struct chain chains[] = {
    /* The vectors of RFC 7692, section 7.2.3. */
    {"f248cdc9c90700", "Hello", true},
    {"f248cdc9c90700;f200110000", "Hello;Hello", true},
    {"f248cdc9c90700;f248cdc9c90700", "Hello;Hello", false},
    {"000500faff48656c6c6f00", "Hello", true},
    {"f348cdc9c9070000", "Hello", true},
    {"f24805000000ffffcac9c90700", "Hello", true},
    /* An empty message, before and after others. */
    {"00;f248cdc9c90700;00;f200110000", ";Hello;;Hello", true},
    /* After a block that says it is the last one, the window is still there. */
    {"f348cdc9c9070000;f200110000", "Hello;Hello", true},
    {"f348cdc9c90700f348cdc9c9070000", "HelloHello", true},
    {"0300030003000300f248cdc9c90700", "Hello", true},
    /* A reference to a message before needs takeover. */
    {"f248cdc9c90700;f200110000", "Hello;!", false},
    {"f348cdc9c9070000;f200110000", "Hello;!", false},
    {"f200110000", "!", true},
    /* Cut short: inside a block, before the flush, inside the tail that nobody drops. */
    {"f248cdc9c907", "!", true},
    {"f248cdc9c9", "!", true},
    {"f248", "!", true},
    {"f348cdc9c90700", "!", true},
    {"f248cdc9c9070000", "!", true},
    {"f248cdc9c907000000", "!", true},
    {"000500faff48656c6c6f", "!", true},
    {"000500faff4865", "!", true},
    {"000500", "!", true},
    /* A message of no bytes would spoil the next one. */
    {"", "!", true},
    {"f248cdc9c90700;;f200110000", "Hello;!;!", true},
    /* No deflate: a reserved kind of block, a length unlike its complement. */
    {"07", "!", true},
    {"0005000000", "!", true},
    {"ffffffff", "!", true},
    /* Nothing works after a failure. */
    {"07;f248cdc9c90700", "!;!", true},
    /* The tail that should have been dropped is an empty block. */
    {"f248cdc9c907000000ffff00", "Hello", true},
};

static void test_chains(void) {
  for (size_t i = 0; i < sizeof chains / sizeof *chains; i++) {
    size_t size = strlen(chains[i].payloads);
    for (size_t cut = 0; cut <= size / 2; cut++)
      inflate_chain(&chains[i], cut, size + 1);
    inflate_chain(&chains[i], 1, 1);
    inflate_chain(&chains[i], size, size);
  }
}

/* --- Deflating ------------------------------------------------------------------------------ */

static struct ws_deflater deflater_of(unsigned bits, unsigned mem_level, bool takeover) {
  struct ws_deflater deflater;
  ws_deflater_init(&deflater, &(struct ws_deflater_options){.window_bits = (uint8_t)bits,
                                                            .mem_level = (uint8_t)mem_level,
                                                            .level = 6,
                                                            .takeover = takeover});
  return deflater;
}

static bool deflates_to(struct ws_deflater *deflater, const char *text, const char *hex) {
  struct buffer out;
  buffer_init(&out);
  CHECK(ws_deflate(deflater, text, strlen(text), true, &out) == WS_DEFLATE_GOOD);
  bool same = is_hex(&out, hex);
  buffer_free(&out);
  return same;
}

static void test_vectors(void) {
  struct ws_deflater deflater = deflater_of(15, 8, true);
  CHECK(!deflater.stream);
  CHECK(deflates_to(&deflater, "Hello", "f248cdc9c90700"));
  CHECK(deflates_to(&deflater, "Hello", "f200110000"));
  CHECK(deflates_to(&deflater, "", "00"));
  CHECK(deflates_to(&deflater, "", "00"));
  CHECK(deflates_to(&deflater, "Hello", "02130000"));
  ws_deflater_free(&deflater);
  CHECK(!deflater.stream);
  deflater = deflater_of(15, 8, false);
  CHECK(deflates_to(&deflater, "", "00"));
  CHECK(deflates_to(&deflater, "Hello", "f248cdc9c90700"));
  CHECK(deflates_to(&deflater, "", "00"));
  CHECK(deflates_to(&deflater, "Hello", "f248cdc9c90700"));
  ws_deflater_free(&deflater);
  ws_deflater_free(&deflater);
}

/* zlib refuses a window of 8 bits; that must not look like a message. */
static void test_window_8(void) {
  struct ws_deflater deflater = deflater_of(8, 8, true);
  struct buffer out;
  buffer_init(&out);
  CHECK(ws_deflate(&deflater, "Hello", 5, true, &out) == WS_DEFLATE_NO_MEMORY);
  CHECK(ws_deflate(&deflater, "Hello", 5, true, &out) == WS_DEFLATE_NO_MEMORY);
  CHECK(buffer_size(&out) == 0);
  ws_deflater_free(&deflater);
  struct chain hello = {"f248cdc9c90700", "Hello", true};
  inflate_chain(&hello, 1, 1);
}

/* --- There and back ----------------------------------------------------------------------------
 */

/* Bytes like those of messages: half words that repeat, half noise. */
static char *message_of(size_t size) {
  static const char words[] = "{\"price\": 27.5, \"amount\": 100}";
  char *bytes = malloc(size + 1);
  CHECK(bytes);
  bool noise = random_below(2);
  for (size_t i = 0; i < size; i++)
    bytes[i] = noise ? (char)random_below(256) : words[(i + random_below(50) / 49) % 30];
  return bytes;
}

/* Sends in up to three pieces. */
static void deflate_pieces(struct ws_deflater *deflater, const char *bytes, size_t size,
                           struct buffer *out) {
  for (int i = 0; i < 2 && random_below(2); i++) {
    size_t piece = random_below((uint32_t)size + 1);
    CHECK(ws_deflate(deflater, bytes, piece, false, out) == WS_DEFLATE_GOOD);
    bytes += piece;
    size -= piece;
  }
  CHECK(ws_deflate(deflater, bytes, size, true, out) == WS_DEFLATE_GOOD);
}

static void there_and_back(struct ws_deflater *deflater, struct ws_inflater *inflater,
                           size_t size) {
  struct buffer payload, out;
  buffer_init(&payload);
  buffer_init(&out);
  char *bytes = message_of(size);
  deflate_pieces(deflater, bytes, size, &payload);
  size_t step = 1 + random_below(3000);
  CHECK(feed(inflater, &payload, step, step, &out) == WS_DEFLATE_GOOD);
  CHECK(holds(&out, bytes, size));
  free(bytes);
  buffer_free(&payload);
  buffer_free(&out);
}

static void test_round_trips(void) {
  static const size_t sizes[] = {0, 1, 5, 125, 1000, 16378, 16379, 16380, 16384, 32768, 70000};
  for (unsigned bits = WS_WINDOW_DEFLATE_MIN; bits <= WS_WINDOW_MAX; bits++)
    for (int takeover = 0; takeover < 2; takeover++) {
      struct ws_deflater deflater = deflater_of(bits, 1 + random_below(9), takeover);
      struct ws_inflater inflater;
      ws_inflater_init(&inflater, bits, takeover, NO_LIMIT);
      for (int i = 0; i < 60; i++)
        there_and_back(&deflater, &inflater, sizes[random_below(11)]);
      ws_deflater_free(&deflater);
      ws_inflater_free(&inflater);
    }
}

/* One deflater for all, as long as it takes nothing over. */
static void test_shared(void) {
  struct ws_deflater deflater = deflater_of(12, 5, false);
  struct ws_inflater inflaters[3];
  for (int i = 0; i < 3; i++)
    ws_inflater_init(&inflaters[i], 12, false, NO_LIMIT);
  for (int i = 0; i < 30; i++)
    there_and_back(&deflater, &inflaters[random_below(3)], 500);
  for (int i = 0; i < 3; i++)
    ws_inflater_free(&inflaters[i]);
  ws_deflater_free(&deflater);
}

/* --- The limit ------------------------------------------------------------------------------- */

static struct buffer bomb_of(size_t size) {
  struct ws_deflater deflater = deflater_of(15, 9, true);
  struct buffer payload;
  buffer_init(&payload);
  char *zeros = calloc(1, size);
  CHECK(zeros);
  CHECK(ws_deflate(&deflater, zeros, size, true, &payload) == WS_DEFLATE_GOOD);
  free(zeros);
  ws_deflater_free(&deflater);
  return payload;
}

static void inflate_bomb(size_t limit, size_t step, enum ws_deflate_result expected) {
  struct buffer payload = bomb_of(MEBIBYTE), out;
  struct ws_inflater inflater;
  buffer_init(&out);
  ws_inflater_init(&inflater, WS_WINDOW_MAX, true, limit);
  CHECK(feed(&inflater, &payload, step, step, &out) == expected);
  CHECK(buffer_size(&out) <= limit && out.capacity <= 2 * limit + 512);
  /* What was refused is refused for ever, and holds no memory. */
  CHECK(expected == WS_DEFLATE_GOOD || !inflater.stream);
  CHECK(feed(&inflater, &payload, step, step, &out) ==
        (expected == WS_DEFLATE_GOOD ? WS_DEFLATE_GOOD : WS_DEFLATE_BROKEN));
  ws_inflater_free(&inflater);
  buffer_free(&out);
  buffer_free(&payload);
}

static void test_limit(void) {
  static const size_t steps[] = {1, 7, MEBIBYTE};
  for (int i = 0; i < 3; i++) {
    inflate_bomb(MEBIBYTE, steps[i], WS_DEFLATE_GOOD);
    inflate_bomb(MEBIBYTE - 1, steps[i], WS_DEFLATE_TOO_BIG);
    inflate_bomb(16 * 1024, steps[i], WS_DEFLATE_TOO_BIG);
    inflate_bomb(16 * 1024 - 1, steps[i], WS_DEFLATE_TOO_BIG);
    inflate_bomb(1, steps[i], WS_DEFLATE_TOO_BIG);
    inflate_bomb(0, steps[i], WS_DEFLATE_TOO_BIG);
  }
}

/* A million blocks that say they are the last one cost no more than others. */
static void test_last_blocks(void) {
  struct ws_inflater inflater;
  struct buffer out;
  buffer_init(&out);
  ws_inflater_init(&inflater, WS_WINDOW_MAX, true, NO_LIMIT);
  char *blocks = malloc(2 * MEBIBYTE);
  CHECK(blocks);
  for (size_t i = 0; i < MEBIBYTE; i++)
    memcpy(blocks + 2 * i, "\3\0", 2);
  CHECK(ws_inflate(&inflater, blocks, 2 * MEBIBYTE, false, &out) == WS_DEFLATE_GOOD);
  CHECK(ws_inflate(&inflater, "\0", 1, true, &out) == WS_DEFLATE_GOOD);
  CHECK(buffer_size(&out) == 0);
  free(blocks);
  ws_inflater_free(&inflater);
}

int main(void) {
  test_chains();
  test_vectors();
  test_window_8();
  test_round_trips();
  test_shared();
  test_limit();
  test_last_blocks();
  printf("good: %d checks\n", checked);
  return 0;
}
