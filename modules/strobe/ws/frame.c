#include "modules/strobe/ws/frame.h"

#include <string.h>

enum { WORD = sizeof(uint64_t), BLOCK = 4 * WORD };

static uint64_t read_number(const uint8_t *bytes, size_t size) {
  uint64_t number = 0;
  for (size_t i = 0; i < size; i++)
    number = number << 8 | bytes[i];
  return number;
}

static void write_number(uint8_t *bytes, size_t size, uint64_t number) {
  for (size_t i = size; i-- > 0; number >>= 8)
    bytes[i] = (uint8_t)number;
}

uint64_t ws_header_length(const uint8_t *header) {
  unsigned length = header[1] & WS_LENGTH;
  return length < WS_LENGTH_16 ? length : read_number(header + 2, ws_length_end(header[1]) - 2);
}

size_t ws_header_write(uint8_t header[WS_HEADER_MAX], unsigned first, uint64_t length,
                       const uint8_t *key) {
  unsigned second = length < WS_LENGTH_16  ? (unsigned)length
                    : length <= UINT16_MAX ? WS_LENGTH_16
                                           : WS_LENGTH_64;
  header[0] = (uint8_t)first;
  header[1] = (uint8_t)(second | (key ? WS_MASK : 0));
  size_t size = ws_length_end(header[1]);
  write_number(header + 2, size - 2, length);
  if (!key)
    return size;
  memcpy(header + size, key, WS_KEY_SIZE);
  return size + WS_KEY_SIZE;
}

/* --- Masking: byte i of a payload, xor byte i mod 4 of the key ------------------------ */

/* The key twice, turned so that it begins with the byte for offset `done`. */
static uint64_t key_word(const uint8_t key[WS_KEY_SIZE], size_t done) {
  uint8_t turned[WORD];
  for (size_t i = 0; i < WORD; i++)
    turned[i] = key[(done + i) % WS_KEY_SIZE];
  uint64_t word;
  memcpy(&word, turned, WORD);
  return word;
}

static void mask_block(char *to, const char *from, uint64_t key) {
  uint64_t words[BLOCK / WORD];
  memcpy(words, from, BLOCK);
  for (size_t i = 0; i < BLOCK / WORD; i++)
    words[i] ^= key;
  memcpy(to, words, BLOCK);
}

static void mask_word(char *to, const char *from, uint64_t key) {
  uint64_t word;
  memcpy(&word, from, WORD);
  word ^= key;
  memcpy(to, &word, WORD);
}

void ws_mask(char *to, const char *from, size_t size, const uint8_t key[WS_KEY_SIZE], size_t done) {
  size_t i = 0;
  if (size >= WORD) {
    uint64_t word = key_word(key, done);
    for (; size - i >= BLOCK; i += BLOCK)
      mask_block(to + i, from + i, word);
    for (; size - i >= WORD; i += WORD)
      mask_word(to + i, from + i, word);
  }
  for (; i < size; i++)
    to[i] = (char)(from[i] ^ key[(done + i) % WS_KEY_SIZE]);
}

/* --- Appending --------------------------------------------------------------------------- */

/* There is room: copies and masks in one pass. */
static void write_frame(struct buffer *out, unsigned first, const uint8_t *key, const char *payload,
                        size_t size) {
  uint8_t *header = (uint8_t *)out->bytes + out->end;
  char *to = (char *)header + ws_header_write(header, first, size, key);
  if (key)
    ws_mask(to, payload, size, key, 0);
  else if (size > 0)
    memcpy(to, payload, size);
  out->end = (size_t)(to - out->bytes) + size;
}

/* There is no room: the queue grows while it copies, and what it copied is masked then. */
static bool grow_frame(struct buffer *out, unsigned first, const uint8_t *key, const char *payload,
                       size_t size) {
  uint8_t header[WS_HEADER_MAX];
  size_t header_size = ws_header_write(header, first, size, key);
  if (!buffer_append(out, (const char *)header, header_size))
    return false;
  if (!buffer_append(out, payload, size)) {
    out->end -= header_size;
    return false;
  }
  char *copied = out->bytes + out->end - size;
  if (key)
    ws_mask(copied, copied, size, key, 0);
  return true;
}

bool ws_frame_append(struct buffer *out, unsigned first, const uint8_t *key, const char *payload,
                     size_t size) {
  size_t room = out->capacity - out->end;
  if (room < WS_HEADER_MAX || room - WS_HEADER_MAX < size)
    return grow_frame(out, first, key, payload, size);
  write_frame(out, first, key, payload, size);
  return true;
}
