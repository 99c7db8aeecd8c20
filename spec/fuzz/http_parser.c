/* Hostile input for the HTTP parser, for libFuzzer; `./run fuzz` builds and runs it.
 *
 * The first byte chooses requests or responses and what the caller does, the second how the
 * rest is cut into reads. What must hold: no byte is read beyond a read, every head kept the
 * rules, a body has the length its head told, nothing comes after a failure, and the reads
 * do not matter. */
#include "modules/strobe/http/parser.h"

#include <stdlib.h>
#include <string.h>

/* Bits of the first byte. */
enum { AS_CLIENT = 1, TAKE = 2, SKIP_BODY = 4, FINISH = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What one way of feeding came to. */
struct result {
  struct buffer told; /* heads, bodies and ends, in one string of bytes */
  struct buffer rest; /* what was not read */
  uint64_t body;      /* bytes of the message's */
  bool ended;
};

static void must(bool good) {
  if (!good)
    abort();
}

static void note(struct buffer *to, const void *bytes, size_t size) {
  must(buffer_append(to, bytes, size));
}

static void note_slice(struct buffer *to, const struct http_head *head, struct http_slice slice) {
  must((size_t)slice.start + slice.size <= head->size);
  note(to, &slice.size, sizeof slice.size);
  note(to, head->bytes + slice.start, slice.size);
}

static void check_head(const struct http_head *head, unsigned first) {
  must(head->minor <= 1 && head->size <= HTTP_HEAD_MAX && head->field_count <= HTTP_FIELDS_MAX);
  must(!head->chunked || (head->minor == 1 && !head->has_length));
  must(memchr(head->bytes, '\0', head->size) == NULL);
  if (first & AS_CLIENT)
    must(head->status >= 100 && head->status <= 999);
  else
    must(head->method.size > 0 && head->target.size > 0 && head->target.size <= HTTP_TARGET_MAX);
  for (int i = 0; i < head->field_count; i++)
    must(http_field_name(head, i).size > 0);
}

static void note_head(struct result *result, const struct http_head *head) {
  uint64_t facts[] = {head->status,      head->minor,          head->keep_alive,
                      head->upgrade,     head->chunked,        head->has_length,
                      head->field_count, head->content_length, head->size};
  note(&result->told, facts, sizeof facts);
  note(&result->told, head->bytes, head->size);
  note_slice(&result->told, head, head->method);
  note_slice(&result->told, head, head->target);
  note_slice(&result->told, head, head->reason);
  for (int i = 0; i < head->field_count; i++) {
    note_slice(&result->told, head, head->fields[i].name);
    note_slice(&result->told, head, head->fields[i].value);
  }
}

static void check_end(const struct result *result, const struct http_head *head, unsigned first) {
  bool empty = first & SKIP_BODY || head->status / 100 == 1 || head->status == 204 ||
               head->status == 304 || !(first & AS_CLIENT || head->has_length || head->chunked);
  must(!empty || result->body == 0);
  must(empty || !head->has_length || result->body == head->content_length);
}

static void note_event(struct result *result, const struct http_event *event, unsigned first) {
  must(!result->ended);
  switch (event->kind) {
  case HTTP_GOT_HEAD:
    check_head(event->head, first);
    note_head(result, event->head);
    result->body = 0;
    break;
  case HTTP_GOT_BODY:
    must(event->size > 0);
    note(&result->told, event->bytes, event->size);
    result->body += event->size;
    break;
  case HTTP_GOT_END:
    check_end(result, event->head, first);
    note(&result->told, "end", 3);
    break;
  case HTTP_GOT_FAILURE:
    must(event->status >= 400);
    note(&result->told, event->bytes, event->size);
    result->ended = true;
    break;
  }
}

static void feed_piece(struct http_parser *parser, struct result *result, const uint8_t *data,
                       size_t size, unsigned first) {
  char *copy = malloc(size ? size : 1);
  struct http_input input = {copy, size};
  struct http_event event;
  must(copy);
  memcpy(copy, data, size);
  while (http_parser_next(parser, &input, &event)) {
    note_event(result, &event, first);
    if (event.kind == HTTP_GOT_HEAD && first & SKIP_BODY)
      http_parser_skip_body(parser);
    if (event.kind == HTTP_GOT_HEAD && first & TAKE && event.head->upgrade)
      http_parser_take(parser);
  }
  if (!result->ended)
    note(&result->rest, input.bytes, input.size);
  free(copy);
}

/* Reads of `step` bytes. */
static struct result feed(const uint8_t *data, size_t size, size_t step, unsigned first) {
  struct http_parser *parser = http_parser_new(first & AS_CLIENT ? HTTP_RESPONSES : HTTP_REQUESTS);
  struct result result = {.ended = false};
  struct http_event event;
  must(parser);
  for (size_t at = 0; at < size; at += step)
    feed_piece(parser, &result, data + at, step < size - at ? step : size - at, first);
  if (first & FINISH && http_parser_finish(parser, &event))
    note_event(&result, &event, first);
  http_parser_free(parser);
  return result;
}

static bool same(const struct buffer *a, const struct buffer *b) {
  size_t size = buffer_size(a);
  return size == buffer_size(b) && (size == 0 || !memcmp(buffer_front(a), buffer_front(b), size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2)
    return 0;
  struct result whole = feed(data + 2, size - 2, size, data[0]);
  struct result split = feed(data + 2, size - 2, (size_t)data[1] % 64 + 1, data[0]);
  must(same(&whole.told, &split.told) && same(&whole.rest, &split.rest));
  must(whole.ended == split.ended);
  buffer_free(&whole.told);
  buffer_free(&whole.rest);
  buffer_free(&split.told);
  buffer_free(&split.rest);
  return 0;
}
