/* Hostile input for the WebSocket codec, for libFuzzer:
 *
 *   clang -std=c17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined -I. \
 *     spec/fuzz/ws_codec.c modules/strobe/ws/{codec,close,frame,utf8}.c core/base/buffer.c
 *
 * The first byte chooses the role and the options, the second how the rest is cut into
 * reads. What must hold: no byte is read or changed beyond a read, nothing is told after
 * a failure or a Close, text is UTF-8, limits hold, and neither the reads matter nor when
 * streaming begins. */
#include "modules/strobe/ws/close.h"
#include "modules/strobe/ws/codec.h"

#include <stdlib.h>
#include <string.h>

enum { FEW_FRAGMENTS = 4, FEW_BYTES = 300, ROOM = 1 << 16 };

/* Bits of the first byte. */
enum { AS_CLIENT = 1, WITH_DEFLATE = 2, STREAMED = 4, TIGHT = 8, STREAMED_LATER = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one way of feeding came to. */
struct run {
  struct ws_codec codec;
  struct buffer events;  /* all that was told, in one string of bytes */
  struct buffer message; /* parts of a streamed one */
  bool ended;
};

static void must(bool good) {
  if (!good)
    abort();
}

static void note(struct buffer *to, const void *bytes, size_t size) {
  must(buffer_append(to, bytes, size));
}

static void note_event(struct run *run, const struct ws_event *event) {
  uint64_t facts[] = {event->kind, event->code, event->text, event->compressed, event->size};
  note(&run->events, facts, sizeof facts);
  note(&run->events, event->bytes, event->size);
}

static void check_message(struct run *run, struct ws_event *event) {
  const struct ws_options *options = &run->codec.options;
  must(event->first == (buffer_size(&run->message) == 0) || event->size == 0 || event->last);
  must(options->streaming || (event->first && event->last));
  note(&run->message, event->bytes, event->size);
  if (!event->last)
    return;
  event->size = buffer_size(&run->message);
  event->bytes = event->size > 0 ? buffer_front(&run->message) : "";
  must(!event->compressed || options->deflate);
  must(event->compressed || event->size <= options->max_message);
  must(!event->text || event->compressed || ws_utf8_valid(event->bytes, event->size));
  note_event(run, event);
  buffer_take(&run->message, event->size);
}

static void check_event(struct run *run, struct ws_event *event) {
  must(!run->ended);
  switch (event->kind) {
  case WS_GOT_MESSAGE:
    check_message(run, event);
    return;
  case WS_GOT_PING:
  case WS_GOT_PONG:
    must(event->size <= WS_CONTROL_MAX);
    break;
  case WS_GOT_CLOSE:
    must(event->size <= WS_REASON_MAX && ws_utf8_valid(event->bytes, event->size));
    must(event->code == WS_NO_CODE ? event->size == 0 : ws_close_valid(event->code));
    run->ended = true;
    break;
  case WS_GOT_FAILURE:
    must(ws_close_valid(event->code) && event->size > 0 && event->size <= WS_REASON_MAX);
    run->ended = true;
    break;
  }
  note_event(run, event);
}

/* Each read has a block of its own, so that the sanitizer sees its ends. */
static void feed(struct run *run, const uint8_t *bytes, size_t size) {
  struct ws_input input = {malloc(size > 0 ? size : 1), size};
  struct ws_event event;
  char *block = input.bytes;
  must(block != NULL);
  if (size > 0)
    memcpy(block, bytes, size);
  while (ws_codec_next(&run->codec, &input, &event)) {
    must(input.bytes >= block && input.bytes + input.size == block + size);
    check_event(run, &event);
  }
  must(input.size == 0);
  must(run->codec.message.capacity <= 2 * (size_t)(2 * ROOM));
  free(block);
}

static void open_run(struct run *run, uint8_t choice) {
  struct ws_options options = {.role = choice & AS_CLIENT ? WS_CLIENT : WS_SERVER,
                               .deflate = choice & WITH_DEFLATE,
                               .streaming = choice & STREAMED,
                               .max_fragments = choice & TIGHT ? FEW_FRAGMENTS : ROOM,
                               .max_message = choice & TIGHT ? FEW_BYTES : ROOM};
  memset(run, 0, sizeof *run);
  ws_codec_init(&run->codec, &options);
}

static void close_run(struct run *run) {
  ws_codec_free(&run->codec);
  buffer_free(&run->events);
  buffer_free(&run->message);
}

/* Reads of changing sizes, from 1 byte on; a chunking of 0 is byte by byte. Streaming may
 * begin in the middle. */
static void feed_cut(struct run *run, uint8_t chunking, const uint8_t *bytes, size_t size,
                     bool later) {
  size_t step = 1, half = size / 2;
  while (size > 0) {
    size_t part = step < size ? step : size;
    if (later && size <= half)
      ws_codec_stream(&run->codec, true);
    feed(run, bytes, part);
    bytes += part;
    size -= part;
    step = (step * 7 + chunking) % (chunking + 1u) + 1;
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct run whole, cut;
  if (size < 2)
    return 0;
  open_run(&whole, data[0]);
  open_run(&cut, data[0]);
  feed(&whole, data + 2, size - 2);
  feed_cut(&cut, data[1], data + 2, size - 2, data[0] & STREAMED_LATER);
  must(whole.ended == cut.ended);
  must(buffer_size(&whole.events) == buffer_size(&cut.events));
  must(memcmp(whole.events.bytes ? buffer_front(&whole.events) : "",
              cut.events.bytes ? buffer_front(&cut.events) : "", buffer_size(&cut.events)) == 0);
  close_run(&whole);
  close_run(&cut);
  return 0;
}
