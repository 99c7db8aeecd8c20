/* The inside of a reader, which its files share: reader.c and definitions.c. */
#ifndef STROBE_VCD_READER_STATE_H
#define STROBE_VCD_READER_STATE_H

#include "modules/strobe/vcd/codes.h"
#include "modules/strobe/vcd/reader.h"

/* Where the next token belongs: between things, into a section, or it is a change's id. */
enum vcd_place { BETWEEN, SECTION, AT_ID, FAILED };

enum vcd_keyword {
  DATE,
  VERSION,
  COMMENT,
  TIMESCALE,
  SCOPE,
  UPSCOPE,
  VAR,
  DEFINITIONS,
  DUMP, /* each of the four; their $end stands alone */
  OTHER
};

struct vcd_word {
  const char *bytes;
  size_t size;
};

struct vcd_reader {
  enum vcd_place place;
  enum vcd_keyword keyword; /* of the section */
  bool defined, dumping;
  struct buffer token;   /* the beginning of one that is cut by the input's end */
  struct buffer section; /* its words, with a blank between two */
  struct buffer value;   /* of a change whose id comes next: its letter, then itself */
  struct buffer bits;    /* a vector in its full width, or a text without escapes */
  struct vcd_codes codes;
  uint64_t time;
  uint32_t depth;
  uint64_t line, column;             /* of the next byte */
  uint64_t token_line, token_column; /* of the present token */
  uint64_t section_line;
  char message[200];
};

/* A text from the file in a message: at most 40 bytes of it, printable. */
struct vcd_shown {
  char text[48];
};

struct vcd_shown vcd_show(struct vcd_word text);

/* Tells why, at the present token. Returns true, as whatever has an event. */
__attribute__((format(printf, 3, 4))) bool
vcd_fail(struct vcd_reader *reader, struct vcd_event *event, const char *format, ...);
bool vcd_fail_memory(struct vcd_reader *reader, struct vcd_event *event);

bool vcd_is(struct vcd_word text, const char *word);
struct vcd_word vcd_all_of(const struct buffer *buffer);

/* The number that the text is, with at most 18 digits; false when it is none. */
bool vcd_number_of(struct vcd_word text, uint64_t *number);

/* The section which has been gathered is at its $end; tells whether there is an event. */
bool vcd_end_section(struct vcd_reader *reader, struct vcd_event *event);

#endif
