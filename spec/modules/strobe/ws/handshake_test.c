/* The opening handshake: keys, lists of tokens, and what both ends agree on about
 * permessage-deflate.
 *
 * An agreement is written as the header that tells it, `none` or `fault`. */
#include "modules/strobe/ws/extension.h"
#include "modules/strobe/ws/handshake.h"
#include "spec/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Keys ----------------------------------------------------------------------------------- */

static void test_accept(void) {
  char accept[WS_ACCEPT_TEXT + 1], key[WS_KEY_TEXT + 1];
  uint8_t nonce[WS_NONCE_SIZE];
  for (int i = 0; i < WS_NONCE_SIZE; i++)
    nonce[i] = (uint8_t)i;
  ws_key_write(key, nonce);
  CHECK(strcmp(key, "AAECAwQFBgcICQoLDA0ODw==") == 0);
  CHECK(ws_accept_write(accept, key) && strcmp(accept, "Bz3qJYTGdOe8gUSpLosEdiLKDrk=") == 0);
  CHECK(ws_accept_write(accept, "dGhlIHNhbXBsZSBub25jZQ=="));
  CHECK(strcmp(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") == 0);
}

static const char *const good_keys[] = {
    "AAECAwQFBgcICQoLDA0ODw==",
    "dGhlIHNhbXBsZSBub25jZQ==",
    "++++++++++++++++++++/w==",
};

static const char *const bad_keys[] = {
    "",
    "AAECAwQFBgcICQoLDA0ODw",     /* no padding */
    "AAECAwQFBgcICQoLDA0ODw=",    /* not enough of it */
    "AAECAwQFBgcICQoLDA0ODxA=",   /* 17 bytes */
    "AAECAwQFBgcICQoLDA0O",       /* 15 bytes */
    "AAECAwQFBgcICQoLDA0ODxAR",   /* 18 bytes */
    " AAECAwQFBgcICQoLDA0ODw=",   /* blanks, which OpenSSL passes over */
    "AAECAwQFBgcICQoLDA0ODw==\n", /* */
    "AAECAwQFBgcICQoLDA0OD-==",   /* the alphabet of URLs */
    "AAECAwQFBgcICQ=LDA0ODw==",   /* padding in the middle */
    "AAECAwQFBgcICQoLDA0O\xe4w==",
};

static void test_keys(void) {
  for (size_t i = 0; i < sizeof good_keys / sizeof *good_keys; i++)
    CHECK(ws_key_valid(good_keys[i], strlen(good_keys[i])));
  for (size_t i = 0; i < sizeof bad_keys / sizeof *bad_keys; i++)
    CHECK(!ws_key_valid(bad_keys[i], strlen(bad_keys[i])));
  CHECK(!ws_key_valid("AAECAwQFBgcICQoLDA0\0Dw==", WS_KEY_TEXT));
}

/* --- Lists ---------------------------------------------------------------------------------- */

static bool lists(const char *list, const char *token) {
  return ws_list_has(list, strlen(list), token);
}

static void test_lists(void) {
  CHECK(lists("websocket", "websocket"));
  CHECK(lists("WebSocket", "websocket"));
  CHECK(lists("keep-alive, Upgrade", "upgrade"));
  CHECK(lists("keep-alive,\tupgrade\t ,", "upgrade"));
  CHECK(lists(",, ,upgrade", "upgrade"));
  CHECK(!lists("", "upgrade"));
  CHECK(!lists(" , ", "upgrade"));
  CHECK(!lists("upgrades", "upgrade"));
  CHECK(!lists("xupgrade", "upgrade"));
  CHECK(!lists("upgrade x", "upgrade"));
  CHECK(!lists("up,grade", "upgrade"));
  CHECK(!lists("upgrade/13", "upgrade"));
}

/* A list on several lines is one list. */
static void test_lines(void) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n"
                                "X: websocket\r\nconnection: x , Upgrade\r\n\r\n";
  struct http_parser *parser = http_parser_new(HTTP_REQUESTS);
  struct http_input input = {request, sizeof request - 1};
  struct http_event event;
  CHECK(parser && http_parser_next(parser, &input, &event) && event.kind == HTTP_GOT_HEAD);
  CHECK(ws_head_has(event.head, "Connection", "keep-alive"));
  CHECK(ws_head_has(event.head, "Connection", "upgrade"));
  CHECK(!ws_head_has(event.head, "Connection", "websocket"));
  CHECK(!ws_head_has(event.head, "Upgrade", "websocket"));
  http_parser_free(parser);
}

/* --- Agreements ------------------------------------------------------------------------------- */

#define PMD "permessage-deflate"

/* Of its exact size, so that a sanitizer sees who reads too far. */
static char *copy_of(const char *text) {
  char *copy = malloc(strlen(text) + 1);
  CHECK(copy);
  memcpy(copy, text, strlen(text));
  return realloc(copy, strlen(text) ? strlen(text) : 1);
}

static bool agreed_on(enum ws_extension_result result, const struct ws_deflate_params *params,
                      const char *expected) {
  struct buffer said;
  buffer_init(&said);
  if (result == WS_EXTENSION_AGREED)
    CHECK(ws_extension_append(&said, params));
  else
    CHECK(buffer_append(&said, result == WS_EXTENSION_NONE ? "none" : "fault",
                        result == WS_EXTENSION_NONE ? 4 : 5));
  bool same = buffer_size(&said) == strlen(expected) &&
              memcmp(buffer_front(&said), expected, buffer_size(&said)) == 0;
  if (!same)
    printf("%.*s instead of %s\n", (int)buffer_size(&said), buffer_front(&said), expected);
  buffer_free(&said);
  return same;
}

struct agreement {
  struct ws_deflate_params ours;
  const char *header, *expected;
};

/* The server's options are {server, client no_context_takeover, server, client bits}. */
static const struct agreement choices[] = {
    {{0}, "", "none"},
    {{0}, PMD, PMD},
    {{0}, " , ,\t" PMD " ,", PMD},
    {{0}, "x-webkit-deflate-frame", "none"},
    {{0}, "Permessage-Deflate", "none"},
    {{0}, "foo; bar=1, " PMD "; client_max_window_bits", PMD},
    /* Windows: the smaller one, told where it was asked for or is new. */
    {{0, 0, 12, 12}, PMD, PMD "; server_max_window_bits=12"},
    {{0, 0, 12, 12},
     PMD "; client_max_window_bits",
     PMD "; server_max_window_bits=12; client_max_window_bits=12"},
    {{0, 0, 12, 12},
     PMD "; client_max_window_bits=10; server_max_window_bits=11",
     PMD "; server_max_window_bits=11; client_max_window_bits=10"},
    {{0, 0, 12, 12},
     PMD "; client_max_window_bits=15; server_max_window_bits=15",
     PMD "; server_max_window_bits=12; client_max_window_bits=12"},
    {{0}, PMD ";server_max_window_bits=15", PMD "; server_max_window_bits=15"},
    {{0}, PMD "; server_max_window_bits=9", PMD "; server_max_window_bits=9"},
    {{0}, PMD "; client_max_window_bits=9", PMD "; client_max_window_bits=9"},
    /* 8: we cannot, and ask nobody to. */
    {{0}, PMD "; server_max_window_bits=8", "none"},
    {{0}, PMD "; server_max_window_bits=8, " PMD, PMD},
    {{0, 0, 9, 9}, PMD "; client_max_window_bits=8", PMD "; server_max_window_bits=9"},
    /* Takeover. */
    {{0}, PMD "; server_no_context_takeover", PMD "; server_no_context_takeover"},
    {{0}, PMD "; client_no_context_takeover", PMD "; client_no_context_takeover"},
    {{1, 1, 0, 0}, PMD, PMD "; server_no_context_takeover; client_no_context_takeover"},
    /* The first offer that can be kept. */
    {{0}, PMD "; server_max_window_bits=10, " PMD, PMD "; server_max_window_bits=10"},
    {{0}, PMD "; x, " PMD "; server_max_window_bits=10", PMD "; server_max_window_bits=10"},
    {{0}, PMD "; x=y, foo, " PMD "; z", "none"},
    /* Quotes. */
    {{0}, PMD "; server_max_window_bits=\"10\"", PMD "; server_max_window_bits=10"},
    {{0}, PMD "; server_max_window_bits=\"1\\0\"", PMD "; server_max_window_bits=10"},
    {{0}, PMD " ; server_max_window_bits = \"9\" ", PMD "; server_max_window_bits=9"},
    {{0}, "foo; bar=\"b\\az\"; baz, " PMD, PMD},
    /* An offer is declined, not the handshake. */
    {{0}, PMD "; server_no_context_takeover=1", "none"},
    {{0}, PMD "; server_no_context_takeover; server_no_context_takeover", "none"},
    {{0}, PMD "; client_no_context_takeover=\"1\"", "none"},
    {{0}, PMD "; client_no_context_takeover; client_no_context_takeover", "none"},
    {{0}, PMD "; server_max_window_bits", "none"},
    {{0}, PMD "; server_max_window_bits=7", "none"},
    {{0}, PMD "; server_max_window_bits=16", "none"},
    {{0}, PMD "; server_max_window_bits=010", "none"},
    {{0}, PMD "; server_max_window_bits=09", "none"},
    {{0}, PMD "; server_max_window_bits=0", "none"},
    {{0}, PMD "; server_max_window_bits=1", "none"},
    {{0}, PMD "; server_max_window_bits=100", "none"},
    {{0}, PMD "; server_max_window_bits=1x", "none"},
    {{0}, PMD "; server_max_window_bits=+9", "none"},
    {{0}, PMD "; server_max_window_bits=10; server_max_window_bits=10", "none"},
    {{0}, PMD "; server_max_window_bits; server_max_window_bits=10", "none"},
    {{0}, PMD "; client_max_window_bits=16", "none"},
    {{0}, PMD "; client_max_window_bits=1", "none"},
    {{0}, PMD "; client_max_window_bits; client_max_window_bits", "none"},
    {{0}, PMD "; client_max_window_bits=16; client_max_window_bits", "none"},
    {{0}, PMD "; Server_max_window_bits=10", "none"},
    /* No such header, by the grammar; also behind an offer that is good. */
    {{0}, ";", "fault"},
    {{0}, "=", "fault"},
    {{0}, PMD ";", "fault"},
    {{0}, PMD "; ; x", "fault"},
    {{0}, PMD "; =1", "fault"},
    {{0}, PMD "; x=", "fault"},
    {{0}, PMD "; x=,", "fault"},
    {{0}, PMD "; x=\"", "fault"},
    {{0}, PMD "; x=\"\"", "fault"},
    {{0}, PMD "; x=\"y", "fault"},
    {{0}, PMD "; x=\"y\\", "fault"},
    {{0}, PMD "; x=\"y z\"", "fault"},
    {{0}, PMD "; x=\"y\"z", "fault"},
    {{0}, PMD " x", "fault"},
    {{0}, PMD "; x y", "fault"},
    {{0}, PMD ", (", "fault"},
    {{0}, PMD "\xe4", "fault"},
};

static void test_choices(void) {
  for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
    struct ws_deflate_params response;
    char *header = copy_of(choices[i].header);
    enum ws_extension_result result =
        ws_extension_choose(header, strlen(choices[i].header), &choices[i].ours, &response);
    free(header);
    if (!agreed_on(result, &response, choices[i].expected))
      printf("offered: %s\n", choices[i].header);
    CHECK(agreed_on(result, &response, choices[i].expected));
  }
  struct ws_deflate_params response;
  CHECK(ws_extension_choose(PMD, strlen(PMD), NULL, &response) == WS_EXTENSION_NONE);
  CHECK(ws_extension_choose(";", 1, NULL, &response) == WS_EXTENSION_FAULT);
}

/* What was offered is {server, client no_context_takeover, server, client bits}. */
static const struct agreement checks[] = {
    {{0}, "", "none"},
    {{0}, " , ", "none"},
    {{0}, PMD, PMD},
    {{0}, "," PMD " ,", PMD},
    {{0},
     PMD "; server_no_context_takeover; client_no_context_takeover",
     PMD "; server_no_context_takeover; client_no_context_takeover"},
    {{0}, PMD "; server_max_window_bits=\"10\"", PMD "; server_max_window_bits=10"},
    {{0}, PMD "; server_max_window_bits=8", PMD "; server_max_window_bits=8"},
    /* The client's window, only if offered and not above. */
    {{0}, PMD "; client_max_window_bits=10", "fault"},
    {{0, 0, 0, WS_BITS_ANY}, PMD "; client_max_window_bits=10", PMD "; client_max_window_bits=10"},
    {{0, 0, 0, WS_BITS_ANY}, PMD "; client_max_window_bits=15", PMD "; client_max_window_bits=15"},
    {{0, 0, 0, WS_BITS_ANY}, PMD "; client_max_window_bits=8", PMD "; client_max_window_bits=8"},
    {{0, 0, 0, WS_BITS_ANY}, PMD, PMD},
    {{0, 0, 0, WS_BITS_ANY}, PMD "; client_max_window_bits", "fault"},
    {{0, 0, 0, 12}, PMD "; client_max_window_bits=12", PMD "; client_max_window_bits=12"},
    {{0, 0, 0, 12}, PMD "; client_max_window_bits=13", "fault"},
    /* What was asked of the server must be there. */
    {{0, 0, 12, 0}, PMD "; server_max_window_bits=12", PMD "; server_max_window_bits=12"},
    {{0, 0, 12, 0}, PMD "; server_max_window_bits=11", PMD "; server_max_window_bits=11"},
    {{0, 0, 12, 0}, PMD "; server_max_window_bits=13", "fault"},
    {{0, 0, 12, 0}, PMD, "fault"},
    {{1, 0, 0, 0}, PMD "; server_no_context_takeover", PMD "; server_no_context_takeover"},
    {{1, 0, 0, 0}, PMD, "fault"},
    {{0, 1, 0, 0}, PMD, PMD},
    /* Nothing else. */
    {{0}, "foo", "fault"},
    {{0}, PMD ", foo", "fault"},
    {{0}, PMD ", " PMD, "fault"},
    {{0}, PMD "; x", "fault"},
    {{0}, PMD "; server_max_window_bits", "fault"},
    {{0}, PMD "; server_max_window_bits=7", "fault"},
    {{0}, PMD "; server_max_window_bits=16", "fault"},
    {{0}, PMD "; server_max_window_bits=09", "fault"},
    {{0}, PMD "; server_max_window_bits=10; server_max_window_bits=10", "fault"},
    {{0}, PMD "; server_no_context_takeover=x", "fault"},
    {{0}, PMD ";", "fault"},
    {{0}, PMD "; x=\"", "fault"},
};

static void test_checks(void) {
  for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
    struct ws_deflate_params response;
    char *header = copy_of(checks[i].header);
    enum ws_extension_result result =
        ws_extension_check(header, strlen(checks[i].header), &checks[i].ours, &response);
    free(header);
    if (!agreed_on(result, &response, checks[i].expected))
      printf("answered: %s\n", checks[i].header);
    CHECK(agreed_on(result, &response, checks[i].expected));
  }
  struct ws_deflate_params response;
  CHECK(ws_extension_check("", 0, NULL, &response) == WS_EXTENSION_NONE);
  CHECK(ws_extension_check(PMD, strlen(PMD), NULL, &response) == WS_EXTENSION_FAULT);
}

static void test_offers(void) {
  struct ws_deflate_params offer = {.client_max_window_bits = WS_BITS_ANY};
  CHECK(agreed_on(WS_EXTENSION_AGREED, &offer, PMD "; client_max_window_bits"));
  offer = (struct ws_deflate_params){true, true, 12, 12};
  CHECK(agreed_on(WS_EXTENSION_AGREED, &offer,
                  PMD "; server_no_context_takeover; client_no_context_takeover"
                      "; server_max_window_bits=12; client_max_window_bits=12"));
  CHECK(ws_window_bits(0) == 15 && ws_window_bits(WS_BITS_ANY) == 15 && ws_window_bits(8) == 8);
}

/* Whatever one side offers and the other wants, they agree. */
static void agree(const struct ws_deflate_params *offer, const struct ws_deflate_params *ours) {
  struct ws_deflate_params chosen, seen;
  struct buffer header, answer;
  buffer_init(&header);
  buffer_init(&answer);
  CHECK(ws_extension_append(&header, offer));
  CHECK(ws_extension_choose(buffer_front(&header), buffer_size(&header), ours, &chosen) ==
        WS_EXTENSION_AGREED);
  CHECK(ws_extension_append(&answer, &chosen));
  CHECK(ws_extension_check(buffer_front(&answer), buffer_size(&answer), offer, &seen) ==
        WS_EXTENSION_AGREED);
  CHECK(memcmp(&chosen, &seen, sizeof seen) == 0);
  buffer_free(&header);
  buffer_free(&answer);
}

static void test_both(void) {
  static const uint8_t bits[] = {0, 9, 12, 15};
  for (unsigned i = 0; i < 1024; i++) {
    struct ws_deflate_params offer = {i & 1, i & 2, bits[i >> 2 & 3], bits[i >> 4 & 3]};
    struct ws_deflate_params ours = {i & 1, i & 2, bits[i >> 6 & 3], bits[i >> 8 & 3]};
    agree(&offer, &ours);
    offer.client_max_window_bits = WS_BITS_ANY;
    agree(&offer, &ours);
  }
}

int main(void) {
  test_accept();
  test_keys();
  test_lists();
  test_lines();
  test_choices();
  test_checks();
  test_offers();
  test_both();
  printf("good: %d checks\n", checked);
  return 0;
}
