#include "modules/strobe/ws/key.h"

#include <openssl/rand.h>
#include <string.h>

bool ws_key_next(struct ws_keys *keys, uint8_t key[WS_KEY_SIZE]) {
  if (keys->left < WS_KEY_SIZE) {
    if (RAND_bytes(keys->block, sizeof keys->block) != 1)
      return false;
    keys->left = sizeof keys->block;
  }
  keys->left -= WS_KEY_SIZE;
  memcpy(key, keys->block + keys->left, WS_KEY_SIZE);
  memset(keys->block + keys->left, 0, WS_KEY_SIZE);
  return true;
}
