/* The opening handshake of a WebSocket (RFC 6455, section 4): the key, its answer, and the
 * headers which list tokens.
 *
 * A client sends a key, 16 random bytes in base64; the server answers with a digest of its
 * text, which shows that it speaks WebSocket. Everything else in the handshake is HTTP:
 * see ../http/parser.h, and extension.h for the one header with a grammar of its own.
 */
#ifndef STROBE_WS_HANDSHAKE_H
#define STROBE_WS_HANDSHAKE_H

#include "modules/strobe/http/parser.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  WS_NONCE_SIZE = 16,  /* the random bytes */
  WS_KEY_TEXT = 24,    /* Sec-WebSocket-Key */
  WS_ACCEPT_TEXT = 28, /* Sec-WebSocket-Accept */
};

/* Makes the key; it ends with a zero byte. */
void ws_key_write(char key[WS_KEY_TEXT + 1], const uint8_t nonce[WS_NONCE_SIZE]);

/* Whether this is base64 of 16 bytes. */
bool ws_key_valid(const char *key, size_t size);

/* Makes the answer to a valid key; it ends with a zero byte. False when the system has no
 * SHA-1, or no memory. */
bool ws_accept_write(char accept[WS_ACCEPT_TEXT + 1], const char *key);

/* Whether a list with commas, as in Connection and Upgrade, has a token; case is ignored. */
bool ws_list_has(const char *list, size_t size, const char *token);

/* The same for a header, which may have several lines. */
bool ws_head_has(const struct http_head *head, const char *name, const char *token);

#endif
