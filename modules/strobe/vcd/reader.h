/* VCD (IEEE 1364, chapter 18) as it is read: bytes in, events out.
 *
 *   struct vcd_input input = {bytes, size};
 *   struct vcd_event event;
 *   while (vcd_reader_next(reader, &input, &event))
 *     ...
 *   while (vcd_reader_finish(reader, &event))     -- at the end of the file
 *     ...
 *
 * Bytes come in any pieces. It bears what other readers bear: any white space, upper case,
 * the nine values of VHDL (u, w and - are x, h is 1, l is 0), short vectors, `b1 !` and `1 !`
 * for a single bit, several names of one id, unknown sections, strings, a last line without
 * its newline. It refuses what would show wrong values: unknown ids, times that go back,
 * values of another type or too wide, one id with two widths, changes among the definitions,
 * a file that ends in the middle of something. A failure has its line and column, and is the
 * last event.
 *
 * Limits: below, and 64 KiB of a comment, date or version; what is longer there is left out.
 * A variable has about 100 bytes.
 */
#ifndef STROBE_VCD_READER_H
#define STROBE_VCD_READER_H

#include "core/base/buffer.h"

#include <stdint.h>

enum {
  VCD_READ_ID_MAX = 31,
  VCD_READ_NAME_MAX = 4096,
  VCD_READ_CODES_MAX = 1 << 20,
  VCD_READ_WIDTH_MAX = 1 << 20,
  VCD_READ_DEPTH_MAX = 256,
  VCD_READ_TEXT_MAX = 64 * 1024
};

/* What is still to be read. */
struct vcd_input {
  const char *bytes;
  size_t size;
};

enum vcd_event_kind {
  VCD_GOT_DATE,
  VCD_GOT_VERSION,
  VCD_GOT_COMMENT,
  VCD_GOT_TIMESCALE,   /* number: how many of 10^exponent s */
  VCD_GOT_SCOPE,       /* text: its name */
  VCD_GOT_UPSCOPE,     /* the scope before goes on */
  VCD_GOT_VAR,         /* text: its name; code, kind_text, width, and its range if it has one */
  VCD_GOT_DEFINITIONS, /* there were all */
  VCD_GOT_TIME,        /* time */
  VCD_GOT_CHANGE,      /* code, at time, to what its class says */
  VCD_GOT_FAILURE      /* text: why; line, column */
};

/* What values a code has: as many bits as it is wide, in lower case, of 0, 1, x and z, most
 * significant first; a number; a text without its escapes; none, for it only happens. */
enum vcd_class { VCD_BITS, VCD_NUMBER, VCD_TEXT, VCD_HAPPENING };

/* Texts hold until the next call. */
struct vcd_event {
  enum vcd_event_kind kind;
  enum vcd_class class;
  uint32_t code;  /* of an id: 0, 1, 2 and so on, as they are met */
  uint32_t width; /* of a var, in bits */
  bool ranged;
  int32_t msb, lsb;
  const char *text, *kind_text; /* the latter is a variable's type or a scope's, as in the file */
  size_t size, kind_size;
  uint64_t time; /* in units of the timescale */
  double number;
  int exponent;
  uint64_t line, column;
};

struct vcd_reader;

/* NULL when there is no memory. */
struct vcd_reader *vcd_reader_new(void);

/* NULL is allowed. */
void vcd_reader_free(struct vcd_reader *reader);

/* Reads until something is to tell; false when all input was read, or no more will be. */
bool vcd_reader_next(struct vcd_reader *reader, struct vcd_input *input, struct vcd_event *event);

/* The file has ended, after all input was read; false when all is told. */
bool vcd_reader_finish(struct vcd_reader *reader, struct vcd_event *event);

#endif
