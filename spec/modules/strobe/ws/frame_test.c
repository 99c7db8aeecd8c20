/* What WebSocket frames are made of, against simple models: UTF-8, masks, close codes, the
 * vectors of the RFC, and random frames from one end to the other, the same in every run.
 * `--speed` prints how fast frames are made. */
#include "modules/strobe/ws/close.h"
#include "modules/strobe/ws/codec.h"
#include "spec/support/check.h"
#include "spec/support/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const uint8_t test_key[WS_KEY_SIZE] = {0x37, 0xfa, 0x21, 0x3d};
/* --- UTF-8: the model is arithmetic ------------------------------------------------------- */

/* Whether some character begins with these bytes, and has `*length` of them. */
static bool begins_character(const unsigned char *bytes, int size, int *length) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  *length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;
  if (bytes[0] >= 0xf8 || (bytes[0] & 0xc0) == 0x80)
    return false;
  uint32_t low = *length == 1 ? bytes[0] : bytes[0] & (0x7fu >> *length), high = low;
  for (int i = 1; i < *length; i++) {
    if (i < size && (bytes[i] & 0xc0) != 0x80)
      return false;
    low = low << 6 | (i < size ? bytes[i] & 0x3f : 0);
    high = high << 6 | (i < size ? bytes[i] & 0x3f : 0x3f);
  }
  bool surrogates = low >= 0xd800 && high <= 0xdfff;
  return high >= least[*length] && low <= 0x10ffff && !surrogates;
}

static bool begins_text(const unsigned char *bytes, int size, bool *complete) {
  int length = 0;
  for (int at = 0; at < size; at += length) {
    if (!begins_character(bytes + at, size - at, &length))
      return false;
    *complete = at + length <= size;
  }
  return true;
}

static void test_characters(void) {
  static const unsigned char borders[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                          0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
                                          0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff};
  enum { COUNT = sizeof borders };
  for (int n = 0; n < COUNT * COUNT * COUNT * COUNT; n++) {
    unsigned char bytes[4];
    for (int i = 0, rest = n; i < 4; i++, rest /= COUNT)
      bytes[i] = borders[rest % COUNT];
    struct ws_utf8 utf8 = {0};
    bool good = true, expected = true, complete = true;
    for (int i = 0; i < 4 && expected; i++) {
      expected = begins_text(bytes, i + 1, &complete);
      good = ws_utf8_feed(&utf8, (const char *)bytes + i, 1);
      CHECK(good == expected && (!good || ws_utf8_complete(&utf8) == complete));
    }
    CHECK(ws_utf8_valid((const char *)bytes, 4) == (good && complete));
  }
}

/* One other character anywhere among ASCII, cut anywhere. */
static void test_skipping(void) {
  enum { SIZE = 100 };
  for (size_t at = 0; at < SIZE - 1; at++) {
    char text[SIZE];
    memset(text, 'a', SIZE);
    text[at] = (char)0xff;
    CHECK(!ws_utf8_valid(text, SIZE) && ws_utf8_valid(text, at));
    memcpy(text + at, "\xc3\xa9", 2);
    for (size_t cut = 0; cut <= SIZE; cut++) {
      struct ws_utf8 utf8 = {0};
      CHECK(ws_utf8_feed(&utf8, text, cut) && ws_utf8_complete(&utf8) == (cut != at + 1));
      CHECK(ws_utf8_feed(&utf8, text + cut, SIZE - cut) && ws_utf8_complete(&utf8));
      CHECK(ws_utf8_cut(text, SIZE, cut) == (cut == at + 1 ? at : cut));
    }
  }
}

/* --- Bytes out -------------------------------------------------------------------------------- */

static void expect_bytes(struct buffer *out, const char *hex) {
  struct buffer expected;
  buffer_init(&expected);
  for (unsigned byte; sscanf(hex, "%2x", &byte) == 1; hex += 2)
    CHECK(buffer_append(&expected, &(char){(char)byte}, 1));
  CHECK(buffer_size(out) >= expected.end);
  CHECK(memcmp(buffer_front(out), expected.bytes, expected.end) == 0);
  buffer_take(out, buffer_size(out));
  buffer_free(&expected);
}

static void test_vectors(void) {
  static char zeros[65536];
  struct buffer out;
  buffer_init(&out);
  CHECK(ws_frame_append(&out, WS_FIN | WS_TEXT, NULL, "Hello", 5));
  expect_bytes(&out, "810548656c6c6f");
  CHECK(ws_frame_append(&out, WS_FIN | WS_TEXT, test_key, "Hello", 5));
  expect_bytes(&out, "818537fa213d7f9f4d5158");
  CHECK(ws_frame_append(&out, WS_TEXT, NULL, "Hel", 3));
  CHECK(ws_frame_append(&out, WS_FIN | WS_CONTINUATION, NULL, "lo", 2));
  expect_bytes(&out, "010348656c80026c6f");
  CHECK(ws_frame_append(&out, WS_FIN | WS_BINARY, NULL, zeros, 256));
  expect_bytes(&out, "827e010000");
  CHECK(ws_frame_append(&out, WS_FIN | WS_BINARY, test_key, zeros, 65536));
  expect_bytes(&out, "82ff000000000001000037fa213d37fa213d37");
  CHECK(ws_close_append(&out, NULL, WS_NORMAL, NULL, 0));
  expect_bytes(&out, "880203e8");
  CHECK(ws_close_append(&out, test_key, WS_NO_CODE, NULL, 0));
  expect_bytes(&out, "888037fa213d");
  buffer_free(&out);
}

static void test_mask(void) {
  enum { SIZE = 100 };
  char bytes[SIZE], masked[SIZE];
  for (size_t i = 0; i < SIZE; i++)
    bytes[i] = (char)random_below(256);
  for (size_t done = 0; done < 8; done++)
    for (size_t size = 0; size < SIZE; size++) {
      ws_mask(masked, bytes, size, test_key, done);
      for (size_t i = 0; i < size; i++)
        CHECK(masked[i] == (char)(bytes[i] ^ test_key[(done + i) % WS_KEY_SIZE]));
      ws_mask(masked, masked, size, test_key, done);
      CHECK(memcmp(masked, bytes, size) == 0);
    }
}

/* What cannot be sent leaves nothing behind. */
static void test_no_memory(void) {
  const size_t most = SIZE_MAX / 2 + 1;
  struct buffer full = {.end = most, .capacity = most}, out;
  CHECK(!ws_frame_append(&full, WS_FIN | WS_TEXT, test_key, "a", 1));
  CHECK(!ws_close_append(&full, NULL, WS_NORMAL, "", 0) && full.end == most);
  buffer_init(&out);
  CHECK(ws_frame_append(&out, WS_FIN | WS_TEXT, NULL, "Hello", 5));
  CHECK(!ws_frame_append(&out, WS_FIN | WS_BINARY, test_key, "a", most + 1));
  CHECK(buffer_size(&out) == 7);
  expect_bytes(&out, "810548656c6c6f");
  buffer_free(&out);
}

/* --- Close ------------------------------------------------------------------------------------ */

static void test_codes(void) {
  for (unsigned code = 0; code <= UINT16_MAX; code++) {
    bool local = code == 1004 || code == 1005 || code == 1006;
    bool valid = (code >= 1000 && code <= 1014 && !local) || (code >= 3000 && code < 5000);
    struct ws_options options = {.role = WS_CLIENT, .max_fragments = 1};
    struct ws_codec codec;
    struct ws_event event;
    char bytes[] = {(char)0x88, 3, (char)(code >> 8), (char)code, '!'};
    struct ws_input input = {bytes, 4}; /* the code decides before the reason is there */
    ws_codec_init(&codec, &options);
    CHECK(ws_codec_next(&codec, &input, &event) == !valid);
    CHECK(valid || (event.kind == WS_GOT_FAILURE && event.code == WS_PROTOCOL_ERROR));
    input = (struct ws_input){bytes + 4, 1};
    CHECK(ws_codec_next(&codec, &input, &event) == valid);
    CHECK(!valid || (event.kind == WS_GOT_CLOSE && event.code == code && event.size == 1));
    ws_codec_free(&codec);
  }
}

/* Our own reasons are cut at a character's border. */
static void test_reasons(void) {
  for (size_t size = 0; size < 200; size++) {
    char reason[202];
    struct buffer out;
    memset(reason, 'a', sizeof reason);
    memcpy(reason + size, "\xc3\xa9", 2);
    buffer_init(&out);
    CHECK(ws_close_append(&out, NULL, 4000, reason, size + 2));
    size_t kept = size + 2 <= WS_REASON_MAX ? size + 2 : size < WS_REASON_MAX ? size : 123;
    CHECK(buffer_size(&out) == 4 + kept && (size_t)buffer_front(&out)[1] == 2 + kept);
    CHECK(memcmp(buffer_front(&out) + 4, reason, kept) == 0);
    CHECK(ws_utf8_valid(buffer_front(&out) + 4, kept));
    buffer_free(&out);
  }
}

/* --- From one end to the other ------------------------------------------------------------------
 */

enum { MESSAGES = 2000, PAYLOAD = 80000 };

/* What was sent, in the order in which it must arrive. */
struct sent {
  struct buffer wire, expected; /* frames; payloads, each after its kind and size */
  char message[PAYLOAD];
};

static void expect_event(struct sent *sent, char kind, const char *bytes, size_t size) {
  CHECK(buffer_append(&sent->expected, &kind, 1));
  CHECK(buffer_append(&sent->expected, (const char *)&size, sizeof size));
  CHECK(buffer_append(&sent->expected, bytes, size));
}

static void send(struct sent *sent, unsigned first, bool masked, const char *bytes, size_t size) {
  uint8_t key[WS_KEY_SIZE];
  for (int i = 0; i < WS_KEY_SIZE; i++)
    key[i] = (uint8_t)random_below(256);
  CHECK(ws_frame_append(&sent->wire, first, masked ? key : NULL, bytes, size));
}

static void send_ping(struct sent *sent, bool masked) {
  char bytes[WS_CONTROL_MAX];
  size_t size = random_below(WS_CONTROL_MAX + 1);
  for (size_t i = 0; i < size; i++)
    bytes[i] = (char)random_below(256);
  send(sent, WS_FIN | WS_PING, masked, bytes, size);
  expect_event(sent, 'p', bytes, size);
}

/* A message in random fragments, with pings between them. */
static void send_message(struct sent *sent, bool masked) {
  static const uint32_t sizes[] = {1, 20, 130, 1000, PAYLOAD};
  bool text = random_below(2);
  size_t size = random_below(sizes[random_below(5)]), at = 0;
  unsigned opcode = text ? WS_TEXT : WS_BINARY;
  for (size_t i = 0; i < size; i++)
    sent->message[i] = (char)random_below(text ? 128 : 256);
  for (; random_below(3) == 0; opcode = WS_CONTINUATION) {
    size_t part = random_below((uint32_t)(size - at) + 1);
    send(sent, opcode, masked, sent->message + at, part);
    at += part;
    if (random_below(3) == 0)
      send_ping(sent, masked);
  }
  send(sent, WS_FIN | opcode, masked, sent->message + at, size - at);
  expect_event(sent, text ? 't' : 'b', sent->message, size);
}

static void expect_next(struct sent *sent, const struct ws_event *event) {
  size_t size;
  const char *front = buffer_front(&sent->expected);
  CHECK(buffer_size(&sent->expected) > sizeof size);
  CHECK(*front == (event->kind == WS_GOT_PING ? 'p' : event->text ? 't' : 'b'));
  memcpy(&size, front + 1, sizeof size);
  CHECK(event->size == size && memcmp(front + 1 + sizeof size, event->bytes, size) == 0);
  buffer_take(&sent->expected, 1 + sizeof size + size);
}

static void receive(struct sent *sent, struct ws_codec *codec) {
  static const uint32_t reads[] = {2, 100, 5000, 65537};
  while (buffer_size(&sent->wire) > 0) {
    struct ws_event event;
    size_t size = random_below(reads[random_below(4)]), left = buffer_size(&sent->wire);
    size = size < left ? size : left;
    char *bytes = malloc(size + 1);
    CHECK(bytes != NULL);
    memcpy(bytes, buffer_front(&sent->wire), size);
    struct ws_input input = {bytes, size};
    while (ws_codec_next(codec, &input, &event))
      expect_next(sent, &event);
    buffer_take(&sent->wire, size);
    free(bytes);
  }
}

static void test_both_ends(enum ws_role role) {
  static struct sent sent;
  struct ws_options options = {.role = role, .max_fragments = 1000, .max_message = PAYLOAD};
  struct ws_codec codec;
  ws_codec_init(&codec, &options);
  buffer_init(&sent.wire);
  buffer_init(&sent.expected);
  for (int i = 0; i < MESSAGES; i++) {
    send_message(&sent, role == WS_SERVER);
    if (random_below(3) == 0)
      receive(&sent, &codec);
  }
  receive(&sent, &codec);
  CHECK(buffer_size(&sent.expected) == 0);
  ws_codec_free(&codec);
  buffer_free(&sent.wire);
  buffer_free(&sent.expected);
}

/* --- Speed --------------------------------------------------------------------------------- */

static double seconds_since(clock_t start) {
  return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static void measure(const char *what, const uint8_t *key, size_t size) {
  uint64_t frames = 0;
  struct buffer out;
  char *payload = calloc(1, size);
  CHECK(payload != NULL);
  buffer_init(&out);
  clock_t start = clock();
  while (seconds_since(start) < 1) {
    while (buffer_size(&out) < 65536) {
      CHECK(ws_frame_append(&out, WS_FIN | WS_BINARY, key, payload, size));
      frames++;
    }
    out.start = out.end = 0;
  }
  double seconds = seconds_since(start);
  printf("%-20s %8.2f M frames/s %8.0f MB/s\n", what, (double)frames / seconds / 1e6,
         (double)frames * (double)size / seconds / 1e6);
  buffer_free(&out);
  free(payload);
}

static void print_speed(void) {
  measure("send 5 B", NULL, 5);
  measure("send 5 B, masked", test_key, 5);
  measure("send 64 KiB", NULL, 65536);
  measure("send 64 KiB, masked", test_key, 65536);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "--speed") == 0) {
    print_speed();
    return 0;
  }
  test_characters();
  test_skipping();
  test_mask();
  test_vectors();
  test_no_memory();
  test_codes();
  test_reasons();
  test_both_ends(WS_SERVER);
  test_both_ends(WS_CLIENT);
  printf("good: %d checks\n", checked);
  return 0;
}
