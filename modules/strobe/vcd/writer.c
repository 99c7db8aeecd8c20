#include "modules/strobe/vcd/writer.h"

#include "modules/strobe/vcd/writer_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Text ------------------------------------------------------------------------------------- */

bool vcd_put(struct vcd_writer *writer, const char *text) {
  size_t size = strlen(text);
  if (!buffer_append(writer->out, text, size)) {
    writer->state = BROKEN;
    return false;
  }
  writer->counters.bytes += size;
  return true;
}

static const char digit_pairs[] = "0001020304050607080910111213141516171819"
                                  "2021222324252627282930313233343536373839"
                                  "4041424344454647484950515253545556575859"
                                  "6061626364656667686970717273747576777879"
                                  "8081828384858687888990919293949596979899";

/* Writes '#', the time and a newline; returns the size. */
static size_t write_time(char *to, uint64_t tick) {
  char digits[TIME_ROOM];
  char *at = digits + sizeof digits;
  *--at = '\n';
  for (; tick >= 100; tick /= 100) {
    at -= 2;
    memcpy(at, digit_pairs + tick % 100 * 2, 2);
  }
  if (tick >= 10) {
    at -= 2;
    memcpy(at, digit_pairs + tick * 2, 2);
  } else {
    *--at = (char)('0' + tick);
  }
  *--at = '#';
  size_t size = (size_t)(digits + sizeof digits - at);
  memcpy(to, at, size);
  return size;
}

/* The time stands once before all that changes at it. The room is there. */
static inline size_t write_step_time(struct vcd_writer *writer, char *to) {
  if (writer->tick_written == writer->tick)
    return 0;
  writer->tick_written = writer->tick;
  return write_time(to, (uint64_t)writer->tick);
}

static bool put_time(struct vcd_writer *writer) {
  char *to = vcd_room(writer, TIME_ROOM);
  if (!to)
    return false;
  vcd_wrote(writer, write_step_time(writer, to));
  return true;
}

/* --- Steps ------------------------------------------------------------------------------------ */

static bool put_values(struct vcd_writer *writer, const char *keyword, bool known) {
  if (!put_time(writer) || !vcd_put(writer, keyword))
    return false;
  for (uint32_t i = 0; i < writer->count; i++) {
    struct vcd_signal *signal = &writer->signals[i];
    if (signal->hidden || signal->type == VCD_EVENT)
      continue;
    char *to = vcd_room(writer, vcd_signal_room(signal));
    if (!to)
      return false;
    vcd_wrote(writer, known ? vcd_signal_write(signal, to) : vcd_signal_write_unknown(signal, to));
  }
  return vcd_put(writer, "$end\n");
}

/* Nothing but the values' end is written from now on. */
static bool cut(struct vcd_writer *writer) {
  char text[CUT_ROOM];
  bool by_size = !writer->max_changes || writer->counters.changes < writer->max_changes;
  snprintf(text, sizeof text,
           "$comment the trace is cut here: it has reached %" PRIu64 " %s $end\n",
           by_size ? writer->max_bytes : writer->max_changes, by_size ? "bytes" : "changes");
  writer->state = CUT;
  if (put_time(writer) && vcd_put(writer, text) && put_values(writer, "$dumpoff\n", false))
    return true;
  writer->state = BROKEN;
  return false;
}

/* Whether a change that takes `size` bytes still goes within the limits. */
static bool fits(const struct vcd_writer *writer, size_t size) {
  if (writer->max_changes && writer->counters.changes >= writer->max_changes)
    return false;
  return !writer->max_bytes || writer->counters.bytes + size + writer->tail <= writer->max_bytes;
}

static inline bool put_change(struct vcd_writer *writer, struct vcd_signal *signal) {
  size_t size = TIME_ROOM + vcd_signal_room(signal);
  if (!fits(writer, size)) {
    writer->counters.dropped++;
    return cut(writer);
  }
  char *to = vcd_room(writer, size);
  if (!to)
    return false;
  size_t written = write_step_time(writer, to);
  written += vcd_signal_write(signal, to + written);
  writer->counters.changes++;
  vcd_wrote(writer, written);
  return true;
}

static bool put_step(struct vcd_writer *writer) {
  uint32_t count = writer->dirty_count;
  bool events_only = !writer->dumped;
  writer->dirty_count = 0;
  if (events_only) {
    writer->dumped = true;
    if (!put_values(writer, "$dumpvars\n", true))
      return false;
  }
  for (uint32_t i = 0; i < count; i++) {
    struct vcd_signal *signal = &writer->signals[writer->dirty[i]];
    signal->dirty = false;
    if (events_only ? signal->type != VCD_EVENT : !vcd_signal_differs(signal))
      continue;
    if (writer->state == CUT)
      writer->counters.dropped++;
    else if (!put_change(writer, signal))
      return false;
  }
  return true;
}

enum vcd_status vcd_refusal(const struct vcd_writer *writer) {
  return writer->state == BROKEN ? VCD_NO_MEMORY : VCD_BAD_ORDER;
}

/* Goes on to a time; a step that lies before it is over. */
static enum vcd_status advance(struct vcd_writer *writer, int64_t time_ns) {
  if (time_ns < writer->time_ns)
    return VCD_BAD_TIME;
  writer->time_ns = time_ns;
  int64_t tick = time_ns / writer->unit_ns;
  if (tick == writer->tick)
    return VCD_OK;
  if (writer->state == RUNNING && (writer->dirty_count > 0 || !writer->dumped) && !put_step(writer))
    return VCD_NO_MEMORY;
  writer->tick = tick;
  return VCD_OK;
}

/* What each change begins with: its variable, or NULL and why it may not change now. */
static inline struct vcd_signal *reach(struct vcd_writer *writer, int64_t time_ns, uint32_t var,
                                       enum vcd_type type, enum vcd_status *status) {
  *status = VCD_OK;
  if (writer->state != RUNNING && writer->state != PAUSED && writer->state != CUT)
    *status = vcd_refusal(writer);
  else if (var >= writer->count)
    *status = VCD_BAD_VAR;
  else if (writer->signals[var].type != type)
    *status = VCD_BAD_VALUE;
  else if (time_ns != writer->time_ns)
    *status = advance(writer, time_ns);
  return *status == VCD_OK ? &writer->signals[var] : NULL;
}

/* What each change ends with; `other` tells that it changed what was to be written. */
static inline enum vcd_status touch(struct vcd_writer *writer, struct vcd_signal *signal,
                                    bool other) {
  if (signal->hidden || !other)
    return VCD_OK;
  if (writer->state != RUNNING) {
    writer->counters.dropped += writer->state == CUT;
    return VCD_OK;
  }
  if (writer->all_changes)
    return put_change(writer, signal) ? VCD_OK : VCD_NO_MEMORY;
  if (signal->dirty) {
    writer->counters.merged++;
  } else {
    signal->dirty = true;
    writer->dirty[writer->dirty_count++] = (uint32_t)(signal - writer->signals);
  }
  return VCD_OK;
}

/* --- Changes ---------------------------------------------------------------------------------- */

enum vcd_status vcd_writer_vector(struct vcd_writer *writer, int64_t time_ns, uint32_t var,
                                  const char *bits, size_t size) {
  bool other;
  enum vcd_status status;
  struct vcd_signal *signal = reach(writer, time_ns, var, VCD_WIRE, &status);
  if (!signal)
    return status;
  if (signal->width == 1)
    return size == 1 ? vcd_writer_wire(writer, time_ns, var, bits[0]) : VCD_BAD_VALUE;
  status = vcd_signal_set_bits(signal, bits, size, &other);
  return status == VCD_OK ? touch(writer, signal, other) : status;
}

enum vcd_status vcd_writer_wire(struct vcd_writer *writer, int64_t time_ns, uint32_t var,
                                char value) {
  enum vcd_status status;
  struct vcd_signal *signal = reach(writer, time_ns, var, VCD_WIRE, &status);
  if (!signal)
    return status;
  if (signal->width > 1)
    return vcd_writer_vector(writer, time_ns, var, &value, 1);
  if (value == 'X' || value == 'Z')
    value = (char)(value + ('a' - 'A'));
  if (value != '0' && value != '1' && value != 'x' && value != 'z')
    return VCD_BAD_VALUE;
  bool other = signal->wire != value;
  signal->wire = value;
  return touch(writer, signal, other);
}

enum vcd_status vcd_writer_number(struct vcd_writer *writer, int64_t time_ns, uint32_t var,
                                  uint64_t value) {
  char bits[65] = "0"; /* a 0 is before them, so that a wide vector gets no more ones */
  if (var >= writer->count)
    return VCD_BAD_VAR;
  uint32_t width = writer->signals[var].width;
  size_t size = width < 65 ? width : 65;
  if (width < 64 && value >> width != 0)
    return VCD_BAD_VALUE;
  for (size_t i = 0; i < size && i < 64; i++)
    bits[size - 1 - i] = (char)('0' + (value >> i & 1));
  return vcd_writer_vector(writer, time_ns, var, bits, size);
}

enum vcd_status vcd_writer_real(struct vcd_writer *writer, int64_t time_ns, uint32_t var,
                                double value) {
  enum vcd_status status;
  struct vcd_signal *signal = reach(writer, time_ns, var, VCD_REAL, &status);
  return signal ? touch(writer, signal, vcd_signal_set_real(signal, value)) : status;
}

enum vcd_status vcd_writer_text(struct vcd_writer *writer, int64_t time_ns, uint32_t var,
                                const char *text, size_t size) {
  bool other;
  enum vcd_status status;
  struct vcd_signal *signal = reach(writer, time_ns, var, VCD_STRING, &status);
  if (!signal)
    return status;
  status = vcd_signal_set_text(signal, text, size, &other);
  return status == VCD_OK ? touch(writer, signal, other) : status;
}

enum vcd_status vcd_writer_tick(struct vcd_writer *writer, int64_t time_ns, uint32_t var) {
  enum vcd_status status;
  struct vcd_signal *signal = reach(writer, time_ns, var, VCD_EVENT, &status);
  return signal ? touch(writer, signal, true) : status;
}

/* --- From the beginning to the end ------------------------------------------------------------ */

enum vcd_status vcd_writer_begin(struct vcd_writer *writer, int64_t time_ns) {
  if (writer->state != DECLARING)
    return vcd_refusal(writer);
  if (time_ns < 0)
    return VCD_BAD_TIME;
  writer->dirty = malloc(sizeof *writer->dirty * (writer->count + 1));
  if (!writer->dirty)
    return VCD_NO_MEMORY;
  while (writer->scope)
    if (vcd_writer_upscope(writer) != VCD_OK)
      return VCD_NO_MEMORY;
  if (!vcd_put(writer, "$enddefinitions $end\n"))
    return VCD_NO_MEMORY;
  for (uint32_t i = 0; i < writer->count; i++)
    writer->tail += vcd_signal_room(&writer->signals[i]);
  writer->state = RUNNING;
  writer->time_ns = time_ns;
  writer->tick = time_ns / writer->unit_ns;
  if (writer->all_changes && !put_step(writer))
    return VCD_NO_MEMORY;
  return VCD_OK;
}

enum vcd_status vcd_writer_settle(struct vcd_writer *writer) {
  if (writer->state == BROKEN || writer->state == DECLARING)
    return vcd_refusal(writer);
  if (writer->state == RUNNING && !put_step(writer))
    return VCD_NO_MEMORY;
  return VCD_OK;
}

/* Ends what is before a pause, its end, or the trace's. */
static enum vcd_status stop_at(struct vcd_writer *writer, int64_t time_ns) {
  if (writer->state == DECLARING || writer->state == ENDED || writer->state == BROKEN)
    return vcd_refusal(writer);
  enum vcd_status status = advance(writer, time_ns);
  return status == VCD_OK ? vcd_writer_settle(writer) : status;
}

enum vcd_status vcd_writer_pause(struct vcd_writer *writer, int64_t time_ns) {
  enum vcd_status status = stop_at(writer, time_ns);
  if (status != VCD_OK || writer->state != RUNNING)
    return status;
  writer->state = PAUSED;
  return put_values(writer, "$dumpoff\n", false) ? VCD_OK : VCD_NO_MEMORY;
}

enum vcd_status vcd_writer_resume(struct vcd_writer *writer, int64_t time_ns) {
  enum vcd_status status = stop_at(writer, time_ns);
  if (status != VCD_OK || writer->state != PAUSED)
    return status;
  writer->state = RUNNING;
  return put_values(writer, "$dumpon\n", true) ? VCD_OK : VCD_NO_MEMORY;
}

enum vcd_status vcd_writer_end(struct vcd_writer *writer, int64_t time_ns) {
  enum vcd_status status = stop_at(writer, time_ns);
  if (status != VCD_OK)
    return status;
  /* A time within a unit is after what happened at the unit's beginning. */
  writer->tick += time_ns % writer->unit_ns != 0;
  if (!put_time(writer))
    return VCD_NO_MEMORY;
  writer->state = ENDED;
  return VCD_OK;
}

/* --- What is known of a trace ----------------------------------------------------------------- */

int64_t vcd_writer_time(const struct vcd_writer *writer) {
  return writer->time_ns;
}

int64_t vcd_writer_unit(const struct vcd_writer *writer) {
  return writer->unit_ns;
}

bool vcd_writer_type(const struct vcd_writer *writer, uint32_t var, enum vcd_type *type,
                     uint32_t *width) {
  if (var >= writer->count)
    return false;
  *type = writer->signals[var].type;
  *width = writer->signals[var].width;
  return true;
}

struct vcd_counters vcd_writer_counters(const struct vcd_writer *writer) {
  return writer->counters;
}

bool vcd_writer_cut(const struct vcd_writer *writer) {
  return writer->state == CUT;
}

const char *vcd_status_text(enum vcd_status status) {
  static const char *const texts[] = {
      "good",
      "there is not enough memory",
      "the trace is not where this may be said",
      "times only grow in a trace",
      "that is no value of this variable",
      "there is no such variable",
      "that is more than a trace may have",
  };
  return texts[status];
}
