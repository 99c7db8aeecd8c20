/* Whether bytes are UTF-8, told as they come.
 *
 * The state is carried over reads and frames. Text is refused at its first
 * impossible byte, not at the end of the character: surrogates, overlong forms and
 * what lies beyond U+10FFFF are known by the second byte.
 */
#ifndef STROBE_WS_UTF8_H
#define STROBE_WS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: between two characters. */
struct ws_utf8 {
  uint8_t state;
};

/* False when no text begins like this; the state is then of no more use. */
bool ws_utf8_feed(struct ws_utf8 *utf8, const char *bytes, size_t size);

/* Whether the text may end here. */
static inline bool ws_utf8_complete(const struct ws_utf8 *utf8) {
  return utf8->state == 0;
}

/* Whether all of it is text. */
bool ws_utf8_valid(const char *bytes, size_t size);

/* How much of a text to keep so that it has at most `limit` bytes and ends with a
 * whole character. */
size_t ws_utf8_cut(const char *text, size_t size, size_t limit);

/* How many of the last bytes are the start of a character whose rest is still to come; for
 * a text which ws_utf8_feed has taken. */
size_t ws_utf8_unfinished(const char *text, size_t size);

#endif
