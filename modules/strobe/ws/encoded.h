/* A server's message to many: encoded once, and once more for each window that peers agreed
 * on with permessage-deflate.
 *
 * A frame deflated without regard to the messages before it can be read by any peer with a
 * window as large, whatever it got before. Who sends it must not refer to messages before it
 * afterwards, see ws_deflater_forget.
 */
#ifndef STROBE_WS_ENCODED_H
#define STROBE_WS_ENCODED_H

#include "modules/strobe/ws/deflate.h"

struct ws_encoded {
  bool text;
  size_t payload; /* where it begins in `plain` */
  struct buffer plain;
  struct buffer deflated[WS_WINDOW_MAX + 1]; /* by window bits; empty as long as not needed */
};

/* Only ws_encoded_free may follow when this returns false: no memory. */
bool ws_encoded_init(struct ws_encoded *encoded, const char *bytes, size_t size, bool text);
void ws_encoded_free(struct ws_encoded *encoded);

static inline size_t ws_encoded_size(const struct ws_encoded *encoded) {
  return buffer_size(&encoded->plain) - encoded->payload;
}

/* The compressed frame; NULL when there is no memory for it. */
const struct buffer *ws_encoded_deflate(struct ws_encoded *encoded,
                                        const struct ws_deflater_options *options);

#endif
