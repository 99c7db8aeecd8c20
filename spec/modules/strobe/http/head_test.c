/* HTTP/1 at its limits: heads, targets, fields and framing, one byte below and above; and what
 * a caller has beside the events.
 *
 * Every case is fed whole, split at many points, and byte by byte. */
#include "modules/strobe/http/guard.h"
#include "modules/strobe/http/parser.h"
#include "spec/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GET "GET / HTTP/1.1\r\n"
#define CHUNKED "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
#define NEXT "GET /2 HTTP/1.1\r\nHost: b\r\n\r\n"

static void put(struct buffer *to, const char *text) {
  CHECK(buffer_append(to, text, strlen(text)));
}

/* --- Limits ----------------------------------------------------------------------------------- */

static char *room_for(size_t size) {
  char *bytes = malloc(size);
  CHECK(bytes);
  return bytes;
}

/* Feeds the first `cut` bytes as one piece, the others in pieces of `step` bytes; writes how
 * it ended. */
static void feed(const char *bytes, size_t size, size_t cut, size_t step, char ending[20]) {
  struct http_parser *parser = http_parser_new(HTTP_REQUESTS);
  struct http_event event = {.kind = HTTP_GOT_HEAD};
  CHECK(parser);
  for (size_t at = 0, next = cut; at < size; next = step) {
    size_t piece = next < size - at ? next : size - at;
    struct http_input input = {bytes + at, piece};
    while (http_parser_next(parser, &input, &event))
      ;
    at += piece;
  }
  if (event.kind == HTTP_GOT_FAILURE)
    snprintf(ending, 20, "fail:%u", event.status);
  else
    snprintf(ending, 20, event.kind == HTTP_GOT_END ? "end" : "none");
  http_parser_free(parser);
}

static void expect_split(const char *bytes, size_t size, size_t cut, size_t step,
                         const char *expected) {
  char ending[20];
  feed(bytes, size, cut, step, ending);
  if (strcmp(ending, expected) != 0)
    printf("%.100s…, cut at %zu, by %zu: %s\n", bytes, cut, step, ending);
  CHECK(strcmp(ending, expected) == 0);
}

/* How the only message of some input ends, whatever the pieces. */
static void expect_end(const char *bytes, size_t size, const char *expected) {
  expect_split(bytes, size, size, 1, expected);
  expect_split(bytes, size, 1, 1, expected);
  for (size_t cut = 0; cut <= size; cut += 1 + size / 100)
    expect_split(bytes, size, cut, size, expected);
}

/* A head of some size, on one field line. */
static void head_of(size_t size, const char *ending) {
  static const char begin[] = GET "Host: a\r\nX: ";
  char *bytes = room_for(size);
  memset(bytes, 'x', size);
  memcpy(bytes, begin, sizeof begin - 1);
  memcpy(bytes + size - 4, "\r\n\r\n", 4);
  expect_end(bytes, size, ending);
  free(bytes);
}

static void target_of(size_t size, const char *ending) {
  static const char end[] = " HTTP/1.1\r\nHost: a\r\n\r\n";
  char *bytes = room_for(4 + size + sizeof end);
  memset(bytes, 'x', 4 + size);
  memcpy(bytes, "GET /", 5);
  memcpy(bytes + 4 + size, end, sizeof end);
  expect_end(bytes, 4 + size + sizeof end - 1, ending);
  free(bytes);
}

static void fields_of(int fields, const char *ending) {
  struct buffer bytes;
  buffer_init(&bytes);
  put(&bytes, GET "Host: a\r\n");
  for (int i = 1; i < fields; i++)
    put(&bytes, "X: y\r\n");
  put(&bytes, "\r\n");
  expect_end(buffer_front(&bytes), buffer_size(&bytes), ending);
  buffer_free(&bytes);
}

static void test_head_limits(void) {
  head_of(HTTP_HEAD_MAX, "end");
  head_of(HTTP_HEAD_MAX + 1, "fail:431");
  head_of(HTTP_HEAD_MAX + 1000, "fail:431");
  target_of(HTTP_TARGET_MAX, "end");
  target_of(HTTP_TARGET_MAX + 1, "fail:414");
  target_of(2 * HTTP_HEAD_MAX, "fail:414");
  fields_of(HTTP_FIELDS_MAX, "end");
  fields_of(HTTP_FIELDS_MAX + 1, "fail:431");
}

/* The repeated text comes after the head of a chunked body, `count` times. */
static void framing_of(const char *before, const char *text, int count, const char *after,
                       const char *ending) {
  struct buffer bytes;
  buffer_init(&bytes);
  put(&bytes, CHUNKED);
  put(&bytes, before);
  for (int i = 0; i < count; i++)
    put(&bytes, text);
  put(&bytes, after);
  expect_end(buffer_front(&bytes), buffer_size(&bytes), ending);
  buffer_free(&bytes);
}

static void test_framing_limits(void) {
  const int many = HTTP_FRAMING_MAX;
  framing_of("1;", "x", many - 4, "\r\nx\r\n0\r\n\r\n", "end");
  framing_of("1;", "x", many - 3, "\r\nx\r\n0\r\n\r\n", "fail:431");
  framing_of("1;", "x", 2 * many, "\r\nx\r\n0\r\n\r\n", "fail:431");
  framing_of("", "0", many + 1, "1\r\nx\r\n0\r\n\r\n", "fail:431");
  framing_of("0\r\n", "X: y\r\n", many / 6, "\r\n", "end");
  framing_of("0\r\n", "X: y\r\n", many / 6 + 3, "\r\n", "fail:431");
  framing_of("", "1;xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\nx\r\n", many / 16, "0\r\n\r\n", "fail:431");
  /* The byte beyond the limit decides, not the bad one behind it. */
  framing_of("1;", "x", many - 2, "\1", "fail:400");
  framing_of("1;", "x", many - 1, "\1", "fail:431");
  /* A stream of plain chunks may last. */
  framing_of("", "1\r\nx\r\n", many / 2, "0\r\n\r\n", "end");
}

/* --- The guard, the list, the link ------------------------------------------------------------ */

/* What is behind the head is not looked at. */
static void test_guard(void) {
  static const char bytes[] = "\r\nab\r\n\r\n\n\n";
  struct http_guard guard;
  size_t used;
  http_guard_init(&guard, 1);
  CHECK(http_guard_feed(&guard, bytes, 5, &used) == HTTP_GUARD_MORE);
  CHECK(used == 5 && guard.skipped == 2 && guard.lines == 0);
  CHECK(http_guard_feed(&guard, bytes + 5, sizeof bytes - 6, &used) == HTTP_GUARD_WHOLE);
  CHECK(used == 3 && guard.seen == 8 && guard.lines == 1);
}

static void test_join(void) {
  static const char bytes[] = GET "Host: a\r\nX: b\r\nx: c\r\nY: d\r\nx:\r\n\r\n";
  struct http_parser *parser = http_parser_new(HTTP_REQUESTS);
  struct http_input input = {bytes, sizeof bytes - 1};
  struct http_event event;
  struct buffer joined;
  CHECK(parser);
  buffer_init(&joined);
  CHECK(http_parser_next(parser, &input, &event) && event.kind == HTTP_GOT_HEAD);
  CHECK(http_head_find(event.head, "HOST", 0) == 0);
  CHECK(http_head_find(event.head, "hos", 0) == -1);
  CHECK(http_head_find(event.head, "X", 2) == 2);
  CHECK(http_head_join(event.head, "X", &joined));
  CHECK(buffer_size(&joined) == 6 && memcmp(buffer_front(&joined), "b, c, ", 6) == 0);
  CHECK(http_head_join(event.head, "Z", &joined) && buffer_size(&joined) == 6);
  buffer_free(&joined);
  http_parser_free(parser);
  http_parser_free(NULL);
}

/* Whoever stops at the end of a request has not read the next one. */
static void test_no_reading_ahead(void) {
  static const char bytes[] = GET "Host: a\r\n\r\n" NEXT;
  struct http_parser *parser = http_parser_new(HTTP_REQUESTS);
  struct http_input input = {bytes, sizeof bytes - 1};
  struct http_event event;
  CHECK(parser && http_parser_idle(parser));
  CHECK(http_parser_next(parser, &input, &event) && event.kind == HTTP_GOT_HEAD);
  CHECK(!http_parser_idle(parser));
  CHECK(http_parser_next(parser, &input, &event) && event.kind == HTTP_GOT_END);
  CHECK(input.size == sizeof NEXT - 1 && memcmp(input.bytes, NEXT, input.size) == 0);
  CHECK(http_parser_idle(parser) && event.head->field_count == 1);
  http_parser_free(parser);
}

int main(void) {
  test_head_limits();
  test_framing_limits();
  test_guard();
  test_join();
  test_no_reading_ahead();
  printf("good: %d checks\n", checked);
  return 0;
}
