/* What stands before a trace's changes: its scopes, its variables, their ids. */
#include "modules/strobe/vcd/reader_state.h"

#include <inttypes.h>
#include <string.h>

enum { FIRST_EXPONENT = -15 };

/* Takes the first word of a text. */
static struct vcd_word take_word(struct vcd_word *text) {
  const char *end = memchr(text->bytes, ' ', text->size);
  struct vcd_word word = {text->bytes, end ? (size_t)(end - text->bytes) : text->size};
  size_t taken = word.size + (end != NULL);
  text->bytes += taken;
  text->size -= taken;
  return word;
}

static bool end_text(struct vcd_reader *reader, struct vcd_event *event) {
  static const enum vcd_event_kind kinds[] = {VCD_GOT_DATE, VCD_GOT_VERSION, VCD_GOT_COMMENT};
  struct vcd_word text = vcd_all_of(&reader->section);
  *event =
      (struct vcd_event){.kind = kinds[reader->keyword], .text = text.bytes, .size = text.size};
  return true;
}

static bool end_timescale(struct vcd_reader *reader, struct vcd_event *event) {
  static const char *const units[] = {"fs", "ps", "ns", "us", "ms", "s"};
  struct vcd_word text = vcd_all_of(&reader->section);
  size_t digits = 0;
  uint64_t count;
  while (digits < text.size && text.bytes[digits] >= '0' && text.bytes[digits] <= '9')
    digits++;
  bool good = vcd_number_of((struct vcd_word){text.bytes, digits}, &count) &&
              (count == 1 || count == 10 || count == 100);
  struct vcd_word unit = {text.bytes + digits, text.size - digits};
  if (unit.size > 0 && unit.bytes[0] == ' ')
    unit = (struct vcd_word){unit.bytes + 1, unit.size - 1};
  for (int i = 0; i < 6 && good; i++)
    if (vcd_is(unit, units[i])) {
      *event = (struct vcd_event){
          .kind = VCD_GOT_TIMESCALE, .number = (double)count, .exponent = FIRST_EXPONENT + 3 * i};
      return true;
    }
  return vcd_fail(reader, event,
                  "'%s' is no timescale: 1, 10 or 100 s, ms, us, ns, ps or fs expected",
                  vcd_show(text).text);
}

static bool check_name(struct vcd_reader *reader, struct vcd_event *event, struct vcd_word name) {
  if (name.size == 0 || name.size > VCD_READ_NAME_MAX)
    return vcd_fail(reader, event, name.size ? "a name is too long" : "a name is missing");
  for (size_t i = 0; i < name.size; i++)
    if ((unsigned char)name.bytes[i] < ' ' || name.bytes[i] == 0x7f)
      return vcd_fail(reader, event, "a name with a control character");
  return false;
}

static bool end_scope(struct vcd_reader *reader, struct vcd_event *event) {
  struct vcd_word name = vcd_all_of(&reader->section);
  struct vcd_word kind = take_word(&name);
  if (check_name(reader, event, name))
    return true;
  if (reader->depth == VCD_READ_DEPTH_MAX)
    return vcd_fail(reader, event, "more than %d scopes in each other", VCD_READ_DEPTH_MAX);
  reader->depth++;
  *event = (struct vcd_event){.kind = VCD_GOT_SCOPE,
                              .text = name.bytes,
                              .size = name.size,
                              .kind_text = kind.bytes,
                              .kind_size = kind.size};
  return true;
}

static bool end_upscope(struct vcd_reader *reader, struct vcd_event *event) {
  if (reader->depth == 0)
    return vcd_fail(reader, event, "a $upscope without its $scope");
  reader->depth--;
  *event = (struct vcd_event){.kind = VCD_GOT_UPSCOPE};
  return true;
}

static bool integer_of(struct vcd_word text, int32_t *number) {
  uint64_t value;
  bool negative = text.size > 0 && text.bytes[0] == '-';
  if (!vcd_number_of((struct vcd_word){text.bytes + negative, text.size - negative}, &value) ||
      value > INT32_MAX)
    return false;
  *number = negative ? -(int32_t)value : (int32_t)value;
  return true;
}

/* Takes "[7:0]" or "[3]" off the end of a name; what is no such thing belongs to the name. */
static void take_range(struct vcd_word *name, struct vcd_event *event) {
  size_t open = name->size;
  if (name->size < 4 || name->bytes[name->size - 1] != ']')
    return;
  while (open > 0 && name->bytes[open - 1] != '[')
    open--;
  if (open < 2)
    return;
  struct vcd_word range = {name->bytes + open, name->size - open - 1};
  const char *colon = memchr(range.bytes, ':', range.size);
  size_t left = colon ? (size_t)(colon - range.bytes) : range.size;
  struct vcd_word low = {range.bytes + left + 1, colon ? range.size - left - 1 : 0};
  if (!integer_of((struct vcd_word){range.bytes, left}, &event->msb) ||
      !(colon ? integer_of(low, &event->lsb) : (event->lsb = event->msb, true)))
    return;
  event->ranged = true;
  name->size = open - 1;
  while (name->size > 1 && name->bytes[name->size - 1] == ' ')
    name->size--;
}

static enum vcd_class class_of(struct vcd_word type) {
  if (vcd_is(type, "real") || vcd_is(type, "realtime"))
    return VCD_NUMBER;
  if (vcd_is(type, "string"))
    return VCD_TEXT;
  return vcd_is(type, "event") ? VCD_HAPPENING : VCD_BITS;
}

static bool check_id(struct vcd_reader *reader, struct vcd_event *event, struct vcd_word id) {
  if (id.size == 0)
    return vcd_fail(reader, event, "an id is missing");
  if (id.size > VCD_READ_ID_MAX)
    return vcd_fail(reader, event, "the id '%s' is longer than %d", vcd_show(id).text,
                    VCD_READ_ID_MAX);
  for (size_t i = 0; i < id.size; i++)
    if (id.bytes[i] < '!' || id.bytes[i] > '~')
      return vcd_fail(reader, event, "an id of other than printable ASCII");
  return false;
}

/* The code of an id that a $var declares, a new one or one that it shares. */
static bool declare(struct vcd_reader *reader, struct vcd_event *event, struct vcd_word id) {
  struct vcd_code *code = vcd_codes_find(&reader->codes, id.bytes, id.size);
  if (code && (code->width != event->width || code->class != event->class))
    return vcd_fail(reader, event, "the id %s has another type or width in line %" PRIu64,
                    vcd_show(id).text, code->line);
  if (!code && reader->codes.count == VCD_READ_CODES_MAX)
    return vcd_fail(reader, event, "more than %d variables", VCD_READ_CODES_MAX);
  if (!code) {
    code = vcd_codes_add(&reader->codes, id.bytes, id.size);
    if (!code)
      return vcd_fail_memory(reader, event);
    code->width = event->width;
    code->class = event->class;
    code->line = reader->section_line;
  }
  event->code = (uint32_t)(code - reader->codes.list);
  return true;
}

static bool end_var(struct vcd_reader *reader, struct vcd_event *event) {
  struct vcd_word name = vcd_all_of(&reader->section);
  struct vcd_word type = take_word(&name);
  struct vcd_word width_text = take_word(&name);
  struct vcd_word id = take_word(&name);
  struct vcd_event var = {.kind = VCD_GOT_VAR, .class = class_of(type)};
  uint64_t width;
  if (!vcd_number_of(width_text, &width) || width > VCD_READ_WIDTH_MAX ||
      (width == 0 && var.class == VCD_BITS))
    return vcd_fail(reader, event, "'%s' is no width: 1 to %d expected", vcd_show(width_text).text,
                    VCD_READ_WIDTH_MAX);
  if (check_id(reader, event, id) || check_name(reader, event, name))
    return true;
  take_range(&name, &var);
  var.width = var.class == VCD_BITS ? (uint32_t)width : 1;
  var.text = name.bytes;
  var.size = name.size;
  var.kind_text = type.bytes;
  var.kind_size = type.size;
  *event = var;
  return declare(reader, event, id);
}

static bool end_definitions(struct vcd_reader *reader, struct vcd_event *event) {
  reader->defined = true;
  *event = (struct vcd_event){.kind = VCD_GOT_DEFINITIONS};
  return true;
}

bool vcd_end_section(struct vcd_reader *reader, struct vcd_event *event) {
  reader->place = BETWEEN;
  switch (reader->keyword) {
  case DATE:
  case VERSION:
  case COMMENT:
    return end_text(reader, event);
  case TIMESCALE:
    return end_timescale(reader, event);
  case SCOPE:
    return end_scope(reader, event);
  case UPSCOPE:
    return end_upscope(reader, event);
  case VAR:
    return end_var(reader, event);
  case DEFINITIONS:
    return end_definitions(reader, event);
  case DUMP:
  case OTHER:
    break;
  }
  return false;
}
