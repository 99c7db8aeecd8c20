#include "modules/strobe/ws/extension.h"

#include "modules/strobe/ws/deflate.h"

#include <stdio.h>
#include <string.h>

static const char deflate_name[] = "permessage-deflate";

/* --- The grammar -------------------------------------------------------------------------- */

struct reader {
  const char *at, *end;
};

struct token {
  const char *bytes;
  size_t size;
};

static bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static void skip_blanks(struct reader *reader) {
  while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t'))
    reader->at++;
}

/* Skips the character, and blanks around it, if it is the next one. */
static bool read_char(struct reader *reader, char c) {
  skip_blanks(reader);
  if (reader->at == reader->end || *reader->at != c)
    return false;
  reader->at++;
  skip_blanks(reader);
  return true;
}

static bool read_token(struct reader *reader, struct token *token) {
  token->bytes = reader->at;
  while (reader->at < reader->end && is_token_char(*reader->at))
    reader->at++;
  token->size = (size_t)(reader->at - token->bytes);
  return token->size > 0;
}

static bool token_is(const struct token *token, const char *name) {
  return strlen(name) == token->size && memcmp(token->bytes, name, token->size) == 0;
}

/* A value without its quotes. Only numbers of two digits are of interest. */
struct value {
  char digits[2];
  size_t size; /* also of a longer one; 0: no value */
};

static void value_add(struct value *value, char c) {
  if (value->size < sizeof value->digits)
    value->digits[value->size] = c;
  value->size++;
}

/* Without its quotes it must still be a token. */
static bool read_quoted(struct reader *reader, struct value *value) {
  for (reader->at++; reader->at < reader->end; reader->at++) {
    if (*reader->at == '"') {
      reader->at++;
      return value->size > 0;
    }
    if (*reader->at == '\\' && reader->at + 1 < reader->end)
      reader->at++;
    if (!is_token_char(*reader->at))
      return false;
    value_add(value, *reader->at);
  }
  return false;
}

static bool read_value(struct reader *reader, struct value *value) {
  struct token token;
  *value = (struct value){.size = 0};
  if (!read_char(reader, '='))
    return true;
  if (reader->at < reader->end && *reader->at == '"')
    return read_quoted(reader, value);
  if (!read_token(reader, &token))
    return false;
  for (size_t i = 0; i < token.size; i++)
    value_add(value, token.bytes[i]);
  return true;
}

/* --- Parameters ----------------------------------------------------------------------------- */

/* 8 to 15 without a leading zero; 0 for all else. */
static uint8_t bits_of(const struct value *value) {
  char first = value->digits[0], second = value->digits[1];
  if (value->size == 1 && (first == '8' || first == '9'))
    return (uint8_t)(first - '0');
  if (value->size == 2 && first == '1' && second >= '0' && second <= '5')
    return (uint8_t)(10 + second - '0');
  return 0;
}

static bool set_flag(bool *flag, const struct value *value) {
  bool good = !*flag && value->size == 0;
  *flag = true;
  return good;
}

static bool set_bits(uint8_t *bits, uint8_t value) {
  bool good = *bits == 0 && value != 0;
  *bits = value;
  return good;
}

/* False for what is unknown, repeated, or has a wrong value. */
static bool set_param(struct ws_deflate_params *params, const struct token *name,
                      const struct value *value) {
  if (token_is(name, "server_no_context_takeover"))
    return set_flag(&params->server_no_context_takeover, value);
  if (token_is(name, "client_no_context_takeover"))
    return set_flag(&params->client_no_context_takeover, value);
  if (token_is(name, "server_max_window_bits"))
    return set_bits(&params->server_max_window_bits, bits_of(value));
  if (token_is(name, "client_max_window_bits"))
    return set_bits(&params->client_max_window_bits, value->size ? bits_of(value) : WS_BITS_ANY);
  return false;
}

struct extension {
  bool ours; /* permessage-deflate, with good parameters only */
  struct ws_deflate_params params;
};

/* False when this is no extension by its grammar. */
static bool read_extension(struct reader *reader, struct extension *extension) {
  struct token name;
  struct value value;
  *extension = (struct extension){.ours = false};
  if (!read_token(reader, &name))
    return false;
  extension->ours = token_is(&name, deflate_name);
  while (read_char(reader, ';')) {
    if (!read_token(reader, &name) || !read_value(reader, &value))
      return false;
    if (!set_param(&extension->params, &name, &value))
      extension->ours = false;
  }
  skip_blanks(reader);
  return reader->at == reader->end || *reader->at == ',';
}

/* Whether another extension follows; lists may have empty elements. */
static bool more(struct reader *reader) {
  while (read_char(reader, ','))
    ;
  return reader->at < reader->end;
}

/* --- Writing -------------------------------------------------------------------------------- */

static size_t write_bits(char *to, size_t room, const char *name, uint8_t bits) {
  if (bits == 0)
    return 0;
  int size = bits == WS_BITS_ANY ? snprintf(to, room, "; %s", name)
                                 : snprintf(to, room, "; %s=%u", name, (unsigned)bits);
  return (size_t)size;
}

bool ws_extension_append(struct buffer *out, const struct ws_deflate_params *params) {
  char text[200];
  size_t size =
      (size_t)snprintf(text, sizeof text, "%s%s%s", deflate_name,
                       params->server_no_context_takeover ? "; server_no_context_takeover" : "",
                       params->client_no_context_takeover ? "; client_no_context_takeover" : "");
  size += write_bits(text + size, sizeof text - size, "server_max_window_bits",
                     params->server_max_window_bits);
  size += write_bits(text + size, sizeof text - size, "client_max_window_bits",
                     params->client_max_window_bits);
  return buffer_append(out, text, size);
}

/* --- The server ------------------------------------------------------------------------------ */

static unsigned smaller(unsigned a, unsigned b) {
  return a < b ? a : b;
}

/* Our window. It is named when the client asked for one, or must know of a smaller one. */
static uint8_t server_bits(uint8_t offered, uint8_t ours) {
  unsigned bits = smaller(ws_window_bits(offered), ws_window_bits(ours));
  return offered || bits < WS_WINDOW_MAX ? (uint8_t)bits : 0;
}

/* The client's window can be made smaller only if it said that it can do so. Of one that
 * offers 8 we do not ask it. */
static uint8_t client_bits(uint8_t offered, uint8_t ours) {
  unsigned bits = smaller(ws_window_bits(offered), ws_window_bits(ours));
  return offered && bits > WS_WINDOW_MIN && bits < WS_WINDOW_MAX ? (uint8_t)bits : 0;
}

static bool can_keep(const struct extension *offer) {
  return offer->ours && offer->params.server_max_window_bits != WS_WINDOW_MIN;
}

static struct ws_deflate_params respond(const struct ws_deflate_params *offer,
                                        const struct ws_deflate_params *ours) {
  return (struct ws_deflate_params){
      .server_no_context_takeover =
          offer->server_no_context_takeover || ours->server_no_context_takeover,
      .client_no_context_takeover =
          offer->client_no_context_takeover || ours->client_no_context_takeover,
      .server_max_window_bits =
          server_bits(offer->server_max_window_bits, ours->server_max_window_bits),
      .client_max_window_bits =
          client_bits(offer->client_max_window_bits, ours->client_max_window_bits)};
}

enum ws_extension_result ws_extension_choose(const char *header, size_t size,
                                             const struct ws_deflate_params *ours,
                                             struct ws_deflate_params *response) {
  struct reader reader = {header, header + size};
  struct extension offer;
  enum ws_extension_result result = WS_EXTENSION_NONE;
  skip_blanks(&reader);
  while (more(&reader)) {
    if (!read_extension(&reader, &offer))
      return WS_EXTENSION_FAULT;
    if (result == WS_EXTENSION_AGREED || !ours || !can_keep(&offer))
      continue;
    *response = respond(&offer.params, ours);
    result = WS_EXTENSION_AGREED;
  }
  return result;
}

/* --- The client ------------------------------------------------------------------------------ */

/* Whether the server kept to an offered window; it need not name ours. */
static bool server_bits_kept(uint8_t bits, uint8_t offered) {
  return offered == 0 || (bits != 0 && bits <= offered);
}

static bool client_bits_kept(uint8_t bits, uint8_t offered) {
  return bits == 0 || (bits != WS_BITS_ANY && offered != 0 && bits <= ws_window_bits(offered));
}

static bool kept(const struct ws_deflate_params *response, const struct ws_deflate_params *offer) {
  return (response->server_no_context_takeover || !offer->server_no_context_takeover) &&
         server_bits_kept(response->server_max_window_bits, offer->server_max_window_bits) &&
         client_bits_kept(response->client_max_window_bits, offer->client_max_window_bits);
}

enum ws_extension_result ws_extension_check(const char *header, size_t size,
                                            const struct ws_deflate_params *offer,
                                            struct ws_deflate_params *response) {
  struct reader reader = {header, header + size};
  struct extension extension;
  skip_blanks(&reader);
  if (!more(&reader))
    return WS_EXTENSION_NONE;
  if (!offer || !read_extension(&reader, &extension) || more(&reader) || !extension.ours ||
      !kept(&extension.params, offer))
    return WS_EXTENSION_FAULT;
  *response = extension.params;
  return WS_EXTENSION_AGREED;
}
