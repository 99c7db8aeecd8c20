#include "modules/strobe/ws/handshake.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

/* What the RFC says a server appends to the key. */
static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

enum { GUID_SIZE = sizeof guid - 1, SHA1_SIZE = 20 };

/* --- The key -------------------------------------------------------------------------------- */

void ws_key_write(char key[WS_KEY_TEXT + 1], const uint8_t nonce[WS_NONCE_SIZE]) {
  EVP_EncodeBlock((unsigned char *)key, nonce, WS_NONCE_SIZE);
}

static bool is_base64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '/';
}

/* Decoding would tell less: OpenSSL passes over blanks, and counts the padding. */
bool ws_key_valid(const char *key, size_t size) {
  if (size != WS_KEY_TEXT || memcmp(key + WS_KEY_TEXT - 2, "==", 2) != 0)
    return false;
  for (size_t i = 0; i < WS_KEY_TEXT - 2; i++)
    if (!is_base64(key[i]))
      return false;
  return true;
}

bool ws_accept_write(char accept[WS_ACCEPT_TEXT + 1], const char *key) {
  char text[WS_KEY_TEXT + GUID_SIZE];
  unsigned char digest[EVP_MAX_MD_SIZE];
  memcpy(text, key, WS_KEY_TEXT);
  memcpy(text + WS_KEY_TEXT, guid, GUID_SIZE);
  if (EVP_Digest(text, sizeof text, digest, NULL, EVP_sha1(), NULL) != 1)
    return false;
  EVP_EncodeBlock((unsigned char *)accept, digest, SHA1_SIZE);
  return true;
}

/* --- Lists ---------------------------------------------------------------------------------- */

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static bool element_is(const char *bytes, const char *end, const char *token) {
  while (bytes < end && is_blank(*bytes))
    bytes++;
  while (bytes < end && is_blank(end[-1]))
    end--;
  size_t size = (size_t)(end - bytes);
  return strlen(token) == size && strncasecmp(bytes, token, size) == 0;
}

bool ws_list_has(const char *list, size_t size, const char *token) {
  const char *end = list + size;
  while (list < end) {
    const char *comma = memchr(list, ',', (size_t)(end - list));
    const char *element_end = comma ? comma : end;
    if (element_is(list, element_end, token))
      return true;
    list = comma ? comma + 1 : end;
  }
  return false;
}

bool ws_head_has(const struct http_head *head, const char *name, const char *token) {
  for (int i = http_head_find(head, name, 0); i >= 0; i = http_head_find(head, name, i + 1)) {
    struct http_text value = http_field_value(head, i);
    if (ws_list_has(value.bytes, value.size, token))
      return true;
  }
  return false;
}
