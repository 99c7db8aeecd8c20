/* The WebSocket codec, case by case, from the RFC. `--speed` prints how fast it
 * receives.
 *
 * A case is written in tokens, one frame each, the same for both roles:
 *
 *   81:Hello    first byte, text         81    only the first byte
 *   82=00ff     bytes in hex             82~7e only the first two; the mask bit is added
 *   88=03e8:bye both in this order       82*300      300 times x
 *   82~7e0005:Hello  a length of our choice
 *   !81:Hello   wrongly masked, or not
 *
 * What comes out is written likewise: `text:Hello`, `close/1000:bye`, `fail/1002`; z stands
 * before what is compressed. Every case is fed whole, split at each point, byte by byte. */
#include "modules/strobe/ws/codec.h"
#include "spec/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROOM = 1 << 20, MANY = 100 };

static const uint8_t test_key[WS_KEY_SIZE] = {0x37, 0xfa, 0x21, 0x3d};
static struct ws_options default_options(enum ws_role role) {
  return (struct ws_options){.role = role, .max_fragments = MANY, .max_message = ROOM};
}

/* --- The notation: frames in ----------------------------------------------------------- */

static void put(struct buffer *to, const void *bytes, size_t size) {
  CHECK(buffer_append(to, bytes, size));
}

static const char *put_hex(struct buffer *to, const char *hex) {
  unsigned byte;
  int read;
  for (; sscanf(hex, "%2x%n", &byte, &read) == 1 && read == 2; hex += 2)
    put(to, &(char){(char)byte}, 1);
  return hex;
}

/* Appends the payload at `token`: bytes in hex come first. */
static void put_payload(struct buffer *to, const char *token) {
  size_t size = 0;
  if (token[0] == '=')
    token = put_hex(to, token + 1);
  if (token[0] == ':')
    put(to, token + 1, strcspn(token + 1, " "));
  else if (token[0] == '*' && token[1] > ' ')
    size = strtoul(token + 1, NULL, 10);
  while (size-- > 0)
    put(to, "x", 1);
}

static void put_frame(struct buffer *wire, const char *token, enum ws_role role) {
  struct buffer head, payload;
  uint8_t header[WS_HEADER_MAX];
  bool masked = (role == WS_SERVER) != (*token == '!');
  buffer_init(&head);
  buffer_init(&payload);
  token = put_hex(&head, token + (*token == '!'));
  bool chosen = *token == '~', with_payload = token[strcspn(token, " :=*")] > ' ';
  if (chosen)
    token = put_hex(&head, token + 1);
  put_payload(&payload, token);
  if (with_payload && !chosen) {
    size_t size = ws_header_write(header, 0, buffer_size(&payload), NULL);
    put(&head, header + 1, size - 1);
  }
  if (masked && buffer_size(&head) > 1)
    head.bytes[1] = (char)(head.bytes[1] | WS_MASK);
  put(wire, head.bytes, buffer_size(&head));
  if (masked && with_payload) {
    put(wire, test_key, WS_KEY_SIZE);
    for (size_t i = 0; i < buffer_size(&payload); i++)
      payload.bytes[i] = (char)(payload.bytes[i] ^ test_key[i % WS_KEY_SIZE]);
  }
  put(wire, payload.bytes, buffer_size(&payload));
  buffer_free(&head);
  buffer_free(&payload);
}

static struct buffer wire_of(const char *notation, enum ws_role role) {
  struct buffer wire;
  buffer_init(&wire);
  for (const char *at = notation; *at; at += strspn(at, " ")) {
    put_frame(&wire, at, role);
    at += strcspn(at, " ");
  }
  return wire;
}

/* --- The notation: events out ------------------------------------------------------------ */

struct reader {
  struct ws_codec codec;
  struct buffer log, message; /* the notation so far; a message of which parts came */
  int events;
};

static void log_payload(struct buffer *log, const char *bytes, size_t size) {
  char text[32];
  size_t plain = 0, same = 0;
  for (size_t i = 0; i < size; i++) {
    plain += bytes[i] > ' ' && bytes[i] < 0x7f;
    same += bytes[i] == 'x';
  }
  if (same == size && size > 8) {
    put(log, text, (size_t)snprintf(text, sizeof text, "*%zu", size));
  } else if (plain == size && size > 0) {
    put(log, ":", 1);
    put(log, bytes, size);
  } else if (size > 0) {
    put(log, "=", 1);
    for (size_t i = 0; i < size; i++)
      put(log, text, (size_t)snprintf(text, sizeof text, "%02x", (unsigned char)bytes[i]));
  }
}

static void log_event(struct reader *reader, const struct ws_event *event) {
  static const char *const names[] = {
      [WS_GOT_PING] = "ping", [WS_GOT_PONG] = "pong", [WS_GOT_CLOSE] = "close"};
  struct buffer *log = &reader->log;
  char text[32];
  if (buffer_size(log) > 0)
    put(log, " ", 1);
  if (event->kind == WS_GOT_FAILURE) {
    CHECK(event->size > 0 && event->size == strlen(event->bytes));
    put(log, text, (size_t)snprintf(text, sizeof text, "fail/%d", event->code));
    return;
  }
  const char *name =
      event->kind == WS_GOT_MESSAGE ? event->text ? "text" : "binary" : names[event->kind];
  put(log, "z", event->compressed);
  put(log, name, strlen(name));
  if (event->kind == WS_GOT_CLOSE)
    put(log, text, (size_t)snprintf(text, sizeof text, "/%d", event->code));
  log_payload(log, event->bytes, event->size);
}

/* A streamed message is logged when its last part has come. */
static void take_event(struct reader *reader, struct ws_event event) {
  struct buffer *message = &reader->message;
  reader->events++;
  if (event.kind != WS_GOT_MESSAGE) {
    log_event(reader, &event);
    return;
  }
  CHECK(reader->codec.options.streaming || (event.first && event.last));
  CHECK(!event.first || buffer_size(message) == 0);
  put(message, event.bytes, event.size);
  if (!event.last)
    return;
  event.size = buffer_size(message);
  event.bytes = event.size > 0 ? buffer_front(message) : "";
  log_event(reader, &event);
  buffer_take(message, event.size);
}

/* Feeds a copy that ends where the bytes end, so that reading too far is seen. */
static void feed(struct reader *reader, const char *bytes, size_t size) {
  char *copy = malloc(size > 0 ? size : 1);
  struct ws_input input = {copy, size};
  struct ws_event event;
  CHECK(copy != NULL);
  if (size > 0)
    memcpy(copy, bytes, size);
  while (ws_codec_next(&reader->codec, &input, &event))
    take_event(reader, event);
  CHECK(input.size == 0);
  free(copy);
}

static void open_reader(struct reader *reader, const struct ws_options *options) {
  memset(reader, 0, sizeof *reader);
  ws_codec_init(&reader->codec, options);
}

static void close_reader(struct reader *reader) {
  ws_codec_free(&reader->codec);
  buffer_free(&reader->log);
  buffer_free(&reader->message);
}

/* --- Running cases ------------------------------------------------------------------------ */

struct story {
  const char *frames, *events;
};

static void expect(struct reader *reader, const struct story *story, const char *how,
                   size_t point) {
  put(&reader->log, "", 1);
  const char *log = reader->log.bytes;
  checked++;
  if (strcmp(log, story->events) != 0) {
    printf("%s, %s, %s %zu:\n  got      %s\n  expected %s\n", story->frames,
           reader->codec.options.role == WS_SERVER ? "server" : "client", how, point, log,
           story->events);
    exit(1);
  }
  close_reader(reader);
}

static void feed_split(const struct ws_options *options, const struct story *story,
                       const struct buffer *wire, size_t point) {
  struct reader reader;
  open_reader(&reader, options);
  feed(&reader, wire->bytes, point);
  feed(&reader, wire->bytes + point, wire->end - point);
  expect(&reader, story, "split at", point);
}

static void feed_chopped(const struct ws_options *options, const struct story *story,
                         const struct buffer *wire, size_t step) {
  struct reader reader;
  open_reader(&reader, options);
  for (size_t at = 0; at < wire->end; at += step)
    feed(&reader, wire->bytes + at, wire->end - at < step ? wire->end - at : step);
  expect(&reader, story, "in steps of", step);
}

static void run_story(const struct ws_options *options, const struct story *story) {
  static const size_t steps[] = {1, 2, 3, 7, 997};
  struct buffer wire = wire_of(story->frames, options->role);
  const size_t border = 300;
  for (size_t i = 0; i <= wire.end; i++)
    if (i < border || wire.end - i < border || i % 4999 == 0)
      feed_split(options, story, &wire, i);
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
    feed_chopped(options, story, &wire, steps[i]);
  buffer_free(&wire);
}

/* Both roles, whole messages and streamed ones. */
static void run(const struct ws_options *base, const struct story *stories, size_t count) {
  for (size_t i = 0; i < 4 * count; i++) {
    struct ws_options options = *base;
    options.role = i & 1 ? WS_SERVER : WS_CLIENT;
    options.streaming = i & 2;
    run_story(&options, &stories[i / 4]);
  }
}

#define RUN(options, stories) run(options, stories, sizeof(stories) / sizeof *(stories))

/* --- Cases ------------------------------------------------------------------------------------ */

static const struct story sizes[] = {
    {"81:Hello", "text:Hello"},
    {"01:Hel 80:lo", "text:Hello"},
    {"81* 82*", "text binary"},
    {"82*1 82*125 82*126", "binary:x binary*125 binary*126"},
    {"82*127 82*128 81*256", "binary*127 binary*128 text*256"},
    {"82*65535", "binary*65535"},
    {"81*65536 81:a", "text*65536 text:a"},
    {"82*131072", "binary*131072"},
};

static const struct story controls[] = {
    {"89*", "ping"},
    {"89:abc 8a:def", "ping:abc pong:def"},
    {"89*125 8a*125", "ping*125 pong*125"},
    {"89=00ff", "ping=00ff"},
    {"89:0 89:1 89:2 89:3 89:4 89:5 89:6 89:7 89:8 89:9",
     "ping:0 ping:1 ping:2 ping:3 ping:4 ping:5 ping:6 ping:7 ping:8 ping:9"},
};

static const struct story fragments[] = {
    {"01* 00* 80*", "text"},
    {"02:a 00* 00:b 80:c 82:d", "binary:abc binary:d"},
    {"01* 80:late", "text:late"},
    {"01:a 89:p 00:b 8a:q 80:c", "ping:p pong:q text:abc"},
    {"01:a 89:p 88=03e8 80:b", "ping:p close/1000"},
    {"02*70000 89:p 80*70000", "ping:p binary*140000"},
    {"01:a 80:b 80:c", "text:ab fail/1002"},
    {"81:a 00:b", "text:a fail/1002"},
    {"01:a 81:b 80:c", "fail/1002"},
    {"01:a 82:b", "fail/1002"},
    {"02:a 02:b", "fail/1002"},
};

/* Each ends with the byte that decides: no failure before it, and one with it. */
static const struct story deciding[] = {
    {"80", "fail/1002"},
    {"00", "fail/1002"},
    {"83", "fail/1002"},
    {"87", "fail/1002"},
    {"8b", "fail/1002"},
    {"8f", "fail/1002"},
    {"c1", "fail/1002"},
    {"a1", "fail/1002"},
    {"91", "fail/1002"},
    {"c9", "fail/1002"},
    {"a9", "fail/1002"},
    {"f2", "fail/1002"},
    {"01:a c0", "fail/1002"},
    {"01:a 01", "fail/1002"},
    {"01:a 82", "fail/1002"},
    {"09", "fail/1002"},
    {"08", "fail/1002"},
    {"0a", "fail/1002"},
    {"89~7e", "fail/1002"},
    {"8a~7f", "fail/1002"},
    {"88~7e", "fail/1002"},
    {"88~01", "fail/1002"},
    {"!81~05", "fail/1002"},
    {"!89~00", "fail/1002"},
    {"82~7e0000", "fail/1002"},
    {"81~7e007d", "fail/1002"},
    {"82~7f80", "fail/1002"},
    {"82~7fff", "fail/1002"},
    {"82~7f000000000000", "fail/1002"},
    {"82~7f0000000000010001", "fail/1009"},
    {"82~7f7fffffffffffffff", "fail/1009"},
    {"02:a 80~7f7fffffffffffffff", "fail/1009"},
    {"01*65536 00* 80~01", "fail/1009"},
    {"81~7d=80", "fail/1007"},
    {"81~7d=c1", "fail/1007"},
    {"81~7d=41f5", "fail/1007"},
    {"81~7d=e09f", "fail/1007"},
    {"81~7d=eda0", "fail/1007"},
    {"81~7d=f08f", "fail/1007"},
    {"81~7d=f490", "fail/1007"},
    {"81~7d=f09f9841", "fail/1007"},
    {"01=e2 00=82 80~05=41", "fail/1007"},
    {"81~7e4000=cebae1bdb9cf83cebcceb5eda0", "fail/1007"},
    {"81=e282", "fail/1007"},
    {"01=c3 80~00=", "fail/1007"},
    {"88~7d=03e7", "fail/1002"},
    {"88~7d=03e861ff", "fail/1007"},
    {"88=03e8e282", "fail/1007"},
};

static const struct story texts[] = {
    {"81=c3a9 81=e282ac 81=f09f9880", "text=c3a9 text=e282ac text=f09f9880"},
    {"01=f0 00=9f 89:p 00=98 80=80", "ping:p text=f09f9880"},
    {"81=ee8080 81=ed9fbf 81=f48fbfbf 81=00", "text=ee8080 text=ed9fbf text=f48fbfbf text=00"},
    {"82=ff 02=c3 80*", "binary=ff binary=c3"},
    {"89=ff 81=ff", "ping=ff fail/1007"},
};

static const struct story closes[] = {
    {"88*", "close/1005"},
    {"88=03e8", "close/1000"},
    {"88=03e8:bye", "close/1000:bye"},
    {"88=0fa0c3a9", "close/4000=c3a9"},
    {"88=03f4 88=03e8 81:a ff", "close/1012"},
    {"01:a 88*", "close/1005"},
    {"88=03e8*123", "close/1000*123"},
    {"88=03ec", "fail/1002"},
    {"88=03e8c0", "fail/1007"},
};

static const struct story compressed[] = {
    {"c1=f248cdc9c90700", "ztext=f248cdc9c90700"},
    {"c1=ff 42:a 00:b 89:p 80:c 81:d", "ztext=ff ping:p zbinary:abc text:d"},
    {"c1=ff 81=ff", "ztext=ff fail/1007"},
    {"41:a c0:b", "fail/1002"},
    {"c9*", "fail/1002"},
    {"e1", "fail/1002"},
};

/* At most 16 bytes and 3 fragments; what is compressed may have 16 + 1 + 64 bytes. */
static const struct story limited[] = {
    {"82*16 82*16", "binary*16 binary*16"},
    {"02*10 89*100 80:xxxxxx", "ping*100 binary*16"},
    {"82*17", "fail/1009"},
    {"02*10 80:xxxxxxx", "fail/1009"},
    {"02*16 80*1", "fail/1009"},
    {"02* 00* 80*", "binary"},
    {"02* 00* 89:p 00* 80*", "ping:p fail/1009"},
    {"c2*81 42*40 80*41 c2*82", "zbinary*81 zbinary*81 fail/1009"},
    {"42*40 80*42", "fail/1009"},
    {"81:a 01* 00* 80* 01* 00* 00* 80*", "text:a text fail/1009"},
};

static void test_stories(void) {
  struct ws_options options = default_options(WS_SERVER);
  RUN(&options, sizes);
  RUN(&options, controls);
  RUN(&options, fragments);
  RUN(&options, texts);
  RUN(&options, closes);
  options.deflate = true;
  RUN(&options, compressed);
  options.max_message = 16;
  options.max_fragments = 3;
  RUN(&options, limited);
}

static void test_deciding(void) {
  for (size_t i = 0; i < 2 * sizeof deciding / sizeof *deciding; i++) {
    struct ws_options options = default_options(i & 1 ? WS_SERVER : WS_CLIENT);
    options.max_message = 1 << 16;
    struct buffer wire = wire_of(deciding[i / 2].frames, options.role);
    struct reader reader;
    open_reader(&reader, &options);
    for (size_t at = 0; at < wire.end; at++) {
      CHECK(buffer_size(&reader.log) == 0);
      feed(&reader, wire.bytes + at, 1);
    }
    feed(&reader, "\x81\x05Hello", 7); /* ignored */
    expect(&reader, &deciding[i / 2], "byte", wire.end);
    run_story(&options, &deciding[i / 2]);
    buffer_free(&wire);
  }
}

/* Parts of a streamed message come when they come, not when the frame is whole. */
static void test_parts(void) {
  struct ws_options options = default_options(WS_CLIENT);
  struct ws_codec codec;
  struct ws_event event;
  char bytes[] = "\x01\x05Hel";
  struct ws_input input = {bytes, 5};
  options.streaming = true;
  ws_codec_init(&codec, &options);
  CHECK(ws_codec_next(&codec, &input, &event) && event.first && !event.last);
  CHECK(event.text && event.size == 3 && memcmp(event.bytes, "Hel", 3) == 0);
  CHECK(!ws_codec_next(&codec, &input, &event));
  ws_codec_stream(&codec, false); /* from the next message on */
  char rest[] = "lo\x80\x01!\x01\x01-";
  input = (struct ws_input){rest, 8};
  CHECK(ws_codec_next(&codec, &input, &event) && !event.first && !event.last && event.size == 2);
  CHECK(ws_codec_next(&codec, &input, &event) && !event.first && event.last && event.size == 1);
  CHECK(!ws_codec_next(&codec, &input, &event) && codec.message.capacity > 0);
  ws_codec_free(&codec);
}

/* What was gathered comes first, when streaming begins in the middle of a message. */
static void test_streaming_from_now_on(void) {
  struct ws_options options = default_options(WS_CLIENT);
  struct ws_codec codec;
  struct ws_event event;
  char bytes[] = "\x01\x03Hel\x80\x02l";
  struct ws_input input = {bytes, 8};
  ws_codec_init(&codec, &options);
  CHECK(!ws_codec_next(&codec, &input, &event));
  ws_codec_stream(&codec, true);
  CHECK(ws_codec_next(&codec, &input, &event) && event.first && !event.last);
  CHECK(event.text && event.size == 4 && memcmp(event.bytes, "Hell", 4) == 0);
  CHECK(!ws_codec_next(&codec, &input, &event));
  char rest[] = "o\x82\x01!";
  input = (struct ws_input){rest, 4};
  CHECK(ws_codec_next(&codec, &input, &event) && !event.first && event.last && event.size == 1);
  CHECK(ws_codec_next(&codec, &input, &event) && event.first && event.last && !event.text);
  CHECK(!ws_codec_next(&codec, &input, &event));
  ws_codec_free(&codec);
}

/* A message inside one read is handed out where it lies. */
static void test_slices(void) {
  struct ws_options options = default_options(WS_SERVER);
  struct buffer wire = wire_of("81:Hello 82*1000 01:a 80*2000", WS_SERVER);
  struct ws_input input = {wire.bytes, wire.end};
  struct ws_codec codec;
  struct ws_event event;
  ws_codec_init(&codec, &options);
  for (int i = 0; i < 2; i++) {
    CHECK(ws_codec_next(&codec, &input, &event) && event.bytes + event.size == input.bytes);
    CHECK(codec.message.capacity == 0);
  }
  CHECK(ws_codec_next(&codec, &input, &event) && event.size == 2001);
  CHECK(event.bytes == buffer_front(&codec.message));
  CHECK(!ws_codec_next(&codec, &input, &event) && codec.message.capacity == 0);
  ws_codec_free(&codec);
  buffer_free(&wire);
}

/* --- Memory --------------------------------------------------------------------------------- */

static void test_claims(void) {
  static const char *const claims[] = {"82~7f0000000000100000:x", "02:abc 80~7f00000000000ffffd:x",
                                       "82~7f7fffffffffffffff:x",
                                       "02:a 00*100 00~7f7fffffffffffff9a:x"};
  for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
    struct ws_options options = default_options(WS_SERVER);
    struct buffer wire = wire_of(claims[i], WS_SERVER);
    struct reader reader;
    options.max_message = i < 2 ? ROOM : SIZE_MAX;
    open_reader(&reader, &options);
    feed(&reader, wire.bytes, wire.end);
    CHECK(reader.events == 0 && reader.codec.message.capacity <= 512);
    close_reader(&reader);
    buffer_free(&wire);
  }
}

static void test_idle(void) {
  struct ws_options options = default_options(WS_SERVER);
  struct buffer wire = wire_of("82*5 01*65536 89*125 80*65536 01*100 80*100", WS_SERVER);
  struct reader reader;
  open_reader(&reader, &options);
  for (size_t at = 0; at < wire.end; at += 100)
    feed(&reader, wire.bytes + at, wire.end - at < 100 ? wire.end - at : 100);
  CHECK(reader.events == 4);
  CHECK(sizeof reader.codec + reader.codec.message.capacity <= 1024);
  close_reader(&reader);
  buffer_free(&wire);
}

static void test_flood(void) {
  enum { PINGS = 20000 };
  struct ws_options options = default_options(WS_SERVER);
  struct buffer wire = wire_of("01:a", WS_SERVER);
  struct reader reader;
  for (int i = 0; i < PINGS; i++)
    put_frame(&wire, "89*125", WS_SERVER);
  open_reader(&reader, &options);
  feed(&reader, wire.bytes, wire.end);
  CHECK(reader.events == PINGS && reader.codec.message.capacity <= 512);
  close_reader(&reader);
  buffer_free(&wire);
}

/* The queue looks as if it had taken half of the memory there can be: it cannot grow. */
static void test_no_memory(void) {
  static const struct story story = {"01:a 80:b 81:c", "fail/1011"};
  for (enum ws_role role = WS_SERVER; role <= WS_CLIENT; role++) {
    struct ws_options options = default_options(role);
    struct buffer wire = wire_of(story.frames, role);
    struct reader reader;
    open_reader(&reader, &options);
    reader.codec.message.end = reader.codec.message.capacity = SIZE_MAX / 2 + 1;
    feed(&reader, wire.bytes, wire.end);
    expect(&reader, &story, "with memory", 0);
    buffer_free(&wire);
  }
}

/* --- Speed ------------------------------------------------------------------------------------ */

static double seconds_since(clock_t start) {
  return (double)(clock() - start) / CLOCKS_PER_SEC;
}

/* The same bytes over and over: as they are unmasked where they lie, text has a key of
 * zeros, so that it stays text. Masking with zeros takes as long. */
static void measure(const char *what, unsigned opcode, size_t size, const char *with, size_t read) {
  static const uint8_t zeros[WS_KEY_SIZE];
  const uint8_t *key = opcode == WS_TEXT ? zeros : test_key;
  struct ws_options options = default_options(WS_SERVER);
  struct buffer wire;
  struct reader reader;
  uint64_t frames = 0, bytes = 0;
  char *payload = malloc(size);
  CHECK(payload != NULL);
  for (size_t i = 0; i < size; i++)
    payload[i] = with[i % strlen(with)];
  buffer_init(&wire);
  while (wire.end < read)
    CHECK(ws_frame_append(&wire, WS_FIN | opcode, key, payload, size));
  open_reader(&reader, &options);
  clock_t start = clock();
  for (; seconds_since(start) < 1; bytes += wire.end) {
    struct ws_input input = {wire.bytes, wire.end};
    struct ws_event event;
    while (ws_codec_next(&reader.codec, &input, &event))
      frames += event.kind == WS_GOT_MESSAGE;
  }
  double seconds = seconds_since(start);
  printf("%-34s %8.2f M frames/s %8.0f MB/s\n", what, (double)frames / seconds / 1e6,
         (double)bytes / seconds / 1e6);
  close_reader(&reader);
  buffer_free(&wire);
  free(payload);
}

static void print_speed(void) {
  measure("receive 5 B text, masked", WS_TEXT, 5, "Hello", 65536);
  measure("receive 5 B binary, masked", WS_BINARY, 5, "Hello", 65536);
  measure("receive 64 B text, masked", WS_TEXT, 64, "Hello", 65536);
  measure("receive 1 KiB text, masked", WS_TEXT, 1024, "Hello", 65536);
  measure("receive 64 KiB binary, masked", WS_BINARY, 65536, "Hello", 65536);
  measure("receive 64 KiB ASCII, masked", WS_TEXT, 65536, "Hello", 65536);
  measure("receive 63 KiB Greek, masked", WS_TEXT, 64512, "\xce\xba\xcf\x8c\xcf\x83\xce\xbc",
          65536);
  measure("receive 63 KiB mixed, masked", WS_TEXT, 64512, "caf\xc3\xa9 \xe2\x82\xac", 65536);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "--speed") == 0) {
    print_speed();
    return 0;
  }
  test_stories();
  test_deciding();
  test_parts();
  test_streaming_from_now_on();
  test_slices();
  test_claims();
  test_idle();
  test_flood();
  test_no_memory();
  printf("good: %d checks\n", checked);
  return 0;
}
