/* Messages that came and wait to be taken, the oldest first.
 *
 * What is put in is a whole message, or with streaming a piece of one. Pieces of text are
 * cut between two characters: the start of one is kept back for the next piece.
 *
 * It holds `most` of them. Whole messages that find no room are left out one by one; of a
 * streamed message nothing may be missing in its middle, so that no later piece is taken.
 */
#ifndef STROBE_WS_INBOX_H
#define STROBE_WS_INBOX_H

#include "core/base/list.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ws_message {
  struct list link;
  bool text;
  bool last; /* the message, or the last piece of it */
  size_t size;
  char bytes[];
};

struct ws_inbox {
  struct list messages;
  unsigned count, most;
  bool cut_off;      /* a piece has found no room */
  uint8_t held_size; /* bytes of a character that is not whole yet */
  char held[3];
};

void ws_inbox_init(struct ws_inbox *inbox, unsigned most);
void ws_inbox_free(struct ws_inbox *inbox);

static inline bool ws_inbox_full(const struct ws_inbox *inbox) {
  return inbox->count >= inbox->most;
}

/* Puts a message in, or a piece. False when there is no memory. */
bool ws_inbox_put(struct ws_inbox *inbox, const char *bytes, size_t size, bool text);
bool ws_inbox_put_piece(struct ws_inbox *inbox, const char *bytes, size_t size, bool text,
                        bool last);

/* The oldest; NULL when there is none. */
struct ws_message *ws_inbox_first(const struct ws_inbox *inbox);

/* Takes it out. It is the caller's to free. */
struct ws_message *ws_inbox_take(struct ws_inbox *inbox);

#endif
