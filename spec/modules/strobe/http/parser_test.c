/* HTTP/1 from hostile peers: what smuggles a header or a request past other parsers.
 *
 * What comes out is written in one line: a head as `GET /path 1.1 keep {name=value;}` or
 * `200 OK 1.1 close {}`, with `length=5`, `chunked` and `upgrade` before the fields, then
 * `body:…`, `end`, `fail:400`, and `rest:…` for what was left in the input. Every case is
 * fed whole, split at each point, and byte by byte. */
#include "modules/strobe/http/parser.h"
#include "spec/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) check(condition, #condition, __LINE__)
/* Texts in the tables may hold zero bytes. */
#define IN(text) text, sizeof(text) - 1

/* What the caller does after a head, and at the end of the input. */
enum { SKIP_BODY = 1, TAKE = 2, FINISH = 4 };

/* --- What came out ---------------------------------------------------------------------------- */

struct transcript {
  struct buffer text, reasons;
  int fields; /* of the head */
  char last;  /* the kind of the event before, so that slices of a body are one */
};

static void put(struct buffer *to, const char *text) {
  CHECK(buffer_append(to, text, strlen(text)));
}

static void put_text(struct buffer *to, struct http_text text) {
  CHECK(buffer_append(to, text.bytes, text.size));
}

static void note(struct transcript *transcript, char kind, const char *label) {
  if (transcript->last == kind && (kind == 'b' || kind == 'r'))
    return;
  if (transcript->last)
    put(&transcript->text, " ");
  put(&transcript->text, label);
  transcript->last = kind;
}

static void note_facts(struct buffer *to, const struct http_head *head) {
  char facts[100];
  int size =
      snprintf(facts, sizeof facts, " 1.%u %s", head->minor, head->keep_alive ? "keep" : "close");
  if (head->has_length)
    size += snprintf(facts + size, sizeof facts - (size_t)size, " length=%llu",
                     (unsigned long long)head->content_length);
  snprintf(facts + size, sizeof facts - (size_t)size, "%s%s {", head->chunked ? " chunked" : "",
           head->upgrade ? " upgrade" : "");
  put(to, facts);
}

static void note_head(struct transcript *transcript, const struct http_head *head) {
  struct buffer *to = &transcript->text;
  char status[10];
  snprintf(status, sizeof status, "%u", head->status);
  note(transcript, 'h', head->status ? status : "");
  transcript->fields = head->field_count;
  put_text(to, http_head_text(head, head->method));
  put(to, " ");
  put_text(to, http_head_text(head, head->status ? head->reason : head->target));
  note_facts(to, head);
  for (int i = 0; i < head->field_count; i++) {
    put_text(to, http_field_name(head, i));
    put(to, "=");
    put_text(to, http_field_value(head, i));
    put(to, ";");
  }
  put(to, "}");
}

static void note_event(struct transcript *transcript, const struct http_event *event) {
  char label[20];
  switch (event->kind) {
  case HTTP_GOT_HEAD:
    note_head(transcript, event->head);
    break;
  case HTTP_GOT_BODY:
    CHECK(event->size > 0);
    note(transcript, 'b', "body:");
    put_text(&transcript->text, (struct http_text){event->bytes, event->size});
    break;
  case HTTP_GOT_END:
    note(transcript, 'e', "end");
    /* Trailers are no fields. */
    CHECK(event->head->field_count == transcript->fields);
    break;
  case HTTP_GOT_FAILURE:
    snprintf(label, sizeof label, "fail:%u", event->status);
    note(transcript, 'f', label);
    CHECK(event->size > 0 && strlen(event->bytes) == event->size);
    put_text(&transcript->reasons, (struct http_text){event->bytes, event->size});
    break;
  }
}

/* --- Feeding ---------------------------------------------------------------------------------- */

static void feed_piece(struct http_parser *parser, struct transcript *transcript, unsigned doing,
                       const char *bytes, size_t size) {
  /* Of its exact size, so that a sanitizer sees who reads too far. */
  char *copy = malloc(size ? size : 1);
  struct http_input input = {copy, size};
  struct http_event event;
  CHECK(copy);
  memcpy(copy, bytes, size);
  while (http_parser_next(parser, &input, &event)) {
    note_event(transcript, &event);
    if (event.kind == HTTP_GOT_HEAD && doing & SKIP_BODY)
      http_parser_skip_body(parser);
    if (event.kind == HTTP_GOT_HEAD && doing & TAKE)
      http_parser_take(parser);
  }
  if (input.size > 0 && transcript->last != 'f') {
    note(transcript, 'r', "rest:");
    put_text(&transcript->text, (struct http_text){input.bytes, input.size});
  }
  free(copy);
}

struct exchange {
  enum http_kind kind;
  unsigned doing;
  const char *in;
  size_t size;
  const char *out;
};

/* The first `cut` bytes are one piece, the others are pieces of `step` bytes. */
static struct transcript feed(const struct exchange *exchange, size_t cut, size_t step) {
  struct http_parser *parser = http_parser_new(exchange->kind);
  struct transcript transcript = {.last = 0};
  struct http_event event;
  size_t at = 0, next = cut;
  CHECK(parser);
  buffer_init(&transcript.text);
  buffer_init(&transcript.reasons);
  for (; at < exchange->size; next = step) {
    size_t left = exchange->size - at, piece = next < left ? next : left;
    feed_piece(parser, &transcript, exchange->doing, exchange->in + at, piece);
    at += piece;
  }
  if (exchange->doing & FINISH && http_parser_finish(parser, &event))
    note_event(&transcript, &event);
  if (exchange->doing & FINISH)
    CHECK(!http_parser_finish(parser, &event));
  http_parser_free(parser);
  CHECK(buffer_append(&transcript.text, "", 1));
  CHECK(buffer_append(&transcript.reasons, "", 1));
  return transcript;
}

static void forget(struct transcript *transcript) {
  buffer_free(&transcript->text);
  buffer_free(&transcript->reasons);
}

static void feed_split(const struct exchange *exchange, const struct transcript *whole, size_t cut,
                       size_t step) {
  struct transcript split = feed(exchange, cut, step);
  if (strcmp(buffer_front(&split.text), buffer_front(&whole->text)) != 0)
    printf("%s\ncut at %zu, by %zu: %s\nwhole: %s\n", exchange->in, cut, step,
           buffer_front(&split.text), buffer_front(&whole->text));
  CHECK(strcmp(buffer_front(&split.text), buffer_front(&whole->text)) == 0);
  CHECK(strcmp(buffer_front(&split.reasons), buffer_front(&whole->reasons)) == 0);
  forget(&split);
}

static void expect(const struct exchange *exchange) {
  struct transcript whole = feed(exchange, exchange->size, 1);
  if (strcmp(buffer_front(&whole.text), exchange->out) != 0)
    printf("%s\n     got: %s (%s)\nexpected: %s\n", exchange->in, buffer_front(&whole.text),
           buffer_front(&whole.reasons), exchange->out);
  CHECK(strcmp(buffer_front(&whole.text), exchange->out) == 0);
  /* Of what is long, not every point. */
  size_t stride = 1 + exchange->size / 400;
  for (size_t cut = 0; cut <= exchange->size; cut += stride)
    feed_split(exchange, &whole, cut, exchange->size);
  feed_split(exchange, &whole, 1, 1);
  forget(&whole);
}

static void expect_all(enum http_kind kind, const struct exchange *exchanges, size_t count) {
  for (size_t i = 0; i < count; i++) {
    struct exchange exchange = exchanges[i];
    exchange.kind = kind;
    expect(&exchange);
  }
}

/* --- Requests --------------------------------------------------------------------------------- */

#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define POSTED "POST / 1.1 keep chunked {Host=a;Transfer-Encoding=chunked;}"
#define NEXT "GET /2 HTTP/1.1\r\nHost: b\r\n\r\n"
#define NEXT_OUT "GET /2 1.1 keep {Host=b;} end"

static const struct exchange requests[] = {
    /* What is right. */
    {0, 0, IN(GET "Host: a\r\n\r\n"), "GET / 1.1 keep {Host=a;} end"},
    {0, 0, IN("\r\n" GET "Host: a\r\n\r\n" NEXT), "GET / 1.1 keep {Host=a;} end " NEXT_OUT},
    {0, 0, IN(GET "Host: a\r\n\r\n\r\n" NEXT), "GET / 1.1 keep {Host=a;} end " NEXT_OUT},
    {0, 0, IN(GET "Host:a\r\nX: \t y z \t\r\nX:\r\nY: \xe4\r\n\r\n"),
     "GET / 1.1 keep {Host=a;X=y z;X=;Y=\xe4;} end"},
    {0, 0, IN("GET http://a/?b=c&d HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" NEXT),
     "GET http://a/?b=c&d 1.1 close {Host=a;Connection=close;} end rest:" NEXT},
    {0, 0, IN("OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n"), "OPTIONS * 1.1 keep {Host=;} end"},
    {0, 0, IN("GET / HTTP/1.0\r\n\r\n" NEXT), "GET / 1.0 close {} end rest:" NEXT},
    {0, 0, IN("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" NEXT),
     "GET / 1.0 keep {Connection=keep-alive;} end " NEXT_OUT},
    {0, 0, IN("GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n\r\n"),
     "GET / 1.0 close {Connection=close, keep-alive;} end"},
    {0, 0, IN(POST "Content-Length: 5\r\n\r\nhello" NEXT),
     "POST / 1.1 keep length=5 {Host=a;Content-Length=5;} body:hello end " NEXT_OUT},
    {0, 0, IN(POST "Content-Length: 0\r\n\r\n" NEXT),
     "POST / 1.1 keep length=0 {Host=a;Content-Length=0;} end " NEXT_OUT},
    {0, 0, IN("PATCH / HTTP/1.1\r\nhOST: a\r\nExpect: 100-continue\r\ncontent-length: 1\r\n\r\nx"),
     "PATCH / 1.1 keep length=1 {hOST=a;Expect=100-continue;content-length=1;} body:x end"},
    /* Two heads in one read: both pass the guard. */
    {0, 0, IN(GET "Host: a\r\n\r\n" GET "Host: a\r\n X: y\r\n\r\n"),
     "GET / 1.1 keep {Host=a;} end fail:400"},
    {0, 0, IN(GET "Host: a\r\n\r\n" GET "Host: a\nX: y\r\n\r\n"),
     "GET / 1.1 keep {Host=a;} end fail:400"},
    /* Chunks. */
    {0, 0, IN(CHUNKED "3;x=y\r\nabc\r\nA;x=\"q\";z\r\n0123456789\r\n0\r\n\r\n" NEXT),
     POSTED " body:abc0123456789 end " NEXT_OUT},
    {0, 0, IN(CHUNKED "0\r\n\r\n"), POSTED " end"},
    {0, 0, IN(POST "transfer-encoding: CHUNKED \r\n\r\n000001\r\nx\r\n00\r\n\r\n"),
     "POST / 1.1 keep chunked {Host=a;transfer-encoding=CHUNKED;} body:x end"},
    /* Trailers are dropped, and are no fields: neither for the length nor for the link. */
    {0, 0, IN(CHUNKED "1\r\nx\r\n0\r\nX: y\r\nConnection: close\r\n\r\n" NEXT),
     POSTED " body:x end " NEXT_OUT},
    {0, 0, IN(CHUNKED "1\r\nx\r\n0\r\nX: y\r\n Host: z\r\n\r\n" NEXT),
     POSTED " body:x end " NEXT_OUT},
    {0, 0, IN(CHUNKED "0\r\nHost: b\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n" NEXT),
     POSTED " end " NEXT_OUT},
    {0, 0, IN(CHUNKED "0\r\nContent-Length: 5\r\n\r\n" NEXT), POSTED " end " NEXT_OUT},
    /* CVE-2023-30589, CVE-2024-27982, CVE-2025-23167, and their kin. */
    {0, 0, IN(GET "Host: a\r\nX: \rxTransfer-Encoding: chunked\r\n\r\n"), "fail:400"},
    {0, 0,
     IN(POST "Content-Length: 26\r\n\r\n"
             "GET /hidden HTTP/1.1\r\nX: y"),
     "POST / 1.1 keep length=26 {Host=a;Content-Length=26;} body:GET /hidden HTTP/1.1\r\nX: y "
     "end"},
    {0, 0, IN("POST / HTTP/1.1\r\nHost: a\r\n Content-Length: 28\r\n\r\n" NEXT), "fail:400"},
    {0, 0, IN("POST / HTTP/1.1\r\nHost: a\r\n\tContent-Length: 28\r\n\r\n" NEXT), "fail:400"},
    {0, 0, IN(GET "Host: a\r\n\rX\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\n\r\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\n\nGET /x"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\n\nX: y\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nX: a\nY: b\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nX: a\rY: b\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET / HTTP/1.1\nHost: a\n\n"), "fail:400"},
    {0, 0, IN(GET " Host: a\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nX: y\r\n \r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\n: x\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nX\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nX : y\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nX\t: y\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nX Y: z\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nX\0: y\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nX: y\0z\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nX: y\x01z\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nX: y\x7fz\r\n\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nX\xe4: y\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET /\xe4 HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("\r\n\r\n" GET "Host: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("\n" GET "Host: a\r\n\r\n"), "fail:400"},
    {0, 0, IN(" " GET "Host: a\r\n\r\n"), "fail:400"},
    /* Chunks that end in different places for different parsers. */
    {0, 0, IN(CHUNKED "3\r\nabcXX0\r\n\r\n"), POSTED " body:abc fail:400"},
    {0, 0, IN(CHUNKED "3\r\nabc\rX0\r\n\r\n"), POSTED " body:abc fail:400"},
    {0, 0, IN(CHUNKED "3\r\nabc\n0\r\n\r\n"), POSTED " body:abc fail:400"},
    {0, 0, IN(CHUNKED "3\rXabc\r\n0\r\n\r\n"), POSTED " fail:400"},
    {0, 0, IN(CHUNKED "3\nabc\r\n0\r\n\r\n"), POSTED " fail:400"},
    {0, 0, IN(CHUNKED "3;x\rXabc\r\n0\r\n\r\n"), POSTED " fail:400"},
    {0, 0, IN(CHUNKED "3;x\nabc\r\n0\r\n\r\n"), POSTED " fail:400"},
    {0, 0, IN(CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"), POSTED " fail:400"},
    {0, 0, IN(CHUNKED "-1\r\nabc\r\n0\r\n\r\n"), POSTED " fail:400"},
    {0, 0, IN(CHUNKED "+3\r\nabc\r\n0\r\n\r\n"), POSTED " fail:400"},
    {0, 0, IN(CHUNKED " 3\r\nabc\r\n0\r\n\r\n"), POSTED " fail:400"},
    {0, 0, IN(CHUNKED "\r\nabc\r\n0\r\n\r\n"), POSTED " fail:400"},
    {0, 0, IN(CHUNKED "10000000000000000\r\nabc"), POSTED " fail:400"},
    {0, 0, IN(CHUNKED "ffffffffffffffffff\r\nabc"), POSTED " fail:400"},
    {0, 0, IN(CHUNKED "0\r\n\rX"), POSTED " fail:400"},
    {0, 0, IN(CHUNKED "0\r\nX: y\nZ: z\r\n\r\n"), POSTED " fail:400"},
    /* Who is asked. */
    {0, 0, IN(GET "\r\n"), "fail:400"},
    {0, 0, IN(GET "Host: a\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"), "fail:400"},
    /* How long the body is. */
    {0, 0, IN("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(POST "Content-Length:\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(POST "Content-Length: 5, 5\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(POST "Content-Length: 5 5\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(POST "Content-Length: -5\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(POST "Content-Length: +5\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(POST "Content-Length: 0x5\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(POST "Content-Length: 5.0\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(POST "Content-Length: 18446744073709551616\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(POST "Transfer-Encoding: gzip\r\n\r\n"), "fail:400"},
    {0, 0, IN(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(POST "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(POST "Transfer-Encoding: identity\r\n\r\n"), "fail:400"},
    {0, 0,
     IN(POST "Transfer-Encoding: \x0b"
             "chunked\r\n\r\n0\r\n\r\n"),
     "fail:400"},
    {0, 0, IN(POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
     "fail:400"},
    {0, 0, IN(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n"),
     "fail:400"},
    /* First lines. */
    {0, 0, IN("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET / HTTP/0.9\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET / HTTP/1.11\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET / http/1.1\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET /\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET / RTSP/1.0\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET / ICE/1.0\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET / x HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("G=T / HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:400"},
    {0, 0, IN("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "fail:400"},
    {0, 0, IN("get / HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:501"},
    {0, 0, IN("BREW / HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:501"},
    {0, 0, IN("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:501"},
    {0, 0, IN("DESCRIBE / RTSP/1.0\r\nHost: a\r\n\r\n"), "fail:501"},
    {0, 0, IN("PLAY / HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:501"},
    {0, 0, IN("SOURCE / ICE/1.0\r\nHost: a\r\n\r\n"), "fail:501"},
    {0, 0, IN("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "fail:400"},
    {0, 0, IN("PRI * HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:400"},
    /* The link ends. */
    {0, FINISH, IN(""), ""},
    {0, FINISH, IN("\r\n"), ""},
    {0, FINISH, IN(GET "Host: a\r\n\r\n"), "GET / 1.1 keep {Host=a;} end"},
    {0, FINISH, IN(GET "Host: a\r\n\r\n\r\n"), "GET / 1.1 keep {Host=a;} end"},
    {0, FINISH, IN("G"), "fail:400"},
    {0, FINISH, IN(GET "Host: a\r\n"), "fail:400"},
    {0, FINISH, IN(POST "Content-Length: 2\r\n\r\nx"),
     "POST / 1.1 keep length=2 {Host=a;Content-Length=2;} body:x fail:400"},
    {0, FINISH, IN(CHUNKED "1\r\nx\r\n"), POSTED " body:x fail:400"},
    {0, FINISH, IN(CHUNKED "1\r\nx\r\n0\r\n"), POSTED " body:x fail:400"},
};

/* --- Another protocol ---------------------------------------------------------------------------
 */

#define UPGRADE GET "Host: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
#define UPGRADE_OUT(facts)                                                                         \
  "GET / 1.1 keep " facts "upgrade {Host=a;Connection=keep-alive, Upgrade;Upgrade=websocket;"

static const struct exchange upgrades[] = {
    {0, TAKE, IN(UPGRADE "\r\n\x81\x80\r\n\n" NEXT), UPGRADE_OUT("") "} rest:\x81\x80\r\n\n" NEXT},
    {0, TAKE, IN("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nabc"),
     "CONNECT a:1 1.1 keep upgrade {Host=a:1;} rest:abc"},
    {0, 0, IN(UPGRADE "\r\n" NEXT), UPGRADE_OUT("") "} end " NEXT_OUT},
    {0, 0, IN(UPGRADE "\r\n\x81\x80\r\n\n"), UPGRADE_OUT("") "} end fail:400"},
    {0, 0, IN("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n" NEXT),
     "CONNECT a:1 1.1 keep upgrade {Host=a:1;} end " NEXT_OUT},
    {0, 0, IN("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 3\r\n\r\nabc" NEXT),
     "CONNECT a:1 1.1 keep length=3 upgrade {Host=a:1;Content-Length=3;} body:abc end " NEXT_OUT},
    {0, 0, IN(UPGRADE "Content-Length: 3\r\n\r\nabc" NEXT),
     UPGRADE_OUT("length=3 ") "Content-Length=3;} body:abc end " NEXT_OUT},
    {0, 0, IN(UPGRADE "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" NEXT),
     UPGRADE_OUT("chunked ") "Transfer-Encoding=chunked;} body:abc end " NEXT_OUT},
    {0, 0, IN(GET "Host: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\nX: y\r\n\r\n" NEXT),
     "GET / 1.1 keep upgrade {Host=a;Connection=upgrade;Upgrade=h2c;X=y;} end " NEXT_OUT},
    {0, 0, IN(GET "Host: a\r\nUpgrade: websocket\r\n\r\n" NEXT),
     "GET / 1.1 keep {Host=a;Upgrade=websocket;} end " NEXT_OUT},
};

/* --- Responses ----------------------------------------------------------------------------------
 */

#define OK "HTTP/1.1 200 OK\r\n"
#define OK_CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"
#define OK_CHUNKED_OUT "200 OK 1.1 keep chunked {Transfer-Encoding=chunked;}"
#define EMPTY "HTTP/1.1 204 No Content\r\n\r\n"
#define EMPTY_OUT "204 No Content 1.1 keep {} end"

static const struct exchange responses[] = {
    /* What is right. */
    {0, 0, IN(OK "Content-Length: 5\r\n\r\nhello" EMPTY),
     "200 OK 1.1 keep length=5 {Content-Length=5;} body:hello end " EMPTY_OUT},
    {0, 0, IN(OK "Content-Length: 1\r\nConnection: close\r\n\r\nx" EMPTY),
     "200 OK 1.1 close length=1 {Content-Length=1;Connection=close;} body:x end rest:" EMPTY},
    {0, 0, IN(OK_CHUNKED "3\r\nabc\r\n0\r\nX: y\r\n\r\n" EMPTY),
     OK_CHUNKED_OUT " body:abc end " EMPTY_OUT},
    {0, 0, IN("HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n"),
     "404  1.1 keep length=0 {Content-Length=0;} end"},
    {0, 0, IN("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"),
     "404  1.1 keep length=0 {Content-Length=0;} end"},
    {0, 0, IN("HTTP/1.1 999 D\xe4h\r\nContent-Length: 0\r\n\r\n"),
     "999 D\xe4h 1.1 keep length=0 {Content-Length=0;} end"},
    /* No body, whatever the head says. */
    {0, 0, IN("HTTP/1.1 304 Same\r\nContent-Length: 5\r\n\r\n" EMPTY),
     "304 Same 1.1 keep length=5 {Content-Length=5;} end " EMPTY_OUT},
    {0, 0, IN("HTTP/1.1 100 Continue\r\n\r\n" EMPTY), "100 Continue 1.1 keep {} end " EMPTY_OUT},
    {0, 0, IN("HTTP/1.1 103 Hints\r\nTransfer-Encoding: chunked\r\n\r\n" EMPTY),
     "103 Hints 1.1 keep chunked {Transfer-Encoding=chunked;} end " EMPTY_OUT},
    {0, SKIP_BODY, IN(OK "Content-Length: 5\r\n\r\n" EMPTY),
     "200 OK 1.1 keep length=5 {Content-Length=5;} end " EMPTY_OUT},
    {0, SKIP_BODY, IN(OK_CHUNKED EMPTY), OK_CHUNKED_OUT " end " EMPTY_OUT},
    {0, SKIP_BODY, IN(OK "\r\n" EMPTY), "200 OK 1.1 close {} end " EMPTY_OUT},
    /* The body ends with the link. */
    {0, FINISH, IN(OK "\r\nhello" EMPTY), "200 OK 1.1 close {} body:hello" EMPTY " end"},
    {0, FINISH, IN(OK "\r\n"), "200 OK 1.1 close {} end"},
    {0, FINISH, IN("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello"),
     "200 OK 1.0 close {Connection=keep-alive;} body:hello end"},
    {0, FINISH, IN("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx"),
     "200 OK 1.0 keep length=1 {Connection=keep-alive;Content-Length=1;} body:x end"},
    {0, FINISH, IN(OK "Content-Length: 5\r\n\r\nhell"),
     "200 OK 1.1 keep length=5 {Content-Length=5;} body:hell fail:400"},
    {0, FINISH, IN(OK_CHUNKED "5\r\nhello\r\n"), OK_CHUNKED_OUT " body:hello fail:400"},
    {0, FINISH, IN("HTTP/1.1 200"), "fail:400"},
    {0, FINISH, IN(""), ""},
    /* Another protocol. */
    {0, TAKE, IN("HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n\x81\x80"),
     "101 Go 1.1 keep upgrade {Upgrade=websocket;Connection=Upgrade;} rest:\x81\x80"},
    {0, TAKE, IN("HTTP/1.1 200 Tunnel\r\n\r\n\x16\x03"), "200 Tunnel 1.1 close {} rest:\x16\x03"},
    {0, 0, IN("HTTP/1.1 101 Go\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n" EMPTY),
     "101 Go 1.1 keep upgrade {Upgrade=x;Connection=Upgrade;} end " EMPTY_OUT},
    {0, 0, IN(OK "Upgrade: h2\r\nConnection: Upgrade\r\nContent-Length: 1\r\n\r\nx"),
     "200 OK 1.1 keep length=1 {Upgrade=h2;Connection=Upgrade;Content-Length=1;} body:x end"},
    /* The table of requests, the other way. */
    {0, 0, IN(OK "X: \rxTransfer-Encoding: chunked\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK "X: a\r\n Content-Length: 28\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK "X: a\r\n\rX\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK "X: a\nY: b\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK ": x\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK "X : y\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK "X: y\0z\r\n\r\n"), "fail:400"},
    {0, 0, IN("\r\n" OK "\r\n"), "fail:400"},
    {0, 0, IN(OK_CHUNKED "3\r\nabcXX0\r\n\r\n"), OK_CHUNKED_OUT " body:abc fail:400"},
    {0, 0, IN(OK_CHUNKED "3\rXabc\r\n0\r\n\r\n"), OK_CHUNKED_OUT " fail:400"},
    {0, 0, IN(OK_CHUNKED "3;x\rXabc\r\n0\r\n\r\n"), OK_CHUNKED_OUT " fail:400"},
    {0, 0, IN(OK_CHUNKED "0x3\r\nabc\r\n0\r\n\r\n"), OK_CHUNKED_OUT " fail:400"},
    {0, 0, IN(OK_CHUNKED "10000000000000000\r\nabc"), OK_CHUNKED_OUT " fail:400"},
    {0, 0, IN(OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(OK "Content-Length:\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(OK "Content-Length: 5, 5\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(OK "Content-Length: +5\r\n\r\nhello"), "fail:400"},
    {0, 0, IN(OK "Content-Length: 18446744073709551616\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK "Transfer-Encoding: gzip\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "fail:400"},
    {0, 0, IN(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n"),
     "fail:400"},
    {0, 0, IN("HTTP/2.0 200 OK\r\n\r\n"), "fail:400"},
    {0, 0, IN("HTTP/1.2 200 OK\r\n\r\n"), "fail:400"},
    {0, 0, IN("HTTP/0.9 200 OK\r\n\r\n"), "fail:400"},
    {0, 0, IN("RTSP/1.0 200 OK\r\n\r\n"), "fail:400"},
    {0, 0, IN("ICY 200 OK\r\n\r\n"), "fail:400"},
    {0, 0, IN("HTTP/1.1  200 OK\r\n\r\n"), "fail:400"},
    {0, 0, IN("HTTP/1.1 20 OK\r\n\r\n"), "fail:400"},
    {0, 0, IN("HTTP/1.1 099 OK\r\n\r\n"), "fail:400"},
    {0, 0, IN("HTTP/1.1 2000 OK\r\n\r\n"), "fail:400"},
    {0, 0, IN("HTTP/1.1 200OK\r\n\r\n"), "fail:400"},
    {0, 0, IN("HTTP/1.1 200 O\0K\r\n\r\n"), "fail:400"},
    {0, 0, IN("HTTP/1.1 \r\n\r\n"), "fail:400"},
    {0, 0, IN("HTTP/1.1\r\n\r\n"), "fail:400"},
    {0, 0, IN("H\r\n\r\n"), "fail:400"},
    {0, 0, IN("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "fail:400"},
};

int main(void) {
  expect_all(HTTP_REQUESTS, requests, sizeof requests / sizeof *requests);
  expect_all(HTTP_REQUESTS, upgrades, sizeof upgrades / sizeof *upgrades);
  expect_all(HTTP_RESPONSES, responses, sizeof responses / sizeof *responses);
  printf("good: %d checks\n", checked);
  return 0;
}
