/* What a message's head must look like before a parser may see it (RFC 9112, section 2.2).
 *
 * Parsers differ in what they take for the end of a line, and an attacker can hide a header
 * or a whole request in the difference. So: every LF follows a CR, every CR comes before an
 * LF, and no line begins with a blank, which would continue the line before it, or with a
 * colon, which would be a header without a name.
 *
 * The guard is fed the head as it comes and finds its end, the first empty line. It never
 * looks at a byte twice, so a head that comes byte by byte costs no more than another.
 */
#ifndef STROBE_HTTP_GUARD_H
#define STROBE_HTTP_GUARD_H

#include <stddef.h>
#include <stdint.h>

enum http_guard_result {
  HTTP_GUARD_MORE, /* so far, so good */
  HTTP_GUARD_WHOLE,
  HTTP_GUARD_REFUSED
};

struct http_guard {
  uint8_t state;
  uint8_t empty_lines; /* that may still come before the first line */
  size_t seen;         /* bytes so far; the head ends here when it is whole */
  size_t skipped;      /* bytes of empty lines before the first line */
  size_t lines;        /* that are complete */
};

/* A client may send one empty line before a request, for old clients did; never a server. */
void http_guard_init(struct http_guard *guard, unsigned empty_lines);

/* Stores how many of the bytes belong to the head, for the last of them may not. */
enum http_guard_result http_guard_feed(struct http_guard *guard, const char *bytes, size_t size,
                                       size_t *used);

/* Why it refused: a fixed text. */
const char *http_guard_reason(const struct http_guard *guard);

#endif
