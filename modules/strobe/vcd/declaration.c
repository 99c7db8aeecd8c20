/* The head of a trace: its scopes and variables, and their names. */
#include "modules/strobe/vcd/writer_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_MAX_UNIT INT64_C(100000000000)

/* Free text, which must not end its section: "$end" becomes "$_end", and what is not ASCII
 * or printable '?'. */
static bool put_text(struct vcd_writer *writer, const char *text, size_t size) {
  char *to = vcd_room(writer, size * 2);
  if (!to)
    return false;
  size_t written = 0;
  for (size_t i = 0; i < size; i++) {
    char byte = text[i];
    to[written++] = byte;
    if ((byte < ' ' || byte > '~') && byte != '\n')
      to[written - 1] = '?';
    if (byte == '$')
      to[written++] = '_';
  }
  vcd_wrote(writer, written);
  return true;
}

static bool put_section(struct vcd_writer *writer, const char *keyword, const char *text) {
  return !text || (vcd_put(writer, keyword) && vcd_put(writer, " ") &&
                   put_text(writer, text, strlen(text)) && vcd_put(writer, " $end\n"));
}

/* --- Declarations ----------------------------------------------------------------------------- */

static const char *unit_text(int64_t unit_ns, char text[static 16]) {
  static const char *const units[] = {"ns", "us", "ms", "s"};
  int unit = 0;
  for (; unit_ns >= 1000 && unit < 3; unit++)
    unit_ns /= 1000;
  snprintf(text, 16, "%d %s", (int)unit_ns, units[unit]);
  return text;
}

static bool unit_valid(int64_t unit_ns) {
  int64_t power = 1;
  while (power < unit_ns && power < NS_MAX_UNIT)
    power *= 10;
  return power == unit_ns;
}

static bool put_header(struct vcd_writer *writer, const struct vcd_options *options) {
  char unit[16];
  return put_section(writer, "$date", options->date) &&
         put_section(writer, "$version", options->version) &&
         put_section(writer, "$comment", options->comment) &&
         put_section(writer, "$timescale", unit_text(options->unit_ns, unit));
}

struct vcd_writer *vcd_writer_new(const struct vcd_options *options, struct buffer *out) {
  if (!unit_valid(options->unit_ns))
    return NULL;
  struct vcd_writer *writer = calloc(1, sizeof *writer);
  if (!writer)
    return NULL;
  *writer = (struct vcd_writer){
      .out = out,
      .all_changes = options->all_changes,
      .hide_reals = options->hide_reals,
      .hide_strings = options->hide_strings,
      .unit_ns = options->unit_ns,
      .tick_written = -1,
      .max_bytes = options->max_bytes,
      .max_changes = options->max_changes,
      .tail = CUT_ROOM + TIME_ROOM,
  };
  if (put_header(writer, options))
    return writer;
  vcd_writer_free(writer);
  return NULL;
}

static void free_names(struct vcd_names *names) {
  free(names->list);
  free(names->slots);
}

void vcd_writer_free(struct vcd_writer *writer) {
  if (!writer)
    return;
  for (uint32_t i = 0; i < writer->count; i++)
    vcd_signal_free(&writer->signals[i]);
  free(writer->signals);
  free(writer->dirty);
  free_names(&writer->scopes);
  free_names(&writer->names);
  free(writer);
}

/* Room for one more element; false when there is no memory. */
static bool grow(void **list, uint32_t *capacity, uint32_t count, size_t size) {
  if (count < *capacity)
    return true;
  uint32_t wanted = *capacity ? *capacity * 2 : 16;
  void *grown = realloc(*list, wanted * size);
  if (!grown)
    return false;
  *list = grown;
  *capacity = wanted;
  return true;
}

/* What of a name may stand in a trace; tells whether that is all of it. */
static bool plain_name(char *to, const char *name, size_t size) {
  bool plain = size > 0;
  size_t i = 0;
  for (; i < size; i++) {
    char byte = name[i];
    bool good = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                (byte >= '0' && byte <= '9') || byte == '_';
    to[i] = (char)(good ? byte : '_');
    plain = plain && good;
  }
  if (i == 0)
    to[i++] = '_';
  to[i] = '\0';
  return plain;
}

/* --- Names ------------------------------------------------------------------------------------ */

static uint32_t hash_of(uint32_t scope, const char *text) {
  uint32_t hash = (2166136261U ^ scope) * 16777619U;
  for (; *text; text++)
    hash = (hash ^ (unsigned char)*text) * 16777619U;
  return hash ^ hash >> 15;
}

/* The slot that has a name in a scope, or the free one where it belongs. */
static uint32_t *slot_of(const struct vcd_names *names, uint32_t scope, const char *text) {
  uint32_t mask = names->slot_count - 1;
  uint32_t at = hash_of(scope, text) & mask;
  for (;; at = (at + 1) & mask) {
    uint32_t *slot = &names->slots[at];
    const struct vcd_name *name = *slot ? &names->list[*slot - 1] : NULL;
    if (!name || (name->scope == scope && strcmp(name->text, text) == 0))
      return slot;
  }
}

/* The index of a name in a scope, from 1; 0 when there is none. */
static uint32_t find(const struct vcd_names *names, uint32_t scope, const char *text) {
  return names->slot_count ? *slot_of(names, scope, text) : 0;
}

static bool grow_slots(struct vcd_names *names) {
  uint32_t count = names->slot_count ? names->slot_count * 2 : 32;
  uint32_t *slots = calloc(count, sizeof *slots);
  if (!slots)
    return false;
  free(names->slots);
  names->slots = slots;
  names->slot_count = count;
  for (uint32_t i = 0; i < names->count; i++)
    *slot_of(names, names->list[i].scope, names->list[i].text) = i + 1;
  return true;
}

/* Room for one more; false when there is no memory. */
static bool reserve_name(struct vcd_names *names) {
  return grow((void **)&names->list, &names->capacity, names->count, sizeof *names->list) &&
         (names->count < names->slot_count / 2 || grow_slots(names));
}

/* Adds a name that is not there; there is room. */
static void add_name(struct vcd_names *names, const struct vcd_name *name) {
  uint32_t *slot = slot_of(names, name->scope, name->text);
  names->list[names->count] = *name;
  *slot = ++names->count;
}

static bool put_original(struct vcd_writer *writer, const char *text, const char *name,
                         size_t size) {
  return vcd_put(writer, "$comment ") && vcd_put(writer, text) && vcd_put(writer, " is ") &&
         put_text(writer, name, size) && vcd_put(writer, " $end\n");
}

enum vcd_status vcd_writer_scope(struct vcd_writer *writer, const char *name, size_t size) {
  struct vcd_names *scopes = &writer->scopes;
  struct vcd_name own = {.scope = writer->scope, .depth = 1};
  if (writer->state != DECLARING)
    return vcd_refusal(writer);
  if (writer->scope)
    own.depth = scopes->list[writer->scope - 1].depth + 1;
  if (size > VCD_NAME_MAX || own.depth > VCD_DEPTH_MAX || scopes->count == VCD_VARS_MAX)
    return VCD_TOO_MANY;
  bool plain = plain_name(own.text, name, size);
  uint32_t found = find(scopes, writer->scope, own.text);
  if (!found) {
    if (!reserve_name(scopes))
      return VCD_NO_MEMORY;
    add_name(scopes, &own);
    found = scopes->count;
  }
  bool good =
      vcd_put(writer, "$scope module ") && vcd_put(writer, own.text) && vcd_put(writer, " $end\n");
  if (!good || (!plain && !put_original(writer, own.text, name, size)))
    return VCD_NO_MEMORY;
  writer->scope = found;
  return VCD_OK;
}

enum vcd_status vcd_writer_upscope(struct vcd_writer *writer) {
  if (writer->state != DECLARING || !writer->scope)
    return vcd_refusal(writer);
  writer->scope = writer->scopes.list[writer->scope - 1].scope;
  return vcd_put(writer, "$upscope $end\n") ? VCD_OK : VCD_NO_MEMORY;
}

/* A name that no other has in this scope. */
static void make_unique(struct vcd_writer *writer, char *text) {
  size_t size = strlen(text);
  for (unsigned number = 2; find(&writer->names, writer->scope, text); number++)
    snprintf(text + size, 8, "_%u", number);
}

static bool put_var(struct vcd_writer *writer, const struct vcd_signal *signal, const char *text) {
  static const char *const types[] = {"wire", "real", "string", "event"};
  static const unsigned widths[] = {0, 64, 0, 1};
  char line[64];
  char range[24] = "";
  unsigned width = signal->type == VCD_WIRE ? signal->width : widths[signal->type];
  if (signal->width > 1)
    snprintf(range, sizeof range, " [%u:0]", signal->width - 1);
  snprintf(line, sizeof line, "$var %s %u %.*s ", types[signal->type], width, signal->tail_size - 2,
           signal->tail + 1);
  return vcd_put(writer, line) && vcd_put(writer, text) && vcd_put(writer, range) &&
         vcd_put(writer, " $end\n");
}

static enum vcd_status add_signal(struct vcd_writer *writer, const struct vcd_var *var) {
  if (writer->count == VCD_VARS_MAX)
    return VCD_TOO_MANY;
  if (!grow((void **)&writer->signals, &writer->capacity, writer->count, sizeof *writer->signals))
    return VCD_NO_MEMORY;
  struct vcd_signal *signal = &writer->signals[writer->count];
  if (!vcd_signal_init(signal, var, writer->count))
    return VCD_NO_MEMORY;
  signal->hidden = (var->type == VCD_REAL && writer->hide_reals) ||
                   (var->type == VCD_STRING && writer->hide_strings);
  writer->count++;
  return VCD_OK;
}

static enum vcd_status check_var(const struct vcd_writer *writer, const struct vcd_var *var) {
  if (writer->state != DECLARING)
    return vcd_refusal(writer);
  if (var->same)
    return *var->same < writer->count ? VCD_OK : VCD_BAD_VAR;
  if (var->name_size > VCD_NAME_MAX || var->width > VCD_WIDTH_MAX)
    return VCD_TOO_MANY;
  if (var->type != VCD_WIRE)
    return VCD_OK;
  return var->width > 0 && var->initial && strchr("01xz", var->initial) ? VCD_OK : VCD_BAD_VALUE;
}

enum vcd_status vcd_writer_var(struct vcd_writer *writer, const struct vcd_var *var,
                               uint32_t *index) {
  struct vcd_names *names = &writer->names;
  struct vcd_name own = {.scope = writer->scope};
  enum vcd_status status = check_var(writer, var);
  if (status != VCD_OK)
    return status;
  if (var->name_size > VCD_NAME_MAX || names->count == VCD_VARS_MAX)
    return VCD_TOO_MANY;
  if (!reserve_name(names))
    return VCD_NO_MEMORY;
  bool plain = plain_name(own.text, var->name, var->name_size);
  make_unique(writer, own.text);
  if (!var->same) {
    status = add_signal(writer, var);
    if (status != VCD_OK)
      return status;
  }
  *index = var->same ? *var->same : writer->count - 1;
  add_name(names, &own);
  const struct vcd_signal *signal = &writer->signals[*index];
  if (signal->hidden)
    return VCD_OK;
  if (!put_var(writer, signal, own.text) ||
      (!plain && !put_original(writer, own.text, var->name, var->name_size)))
    return VCD_NO_MEMORY;
  return VCD_OK;
}
