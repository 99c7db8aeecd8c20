/* ASCII is skipped by the word. All else goes through an automaton without branches: each
 * byte has a row of transitions, six bits for each state; a state is the place of its
 * transition in the rows. So a byte costs a load and a shift, whatever the text is.
 */
#include "modules/strobe/ws/utf8.h"

#include <string.h>

/* What the next byte must be. No row leads away from REFUSED. */
enum state {
  REFUSED = 0,
  START = 6, /* a first byte */
  ONE = 12,  /* the last byte of a character */
  TWO = 18,
  THREE = 24,
  AFTER_E0 = 30, /* two bytes, the next of them A0 to BF: shorter forms exist for the others */
  AFTER_ED = 36, /* two bytes, the next of them 80 to 9F: beyond are the surrogates */
  AFTER_F0 = 42, /* three bytes, the next of them 90 to BF */
  AFTER_F4 = 48, /* three bytes, the next of them 80 to 8F: beyond is nothing */
  STATE_BITS = 63
};

#define TO(state, next) ((uint64_t)(next) << (state))
#define FIRST(next) TO(START, next)
#define LATER (TO(ONE, START) | TO(TWO, ONE) | TO(THREE, TWO))
#define FROM_80 (LATER | TO(AFTER_ED, ONE) | TO(AFTER_F4, TWO))
#define FROM_90 (LATER | TO(AFTER_ED, ONE) | TO(AFTER_F0, TWO))
#define FROM_A0 (LATER | TO(AFTER_E0, ONE) | TO(AFTER_F0, TWO))

#define X2(row) row, row
#define X4(row) X2(row), X2(row)
#define X16(row) X4(row), X4(row), X4(row), X4(row)
#define X64(row) X16(row), X16(row), X16(row), X16(row)

/* C0, C1 and F5 to FF are in no text: their rows are empty. */
static const uint64_t rows[256] = {
    [0x00] = X64(FIRST(START)),
    X64(FIRST(START)),
    [0x80] = X16(FROM_80),
    X16(FROM_90),
    X16(FROM_A0),
    X16(FROM_A0),
    [0xc2] = X2(FIRST(ONE)),
    X4(FIRST(ONE)),
    X4(FIRST(ONE)),
    X4(FIRST(ONE)),
    X16(FIRST(ONE)),
    [0xe0] = FIRST(AFTER_E0),
    X4(FIRST(TWO)),
    X4(FIRST(TWO)),
    X4(FIRST(TWO)),
    [0xed] = FIRST(AFTER_ED),
    X2(FIRST(TWO)),
    [0xf0] = FIRST(AFTER_F0),
    X2(FIRST(THREE)),
    FIRST(THREE),
    FIRST(AFTER_F4),
};

/* Set in the bytes which are not ASCII. */
#define HIGH_BITS 0x8080808080808080u

enum { WORD = sizeof(uint64_t), WORDS = 4, BLOCK = WORDS * WORD, STRIDE = 16 };

/* How many bytes are seen to be ASCII at a glance; 0 tells nothing. */
static size_t ascii_at(const unsigned char *bytes, size_t size) {
  uint64_t words[WORDS];
  if (size >= BLOCK) {
    memcpy(words, bytes, BLOCK);
    if (!((words[0] | words[1] | words[2] | words[3]) & HIGH_BITS))
      return BLOCK;
  }
  if (size < WORD)
    return 0;
  memcpy(words, bytes, WORD);
  return words[0] & HIGH_BITS ? 0 : WORD;
}

static uint64_t follow(uint64_t state, const unsigned char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    state = rows[bytes[i]] >> (state & STATE_BITS);
  return state & STATE_BITS;
}

bool ws_utf8_feed(struct ws_utf8 *utf8, const char *bytes, size_t size) {
  const unsigned char *at = (const unsigned char *)bytes;
  uint64_t state = utf8->state ^ START;
  for (size_t step = 0; size > 0; size -= step) {
    step = state == START ? ascii_at(at, size) : 0;
    if (step == 0) {
      step = size < STRIDE ? size : STRIDE;
      state = follow(state, at, step);
    }
    at += step;
  }
  utf8->state = (uint8_t)(state ^ START);
  return state != REFUSED;
}

bool ws_utf8_valid(const char *bytes, size_t size) {
  struct ws_utf8 utf8 = {0};
  return ws_utf8_feed(&utf8, bytes, size) && ws_utf8_complete(&utf8);
}

size_t ws_utf8_cut(const char *text, size_t size, size_t limit) {
  if (size <= limit)
    return size;
  size_t kept = limit;
  while (kept > 0 && ((unsigned char)text[kept] & 0xc0) == 0x80)
    kept--;
  return kept;
}

size_t ws_utf8_unfinished(const char *text, size_t size) {
  for (size_t back = 1; back <= 3 && back <= size; back++) {
    unsigned char byte = (unsigned char)text[size - back];
    size_t whole = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    if ((byte & 0xc0) != 0x80)
      return whole > back ? back : 0;
  }
  return 0;
}
