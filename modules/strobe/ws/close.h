/* A Close frame's payload (RFC 6455, sections 5.5.1 and 7.4): empty, or a code of two
 * bytes and a reason.
 */
#ifndef STROBE_WS_CLOSE_H
#define STROBE_WS_CLOSE_H

#include "core/base/buffer.h"

#include <stdint.h>

enum ws_close_code {
  WS_NORMAL = 1000,
  WS_GOING_AWAY = 1001,
  WS_PROTOCOL_ERROR = 1002,
  WS_UNSUPPORTED = 1003,
  WS_NO_CODE = 1005,  /* never sent: a Close without a code */
  WS_ABNORMAL = 1006, /* never sent: the link ended without a Close */
  WS_BAD_DATA = 1007,
  WS_POLICY = 1008,
  WS_TOO_BIG = 1009,
  WS_NEEDS_EXTENSION = 1010,
  WS_SERVER_FAULT = 1011,
  WS_RESTART = 1012,
  WS_TRY_LATER = 1013,
  WS_BAD_GATEWAY = 1014,
  WS_TLS_FAILURE = 1015 /* never sent */
};

enum { WS_CODE_SIZE = 2, WS_REASON_MAX = 123 };

/* Whether a Close may carry this code. */
bool ws_close_valid(unsigned code);

static inline unsigned ws_close_code(const char *payload) {
  return (unsigned)(unsigned char)payload[0] << 8 | (unsigned char)payload[1];
}

/* Appends a Close; WS_NO_CODE makes an empty one. A reason, which must be UTF-8, loses the
 * characters beyond WS_REASON_MAX bytes. False when there is no memory; `out` is then as
 * before. */
bool ws_close_append(struct buffer *out, const uint8_t *key, unsigned code, const char *reason,
                     size_t size);

#endif
