#include "modules/strobe/http/guard.h"

#include <stdbool.h>
#include <string.h>

/* Where the next byte lies; the last three say what was wrong. */
enum state { LINE_START, IN_LINE, AFTER_CR, AFTER_EMPTY_CR, BARE_LF, BARE_CR, FOLDED };

void http_guard_init(struct http_guard *guard, unsigned empty_lines) {
  *guard = (struct http_guard){.state = LINE_START, .empty_lines = (uint8_t)empty_lines};
}

static enum state start_line(char c) {
  switch (c) {
  case '\r':
    return AFTER_EMPTY_CR;
  case '\n':
    return BARE_LF;
  case ' ':
  case '\t':
  case ':':
    return FOLDED;
  default:
    return IN_LINE;
  }
}

/* Goes to the end of the line, or of what there is of it; returns how far that is. */
static size_t go_on_line(struct http_guard *guard, const char *bytes, size_t size) {
  const char *lf = memchr(bytes, '\n', size);
  size_t length = lf ? (size_t)(lf - bytes) : size;
  const char *cr = memchr(bytes, '\r', length);
  if (cr) {
    guard->state = AFTER_CR;
    return (size_t)(cr - bytes) + 1;
  }
  if (lf)
    guard->state = BARE_LF;
  return length;
}

/* A CR was the last byte. True when the head ends with this one. */
static bool end_line(struct http_guard *guard, char c) {
  bool empty = guard->state == AFTER_EMPTY_CR;
  guard->state = c == '\n' ? LINE_START : BARE_CR;
  if (guard->state == BARE_CR)
    return false;
  if (!empty) {
    guard->lines++;
    return false;
  }
  if (guard->lines > 0)
    return true;
  if (guard->empty_lines == 0) {
    guard->state = FOLDED;
    return false;
  }
  guard->empty_lines--;
  guard->skipped += 2;
  return false;
}

/* Takes some bytes; true when the head ends with the last of them. */
static bool step(struct http_guard *guard, const char *bytes, size_t size, size_t *taken) {
  *taken = 1;
  switch (guard->state) {
  case LINE_START:
    guard->state = (uint8_t)start_line(bytes[0]);
    return false;
  case IN_LINE:
    *taken = go_on_line(guard, bytes, size);
    return false;
  default:
    return end_line(guard, bytes[0]);
  }
}

enum http_guard_result http_guard_feed(struct http_guard *guard, const char *bytes, size_t size,
                                       size_t *used) {
  bool whole = false;
  *used = 0;
  while (*used < size && !whole && guard->state < BARE_LF) {
    size_t taken;
    whole = step(guard, bytes + *used, size - *used, &taken);
    *used += taken;
  }
  guard->seen += *used;
  return guard->state >= BARE_LF ? HTTP_GUARD_REFUSED : whole ? HTTP_GUARD_WHOLE : HTTP_GUARD_MORE;
}

const char *http_guard_reason(const struct http_guard *guard) {
  switch (guard->state) {
  case BARE_LF:
    return "a line ends without CR";
  case BARE_CR:
    return "a CR without LF";
  default:
    return guard->lines > 0 ? "a folded line, or a header without a name"
                            : "an empty line or a blank before the first line";
  }
}
