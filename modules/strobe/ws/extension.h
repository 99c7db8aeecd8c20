/* The header Sec-WebSocket-Extensions (RFC 6455, section 9.1), as far as it speaks of
 * permessage-deflate (RFC 7692, section 7.1).
 *
 *   client   ws_extension_append     offers
 *   server   ws_extension_choose     takes the first offer it can keep
 *            ws_extension_append     says so
 *   client   ws_extension_check      looks whether that is what it offered
 *
 * A header on several lines is given as one, joined by commas. A server passes over an
 * offer that it does not know or understand; only a header which is none at all, by its
 * grammar, is a fault. To a client, everything it did not offer is one.
 *
 * A window of 8 bits is accepted where the RFC leaves no choice, but never asked for:
 * zlib cannot deflate with it.
 */
#ifndef STROBE_WS_EXTENSION_H
#define STROBE_WS_EXTENSION_H

#include "core/base/buffer.h"

#include <stdint.h>

/* The parameters of an offer or a response, by the names of the RFC. Bits are 8 to 15; 0
 * is a parameter that is not there, and WS_BITS_ANY one without a value, which only the
 * client's may be, in an offer. */
struct ws_deflate_params {
  bool server_no_context_takeover;
  bool client_no_context_takeover;
  uint8_t server_max_window_bits;
  uint8_t client_max_window_bits;
};

enum { WS_BITS_ANY = 1 };

enum ws_extension_result {
  WS_EXTENSION_NONE,   /* go on without */
  WS_EXTENSION_AGREED, /* on the parameters of the response */
  WS_EXTENSION_FAULT   /* server: answer 400; client: end the connection */
};

/* The window of a response, which means 15 when it is silent. */
static inline unsigned ws_window_bits(uint8_t bits) {
  return bits > WS_BITS_ANY ? bits : 15;
}

/* Appends the value of the header, for an offer or a response. False when there is no
 * memory. */
bool ws_extension_append(struct buffer *out, const struct ws_deflate_params *params);

/* For a server: `ours` are the takeovers it wants to go without and the largest windows it
 * wants, of 9 bits or more; NULL when it wants no compression. */
enum ws_extension_result ws_extension_choose(const char *header, size_t size,
                                             const struct ws_deflate_params *ours,
                                             struct ws_deflate_params *response);

/* For a client: `offer` is what it sent, NULL if it offered nothing. */
enum ws_extension_result ws_extension_check(const char *header, size_t size,
                                            const struct ws_deflate_params *offer,
                                            struct ws_deflate_params *response);

#endif
