/* HTTP/1 (RFC 9112) as a server or a client reads it: bytes in, events out.
 *
 *   struct http_input input = {bytes, size};
 *   struct http_event event;
 *   while (http_parser_next(parser, &input, &event))
 *     ...
 *
 * A message is a head, slices of its body, and its end. What is left in `input` after an
 * event was not looked at: whoever stops asking at a message's end reads no request ahead.
 *
 * A head is gathered until the guard has found its end; only then llhttp sees it, and
 * nothing behind it, for of pipelined heads each must pass the guard (see guard.h). After
 * llhttp come the rules of head.h. Chunked bodies lose their framing, extensions and
 * trailers. After a failure, and after a message that is the link's last, nothing is read.
 *
 * Limits: those of head.h. Bytes of a chunked body outside its chunks, 16 KiB, without what
 * plain framing needs; the body itself is for the caller to count. A parser has 1.1 KiB,
 * and the memory of the head it holds.
 */
#ifndef STROBE_HTTP_PARSER_H
#define STROBE_HTTP_PARSER_H

#include "modules/strobe/http/head.h"

enum { HTTP_FRAMING_MAX = 16 * 1024 };

/* What is still to be read. */
struct http_input {
  const char *bytes;
  size_t size;
};

enum http_event_kind { HTTP_GOT_HEAD, HTTP_GOT_BODY, HTTP_GOT_END, HTTP_GOT_FAILURE };

struct http_event {
  enum http_event_kind kind;
  uint16_t status;   /* of a failure: what a server answers */
  const char *bytes; /* a slice of the body, in the input; or why it failed, a fixed text */
  size_t size;
  /* The message's, or NULL when that failed in its head. It holds until the next message is
   * asked for. */
  const struct http_head *head;
};

/* NULL when there is no memory. */
struct http_parser *http_parser_new(enum http_kind kind);

/* NULL is allowed. */
void http_parser_free(struct http_parser *parser);

/* Reads until something is to tell; false when all input was read, or no more will be. */
bool http_parser_next(struct http_parser *parser, struct http_input *input,
                      struct http_event *event);

/* After a head: the body which it announces does not come, for this answers a HEAD. */
void http_parser_skip_body(struct http_parser *parser);

/* After a head: the message ends here and another protocol begins. Nothing more is read, and
 * what is left in the input belongs to it. A head which asks for this, with `upgrade`, and
 * is not taken is one like others. */
void http_parser_take(struct http_parser *parser);

/* The sender ended its side, after all input was read. True when that is to be told: it is
 * the end of a body or cuts a message short. */
bool http_parser_finish(struct http_parser *parser, struct http_event *event);

/* Whether nothing of a message was read yet, so that the link may end. */
bool http_parser_idle(const struct http_parser *parser);

#endif
