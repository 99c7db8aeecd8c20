/* Mask keys: what a client masks a frame with must be new and unpredictable each time
 * (RFC 6455, section 10.3).
 */
#ifndef STROBE_WS_KEY_H
#define STROBE_WS_KEY_H

#include "modules/strobe/ws/frame.h"

#include <stdbool.h>

/* Random bytes from the system, fetched a block at a time. */
struct ws_keys {
  size_t left;
  uint8_t block[4096];
};

/* False when the system has none. */
bool ws_key_next(struct ws_keys *keys, uint8_t key[WS_KEY_SIZE]);

#endif
