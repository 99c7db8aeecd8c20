#include "modules/strobe/vcd/reader.h"

#include "modules/strobe/vcd/reader_state.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A vector, and what is before it. */
enum { TOKEN_MAX = VCD_READ_WIDTH_MAX + 16 };

enum { TIME_DIGITS = 18 };

static const struct {
  const char *text;
  enum vcd_keyword keyword;
} keywords[] = {
    {"$date", DATE},    {"$version", VERSION},     {"$comment", COMMENT},
    {"$scope", SCOPE},  {"$timescale", TIMESCALE}, {"$upscope", UPSCOPE},
    {"$var", VAR},      {"$dumpvars", DUMP},       {"$enddefinitions", DEFINITIONS},
    {"$dumpall", DUMP}, {"$dumpoff", DUMP},        {"$dumpon", DUMP},
};

struct vcd_reader *vcd_reader_new(void) {
  struct vcd_reader *reader = calloc(1, sizeof *reader);
  if (reader)
    reader->line = reader->column = 1;
  return reader;
}

void vcd_reader_free(struct vcd_reader *reader) {
  if (!reader)
    return;
  buffer_free(&reader->token);
  buffer_free(&reader->section);
  buffer_free(&reader->value);
  buffer_free(&reader->bits);
  vcd_codes_free(&reader->codes);
  free(reader);
}

/* --- Failures --------------------------------------------------------------------------------- */

bool vcd_fail(struct vcd_reader *reader, struct vcd_event *event, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(reader->message, sizeof reader->message, format, arguments);
  va_end(arguments);
  reader->place = FAILED;
  *event = (struct vcd_event){.kind = VCD_GOT_FAILURE,
                              .text = reader->message,
                              .size = strlen(reader->message),
                              .line = reader->token_line,
                              .column = reader->token_column};
  return true;
}

bool vcd_fail_memory(struct vcd_reader *reader, struct vcd_event *event) {
  return vcd_fail(reader, event, "there is not enough memory");
}

struct vcd_shown vcd_show(struct vcd_word text) {
  struct vcd_shown shown = {""};
  for (size_t i = 0; i < text.size && i < 40; i++)
    shown.text[i] = (char)(text.bytes[i] >= ' ' && text.bytes[i] <= '~' ? text.bytes[i] : '?');
  for (size_t i = 40; i < 43 && text.size > 40; i++)
    shown.text[i] = '.';
  return shown;
}

/* --- Words ------------------------------------------------------------------------------------ */

static bool is_white(char byte) {
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

bool vcd_is(struct vcd_word text, const char *word) {
  return strlen(word) == text.size && memcmp(text.bytes, word, text.size) == 0;
}

static bool set(struct buffer *buffer, struct vcd_word text) {
  buffer->start = buffer->end = 0;
  return buffer_append(buffer, text.bytes, text.size);
}

struct vcd_word vcd_all_of(const struct buffer *buffer) {
  return (struct vcd_word){buffer_front(buffer), buffer_size(buffer)};
}

/* The number that the text is, with at most 18 digits; false when it is none. */
bool vcd_number_of(struct vcd_word text, uint64_t *number) {
  *number = 0;
  while (text.size > 1 && text.bytes[0] == '0') {
    text.bytes++;
    text.size--;
  }
  if (text.size == 0 || text.size > TIME_DIGITS)
    return false;
  for (size_t i = 0; i < text.size; i++) {
    if (text.bytes[i] < '0' || text.bytes[i] > '9')
      return false;
    *number = *number * 10 + (uint64_t)(text.bytes[i] - '0');
  }
  return true;
}

/* --- Sections ----------------------------------------------------------------------------------
 */

/* A word of a section. */
static bool read_section(struct vcd_reader *reader, struct vcd_word token,
                         struct vcd_event *event) {
  struct buffer *section = &reader->section;
  size_t size = buffer_size(section);
  if (vcd_is(token, "$end"))
    return vcd_end_section(reader, event);
  if (reader->keyword == OTHER)
    return false;
  if (size + token.size >= VCD_READ_TEXT_MAX) {
    if (reader->keyword > COMMENT)
      return vcd_fail(reader, event, "this section is too long; is an $end missing?");
    token.size = size < VCD_READ_TEXT_MAX ? VCD_READ_TEXT_MAX - size : 0;
  }
  if ((size > 0 && token.size > 0 && !buffer_append(section, " ", 1)) ||
      !buffer_append(section, token.bytes, token.size))
    return vcd_fail_memory(reader, event);
  return false;
}

static enum vcd_keyword keyword_of(struct vcd_word token) {
  for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++)
    if (vcd_is(token, keywords[i].text))
      return keywords[i].keyword;
  return OTHER;
}

static bool read_keyword(struct vcd_reader *reader, struct vcd_word token,
                         struct vcd_event *event) {
  if (vcd_is(token, "$end")) {
    if (!reader->dumping)
      return vcd_fail(reader, event, "an $end of nothing");
    reader->dumping = false;
    return false;
  }
  enum vcd_keyword keyword = keyword_of(token);
  if (keyword == DUMP) {
    if (!reader->defined)
      return vcd_fail(reader, event, "%s before $enddefinitions", vcd_show(token).text);
    reader->dumping = true;
    return false;
  }
  if (reader->defined && keyword >= TIMESCALE && keyword <= DEFINITIONS)
    return vcd_fail(reader, event, "%s after $enddefinitions", vcd_show(token).text);
  reader->place = SECTION;
  reader->keyword = keyword;
  reader->section_line = reader->token_line;
  reader->section.start = reader->section.end = 0;
  return false;
}

/* --- Changes ---------------------------------------------------------------------------------- */

static bool read_time(struct vcd_reader *reader, struct vcd_word token, struct vcd_event *event) {
  uint64_t time;
  if (!vcd_number_of((struct vcd_word){token.bytes + 1, token.size - 1}, &time))
    return vcd_fail(reader, event, "'%s' is no time: # and up to %d digits expected",
                    vcd_show(token).text, TIME_DIGITS);
  if (time < reader->time)
    return vcd_fail(reader, event, "the time goes back from %" PRIu64 " to %" PRIu64, reader->time,
                    time);
  reader->time = time;
  *event = (struct vcd_event){.kind = VCD_GOT_TIME, .time = time};
  return true;
}

/* A bit of any writer as 0, 1, x or z; 0 when it is none. */
static char bit_of(char byte) {
  static const char from[] = "01xXzZuUwW-hHlL";
  static const char to[] = "01xxzzxxxxx1100";
  const char *at = byte ? strchr(from, byte) : NULL;
  return (char)(at ? to[at - from] : 0);
}

/* The value in the code's width, in reader->bits. */
static bool read_bits(struct vcd_reader *reader, const struct vcd_code *code, struct vcd_word value,
                      struct vcd_event *event) {
  struct buffer *bits = &reader->bits;
  size_t surplus = value.size > code->width ? value.size - code->width : 0;
  bits->start = bits->end = 0;
  if (value.size == 0)
    return vcd_fail(reader, event, "a value is missing");
  if (!buffer_reserve(bits, code->width))
    return vcd_fail_memory(reader, event);
  char first = bit_of(value.bytes[0]);
  size_t missing = value.size < code->width ? code->width - value.size : 0;
  memset(bits->bytes, first == '1' ? '0' : first, missing);
  bits->end = missing;
  for (size_t i = 0; i < value.size; i++) {
    char bit = bit_of(value.bytes[i]);
    if (!bit)
      return vcd_fail(reader, event, "'%s' has other bits than 0, 1, x and z",
                      vcd_show(value).text);
    if (i >= surplus)
      bits->bytes[bits->end++] = bit;
    else if (bit != first || first == '1')
      return vcd_fail(reader, event, "'%s' is wider than its variable, which has %u",
                      vcd_show(value).text, (unsigned)code->width);
  }
  event->text = buffer_front(bits);
  event->size = buffer_size(bits);
  return true;
}

static bool read_number(struct vcd_reader *reader, struct vcd_word value, struct vcd_event *event) {
  char text[64];
  char *end = text;
  if (value.size < sizeof text) {
    memcpy(text, value.bytes, value.size);
    text[value.size] = '\0';
    event->number = strtod(text, &end);
  }
  if (value.size == 0 || value.size >= sizeof text || end != text + value.size)
    return vcd_fail(reader, event, "'%s' is no number", vcd_show(value).text);
  return true;
}

static bool is_octal(char byte) {
  return byte >= '0' && byte <= '7';
}

/* How many bytes an escape has, and what it stands for. What is none stands for itself. */
static size_t escape_of(struct vcd_word text, char *byte) {
  static const char letters[] = "ntrvfab";
  static const char bytes[] = "\n\t\r\v\f\a\b";
  *byte = text.bytes[0];
  if (text.bytes[0] != '\\' || text.size < 2)
    return 1;
  const char *letter = text.bytes[1] ? strchr(letters, text.bytes[1]) : NULL;
  if (letter) {
    *byte = bytes[letter - letters];
    return 2;
  }
  size_t digits = 0;
  unsigned value = 0;
  while (digits < 3 && digits + 1 < text.size && is_octal(text.bytes[digits + 1]))
    value = value * 8 + (unsigned)(text.bytes[++digits] - '0');
  *byte = (char)(digits ? value & 0xff : (unsigned char)text.bytes[1]);
  return digits ? digits + 1 : 2;
}

static bool read_text(struct vcd_reader *reader, struct vcd_word value, struct vcd_event *event) {
  struct buffer *text = &reader->bits;
  text->start = text->end = 0;
  if (!buffer_reserve(text, value.size + 1))
    return vcd_fail_memory(reader, event);
  while (value.size > 0) {
    size_t size = escape_of(value, text->bytes + text->end++);
    value.bytes += size;
    value.size -= size;
  }
  event->text = buffer_front(text);
  event->size = buffer_size(text);
  return true;
}

/* A change: a letter, 'b' for bits, 'r' or 's', the value, and whose it is. */
static bool read_change(struct vcd_reader *reader, char letter, struct vcd_word value,
                        struct vcd_word id, struct vcd_event *event) {
  static const char *const classes[] = {"bits", "real", "string", "event"};
  static const char letters[] = "brsb";
  const struct vcd_code *code = vcd_codes_find(&reader->codes, id.bytes, id.size);
  if (!code)
    return vcd_fail(reader, event, "no $var has declared the id '%s'", vcd_show(id).text);
  *event = (struct vcd_event){.kind = VCD_GOT_CHANGE,
                              .class = code->class,
                              .code = (uint32_t)(code - reader->codes.list),
                              .width = code->width,
                              .time = reader->time};
  if (letters[code->class] != letter)
    return vcd_fail(reader, event, "a value '%c...' for the id %s, which is of type %s", letter,
                    vcd_show(id).text, classes[code->class]);
  switch (code->class) {
  case VCD_NUMBER:
    return read_number(reader, value, event);
  case VCD_TEXT:
    return read_text(reader, value, event);
  case VCD_BITS:
    return read_bits(reader, code, value, event);
  case VCD_HAPPENING:
    break;
  }
  return true;
}

/* Keeps a value until its id has come. */
static bool keep_value(struct vcd_reader *reader, char letter, struct vcd_word value,
                       struct vcd_event *event) {
  if (!set(&reader->value, (struct vcd_word){&letter, 1}) ||
      !buffer_append(&reader->value, value.bytes, value.size))
    return vcd_fail_memory(reader, event);
  reader->place = AT_ID;
  return false;
}

static bool read_value(struct vcd_reader *reader, struct vcd_word token, struct vcd_event *event) {
  struct vcd_word rest = {token.bytes + 1, token.size - 1};
  if (!reader->defined)
    return vcd_fail(reader, event, "'%s' before $enddefinitions", vcd_show(token).text);
  switch (token.bytes[0]) {
  case '#':
    return read_time(reader, token, event);
  case 'b':
  case 'B':
    return keep_value(reader, 'b', rest, event);
  case 'r':
  case 'R':
    return keep_value(reader, 'r', rest, event);
  case 's':
  case 'S':
    return keep_value(reader, 's', rest, event);
  case 'p':
    return vcd_fail(reader, event, "values of ports ('%s', extended VCD) are not read",
                    vcd_show(token).text);
  default:
    break;
  }
  if (!bit_of(token.bytes[0]))
    return vcd_fail(reader, event, "'%s' is no value change", vcd_show(token).text);
  struct vcd_word bit = {token.bytes, 1};
  return rest.size ? read_change(reader, 'b', bit, rest, event)
                   : keep_value(reader, 'b', bit, event);
}

static bool read_id(struct vcd_reader *reader, struct vcd_word id, struct vcd_event *event) {
  struct vcd_word value = vcd_all_of(&reader->value);
  reader->place = BETWEEN;
  return read_change(reader, value.bytes[0], (struct vcd_word){value.bytes + 1, value.size - 1}, id,
                     event);
}

/* --- Tokens ----------------------------------------------------------------------------------- */

static bool read_token(struct vcd_reader *reader, struct vcd_word token, struct vcd_event *event) {
  switch (reader->place) {
  case BETWEEN:
    return token.bytes[0] == '$' ? read_keyword(reader, token, event)
                                 : read_value(reader, token, event);
  case SECTION:
    return read_section(reader, token, event);
  case AT_ID:
    return read_id(reader, token, event);
  case FAILED:
    break;
  }
  return false;
}

static void skip_white(struct vcd_reader *reader, struct vcd_input *input) {
  size_t i = 0;
  for (; i < input->size && is_white(input->bytes[i]); i++) {
    reader->column++;
    if (input->bytes[i] == '\n') {
      reader->line++;
      reader->column = 1;
    }
  }
  input->bytes += i;
  input->size -= i;
  reader->token_line = reader->line;
  reader->token_column = reader->column;
}

/* The bytes up to the next white space, or the input's end. */
static struct vcd_word take_token(struct vcd_reader *reader, struct vcd_input *input) {
  size_t size = 0;
  while (size < input->size && !is_white(input->bytes[size]))
    size++;
  struct vcd_word part = {input->bytes, size};
  input->bytes += size;
  input->size -= size;
  reader->column += size;
  return part;
}

/* Takes the rest of a token, or what there is of one; tells whether it is whole. */
static bool next_token(struct vcd_reader *reader, struct vcd_input *input, struct vcd_word *token) {
  struct buffer *kept = &reader->token;
  if (buffer_size(kept) == 0)
    skip_white(reader, input);
  *token = take_token(reader, input);
  bool whole = input->size > 0;
  if (whole && buffer_size(kept) == 0)
    return true;
  if (!buffer_append(kept, token->bytes, token->size))
    token->bytes = NULL;
  else
    *token = vcd_all_of(kept);
  return whole;
}

bool vcd_reader_next(struct vcd_reader *reader, struct vcd_input *input, struct vcd_event *event) {
  struct vcd_word token;
  while (reader->place != FAILED && input->size > 0) {
    bool whole = next_token(reader, input, &token);
    if (!token.bytes)
      return vcd_fail_memory(reader, event);
    if (token.size > TOKEN_MAX)
      return vcd_fail(reader, event, "a word of more than %d bytes", TOKEN_MAX);
    if (!whole)
      return false;
    bool told = read_token(reader, token, event);
    reader->token.start = reader->token.end = 0;
    if (told)
      return true;
  }
  return false;
}

bool vcd_reader_finish(struct vcd_reader *reader, struct vcd_event *event) {
  struct vcd_input end = {" ", 1};
  if (reader->place == FAILED)
    return false;
  /* The last word may have nothing behind it that ends it. */
  if (buffer_size(&reader->token) > 0 && vcd_reader_next(reader, &end, event))
    return true;
  if (end.size == 0)
    reader->column--;
  reader->token_line = reader->line;
  reader->token_column = reader->column;
  if (reader->place == SECTION)
    return vcd_fail(reader, event, "the file ends inside the section that began in line %" PRIu64,
                    reader->section_line);
  if (reader->place == AT_ID)
    return vcd_fail(reader, event, "the file ends in the middle of a change");
  if (!reader->defined)
    return vcd_fail(reader, event, "the file ends without $enddefinitions");
  reader->place = FAILED;
  return false;
}
