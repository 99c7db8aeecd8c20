#include "modules/strobe/vcd/signal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What "%.16g" writes at most, with its zero byte, and an r before it. */
enum { REAL_ROOM = 32 };

enum { ID_FIRST = '!', ID_BASE = 94 };

size_t vcd_id_write(char *to, uint32_t number) {
  size_t size = 0;
  for (;;) {
    to[size++] = (char)(ID_FIRST + number % ID_BASE);
    number /= ID_BASE;
    if (number == 0)
      return size;
    number--;
  }
}

bool vcd_signal_init(struct vcd_signal *signal, const struct vcd_var *var, uint32_t number) {
  *signal = (struct vcd_signal){.type = var->type, .width = 1, .wire = var->initial};
  signal->tail[0] = ' ';
  signal->tail_size = (uint8_t)(1 + vcd_id_write(signal->tail + 1, number));
  signal->tail[signal->tail_size++] = '\n';
  if (var->type != VCD_WIRE)
    return true;
  signal->width = var->width;
  if (var->width == 1)
    return true;
  signal->bits = malloc((size_t)var->width * 2);
  if (!signal->bits)
    return false;
  memset(signal->bits, var->initial, (size_t)var->width * 2);
  return true;
}

void vcd_signal_free(struct vcd_signal *signal) {
  free(signal->bits);
  free(signal->text.bytes);
  free(signal->text_written.bytes);
}

static bool same_number(double a, double b) {
  return a == b || (isnan(a) && isnan(b));
}

bool vcd_signal_set_real(struct vcd_signal *signal, double value) {
  double number = value + 0.0; /* there is one zero */
  bool other = !same_number(signal->real, number);
  signal->real = number;
  return other;
}

/* The value of one bit in lower case; 0 for what is none. */
static char bit_of(char byte) {
  switch (byte) {
  case '0':
  case '1':
  case 'x':
  case 'z':
    return byte;
  case 'X':
    return 'x';
  case 'Z':
    return 'z';
  default:
    return 0;
  }
}

enum vcd_status vcd_signal_set_bits(struct vcd_signal *signal, const char *bits, size_t size,
                                    bool *other) {
  if (size == 0 || size > signal->width)
    return VCD_BAD_VALUE;
  for (size_t i = 0; i < size; i++)
    if (!bit_of(bits[i]))
      return VCD_BAD_VALUE;
  size_t missing = signal->width - size;
  char first = bit_of(bits[0]);
  char fill = first;
  if (first == '1')
    fill = '0';
  unsigned difference = 0;
  for (size_t i = 0; i < signal->width; i++) {
    char bit = fill;
    if (i >= missing)
      bit = bit_of(bits[i - missing]);
    difference |= (unsigned)(signal->bits[i] ^ bit);
    signal->bits[i] = bit;
  }
  *other = difference != 0;
  return VCD_OK;
}

static size_t escape(char *to, const char *text, size_t size) {
  size_t written = 0;
  for (size_t i = 0; i < size; i++) {
    unsigned char byte = (unsigned char)text[i];
    if (byte == '\\') {
      to[written++] = '\\';
      to[written++] = '\\';
    } else if (byte > ' ' && byte < 0x7f) {
      to[written++] = (char)byte;
    } else {
      to[written++] = '\\';
      to[written++] = (char)('0' + (byte >> 6));
      to[written++] = (char)('0' + (byte >> 3 & 7));
      to[written++] = (char)('0' + (byte & 7));
    }
  }
  return written;
}

static bool same_text(const struct vcd_text *a, const struct vcd_text *b) {
  return a->size == b->size && (a->size == 0 || memcmp(a->bytes, b->bytes, a->size) == 0);
}

/* Takes the bytes of `from`, which is empty afterwards. */
static void move_text(struct vcd_text *to, struct vcd_text *from) {
  free(to->bytes);
  *to = *from;
  *from = (struct vcd_text){NULL, 0};
}

enum vcd_status vcd_signal_set_text(struct vcd_signal *signal, const char *text, size_t size,
                                    bool *other) {
  if (size > VCD_TEXT_MAX)
    return VCD_TOO_MANY;
  struct vcd_text escaped = {malloc(size * 4 + 1), 0};
  if (!escaped.bytes)
    return VCD_NO_MEMORY;
  escaped.size = escape(escaped.bytes, text, size);
  *other = !same_text(&signal->text, &escaped);
  move_text(&signal->text, &escaped);
  return VCD_OK;
}

bool vcd_signal_differs(const struct vcd_signal *signal) {
  switch (signal->type) {
  case VCD_WIRE:
    if (signal->width > 1)
      return memcmp(signal->bits, signal->bits + signal->width, signal->width) != 0;
    return signal->wire != signal->wire_written;
  case VCD_REAL:
    return !same_number(signal->real, signal->real_written);
  case VCD_STRING:
    return !same_text(&signal->text, &signal->text_written);
  case VCD_EVENT:
    break;
  }
  return true;
}

size_t vcd_signal_room(const struct vcd_signal *signal) {
  switch (signal->type) {
  case VCD_WIRE:
    return (size_t)signal->width + 1 + VCD_ID_ROOM;
  case VCD_REAL:
    return REAL_ROOM + VCD_ID_ROOM;
  case VCD_STRING:
    return signal->text.size + 1 + VCD_ID_ROOM;
  case VCD_EVENT:
    break;
  }
  return 1 + VCD_ID_ROOM;
}

/* A blank, the id and a newline; a single bit goes without the blank. The whole tail is
 * copied, for its size is fixed then; the room is there. */
static size_t write_tail(const struct vcd_signal *signal, char *to) {
  memcpy(to, signal->tail, VCD_ID_ROOM);
  return signal->tail_size;
}

static size_t write_bit(const struct vcd_signal *signal, char *to, char bit) {
  to[0] = bit;
  memcpy(to + 1, signal->tail + 1, VCD_ID_ROOM - 1);
  return signal->tail_size;
}

static size_t write_nan(const struct vcd_signal *signal, char *to) {
  static const char nan_text[] = {'r', 'n', 'a', 'n'};
  memcpy(to, nan_text, sizeof nan_text);
  return sizeof nan_text + write_tail(signal, to + sizeof nan_text);
}

static size_t write_real(const struct vcd_signal *signal, char *to) {
  if (isnan(signal->real))
    return write_nan(signal, to);
  size_t size = (size_t)snprintf(to, REAL_ROOM, "r%.16g", signal->real);
  /* Some locales write a comma. */
  char *comma = memchr(to, ',', size);
  if (comma)
    *comma = '.';
  return size + write_tail(signal, to + size);
}

static size_t write_bits(struct vcd_signal *signal, char *to) {
  to[0] = 'b';
  memcpy(to + 1, signal->bits, signal->width);
  memcpy(signal->bits + signal->width, signal->bits, signal->width);
  return 1 + signal->width + write_tail(signal, to + 1 + signal->width);
}

static size_t write_text(struct vcd_signal *signal, char *to) {
  to[0] = 's';
  size_t size = signal->text.size;
  if (size > 0)
    memcpy(to + 1, signal->text.bytes, size);
  return 1 + size + write_tail(signal, to + 1 + size);
}

/* Keeps the text as that which was written. False when there is no memory: the same text
 * is then written again, which does no harm. */
static void keep_text(struct vcd_signal *signal) {
  struct vcd_text copy = {malloc(signal->text.size + 1), signal->text.size};
  if (!copy.bytes)
    return;
  if (copy.size > 0)
    memcpy(copy.bytes, signal->text.bytes, copy.size);
  move_text(&signal->text_written, &copy);
}

size_t vcd_signal_write(struct vcd_signal *signal, char *to) {
  switch (signal->type) {
  case VCD_WIRE:
    if (signal->width > 1)
      return write_bits(signal, to);
    signal->wire_written = signal->wire;
    return write_bit(signal, to, signal->wire);
  case VCD_REAL:
    signal->real_written = signal->real;
    return write_real(signal, to);
  case VCD_STRING:
    keep_text(signal);
    return write_text(signal, to);
  case VCD_EVENT:
    break;
  }
  return write_bit(signal, to, '1');
}

size_t vcd_signal_write_unknown(const struct vcd_signal *signal, char *to) {
  switch (signal->type) {
  case VCD_WIRE:
    if (signal->width == 1)
      return write_bit(signal, to, 'x');
    to[0] = 'b';
    memset(to + 1, 'x', signal->width);
    return 1 + signal->width + write_tail(signal, to + 1 + signal->width);
  case VCD_REAL:
    return write_nan(signal, to);
  case VCD_STRING:
    to[0] = 's';
    return 1 + write_tail(signal, to + 1);
  case VCD_EVENT:
    break;
  }
  return 0;
}
