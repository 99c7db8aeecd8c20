/* The inside of a writer, which its files share: writer.c and declaration.c. */
#ifndef STROBE_VCD_WRITER_STATE_H
#define STROBE_VCD_WRITER_STATE_H

#include "modules/strobe/vcd/signal.h"
#include "modules/strobe/vcd/writer.h"

/* A time: '#', 19 digits, a newline. */
enum { TIME_ROOM = 24 };

/* What a cut says, beside the values, and the trace's last time. */
enum { CUT_ROOM = 192 };

enum vcd_state { DECLARING, RUNNING, PAUSED, CUT, ENDED, BROKEN };

/* A name and the scope it is in; those of scopes know how deep they are. */
struct vcd_name {
  uint32_t scope;
  uint32_t depth;
  char text[VCD_NAME_MAX + 8]; /* room for a number */
};

/* A hash table: a trace may have tens of thousands, and each is looked up. */
struct vcd_names {
  struct vcd_name *list;
  uint32_t *slots; /* index + 1; a power of two of them, at most half of them taken */
  uint32_t count, capacity, slot_count;
};

struct vcd_writer {
  struct buffer *out;
  enum vcd_state state;
  bool dumped, all_changes, hide_reals, hide_strings;
  int64_t time_ns, unit_ns;
  int64_t tick, tick_written; /* in units; -1 is before all */
  struct vcd_signal *signals;
  uint32_t *dirty; /* those touched in this step, in that order */
  uint32_t dirty_count, count, capacity;
  struct vcd_counters counters;
  uint64_t max_bytes, max_changes;
  size_t tail; /* what a cut and the end need */
  struct vcd_names scopes, names;
  uint32_t scope; /* the open one; 0 is none */
};

/* Room for `size` bytes at the end of the text; NULL when there is no memory. */
static inline char *vcd_room(struct vcd_writer *writer, size_t size) {
  struct buffer *out = writer->out;
  if (out->capacity - out->end < size && !buffer_reserve(out, size)) {
    writer->state = BROKEN;
    return NULL;
  }
  return out->bytes + out->end;
}

static inline void vcd_wrote(struct vcd_writer *writer, size_t size) {
  writer->out->end += size;
  writer->counters.bytes += size;
}

/* Appends a text as it is; false when there is no memory. */
bool vcd_put(struct vcd_writer *writer, const char *text);

/* Why a call comes at the wrong time. */
enum vcd_status vcd_refusal(const struct vcd_writer *writer);

#endif
