#include "modules/strobe/ws/close.h"

#include "modules/strobe/ws/frame.h"
#include "modules/strobe/ws/utf8.h"

#include <string.h>

bool ws_close_valid(unsigned code) {
  switch (code) {
  case 1004: /* reserved */
  case WS_NO_CODE:
  case WS_ABNORMAL:
    return false;
  default:
    /* 1012 to 1014 came after the RFC; load balancers send them. */
    return (code >= WS_NORMAL && code <= WS_BAD_GATEWAY) || (code >= 3000 && code <= 4999);
  }
}

bool ws_close_append(struct buffer *out, const uint8_t *key, unsigned code, const char *reason,
                     size_t size) {
  char payload[WS_CODE_SIZE + WS_REASON_MAX];
  if (code == WS_NO_CODE)
    return ws_frame_append(out, WS_FIN | WS_CLOSE, key, NULL, 0);
  size = ws_utf8_cut(reason, size, WS_REASON_MAX);
  payload[0] = (char)(code >> 8);
  payload[1] = (char)code;
  if (size > 0)
    memcpy(payload + WS_CODE_SIZE, reason, size);
  return ws_frame_append(out, WS_FIN | WS_CLOSE, key, payload, WS_CODE_SIZE + size);
}
