/* The head of an HTTP/1 message (RFC 9112): its first line and its fields, and the rules
 * which a parser leaves to us.
 *
 * All texts are slices of the bytes as they came. Names are compared without regard to case.
 *
 * The rules: version 1.0 or 1.1 with single spaces around it; one of the nine methods of
 * RFC 9110 and 5789; exactly one Host in a request of 1.1, at most one in 1.0; no
 * Transfer-Encoding but "chunked", once, and not in 1.0; a target of at most 8 KiB.
 */
#ifndef STROBE_HTTP_HEAD_H
#define STROBE_HTTP_HEAD_H

#include "core/base/buffer.h"

#include <stdint.h>

enum {
  HTTP_HEAD_MAX = 16 * 1024, /* bytes, with the empty line */
  HTTP_TARGET_MAX = 8 * 1024,
  HTTP_FIELDS_MAX = 100
};

enum http_kind { HTTP_REQUESTS, HTTP_RESPONSES };

struct http_text {
  const char *bytes;
  size_t size;
};

struct http_slice {
  uint16_t start, size;
};

struct http_field {
  struct http_slice name, value;
};

struct http_head {
  const char *bytes;
  size_t size;
  struct http_slice method, target; /* of a request */
  struct http_slice reason;         /* of a response */
  uint16_t status;
  uint8_t minor;   /* HTTP/1.minor */
  bool keep_alive; /* another message may follow */
  bool upgrade;    /* the sender would speak, or from now on speaks, another protocol */
  /* How the body ends: at once, if it is neither; a response's may end with the link. */
  bool chunked, has_length;
  uint64_t content_length;
  uint16_t field_count;
  struct http_field fields[HTTP_FIELDS_MAX];
};

/* What is wrong with a message, and what a server answers to it. */
struct http_fault {
  uint16_t status;
  const char *text;
};

static inline struct http_text http_head_text(const struct http_head *head,
                                              struct http_slice slice) {
  return (struct http_text){head->bytes + slice.start, slice.size};
}

static inline struct http_text http_field_name(const struct http_head *head, int field) {
  return http_head_text(head, head->fields[field].name);
}

static inline struct http_text http_field_value(const struct http_head *head, int field) {
  return http_head_text(head, head->fields[field].value);
}

/* The first field of this name from number `from` on, counted from 0; or -1. */
int http_head_find(const struct http_head *head, const char *name, int from);

/* Appends the values of all fields of this name, joined by commas: one list on several lines
 * is one list. False when there is no memory. */
bool http_head_join(const struct http_head *head, const char *name, struct buffer *out);

/* Looks at the method, before a parser does: a name that is unknown is another fault than
 * no name. NULL when it is good; the slice is then set. */
const struct http_fault *http_head_check_method(struct http_head *head);

/* The rules, for a head that was parsed: fields, target and status are set. Sets the version,
 * the reason and `chunked`; strips blanks off values. NULL when all are kept. */
const struct http_fault *http_head_check(struct http_head *head, enum http_kind kind);

#endif
