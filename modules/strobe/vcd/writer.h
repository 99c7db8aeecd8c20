/* A trace of a circuit as VCD (IEEE 1364, chapter 18): changes in, text out.
 *
 *   writer = vcd_writer_new(&options, &out);
 *   vcd_writer_scope(writer, "board", 5);
 *   status = vcd_writer_var(writer, &(struct vcd_var){.type = VCD_WIRE, ...}, &var);
 *   vcd_writer_begin(writer, 0);
 *   vcd_writer_wire(writer, time_ns, var, '1');
 *   vcd_writer_end(writer, time_ns);
 *
 * The text is appended to `out`, which belongs to the caller, who takes bytes from it as he
 * likes; nothing is ever changed that was appended. Equal calls make equal bytes.
 *
 * A step is the changes of one time on the trace's scale. By default only what a variable
 * settled on at the end of a step is written, and only when it differs from what was
 * written last; the step's text comes with the first change of a later one. With
 * `all_changes` each differing change is written at once. What the first step settled on is
 * the trace's $dumpvars.
 *
 * Limits: VCD_VARS_MAX variables, VCD_WIDTH_MAX bits, VCD_DEPTH_MAX scopes, texts of
 * VCD_TEXT_MAX bytes. At `max_bytes` or `max_changes` the trace is cut: a $comment says so,
 * a $dumpoff makes all values unknown, and what comes later is counted only. A variable has
 * about 400 bytes and twice its value.
 */
#ifndef STROBE_VCD_WRITER_H
#define STROBE_VCD_WRITER_H

#include "core/base/buffer.h"

#include <stdint.h>

enum {
  VCD_VARS_MAX = 1 << 16,
  VCD_WIDTH_MAX = 1 << 16,
  VCD_DEPTH_MAX = 64,
  VCD_TEXT_MAX = 64 * 1024,
  VCD_NAME_MAX = 255
};

enum vcd_type { VCD_WIRE, VCD_REAL, VCD_STRING, VCD_EVENT };

enum vcd_status {
  VCD_OK,
  VCD_NO_MEMORY, /* for ever: the trace may lack a change */
  VCD_BAD_ORDER, /* declared after the beginning, changed before it or after the end */
  VCD_BAD_TIME,  /* earlier than the one before */
  VCD_BAD_VALUE, /* of another type, or not of the variable's width */
  VCD_BAD_VAR,   /* there is no such variable */
  VCD_TOO_MANY   /* beyond a limit above */
};

struct vcd_options {
  int64_t unit_ns;     /* one unit of time: a power of ten, 1 to 10^11 */
  const char *date;    /* NULL: none, as are the next two */
  const char *version; /* who made it */
  const char *comment;
  uint64_t max_bytes;   /* 0: no limit, as for the next */
  uint64_t max_changes; /* after the $dumpvars */
  bool hide_reals;      /* declared and changed as ever, but not written */
  bool hide_strings;    /* the same; readers other than viewers may refuse strings */
  bool all_changes;
};

struct vcd_var {
  enum vcd_type type;
  uint32_t width; /* of a wire */
  const char *name;
  size_t name_size;
  char initial;         /* of a wire: '0', '1', 'x' or 'z' */
  const uint32_t *same; /* another name of this variable, which is on the same net; or NULL */
};

struct vcd_counters {
  uint64_t bytes, changes;
  uint64_t merged;  /* changed again within their step, so not written */
  uint64_t dropped; /* came after the cut */
};

struct vcd_writer;

/* NULL when there is no memory, or the unit is none. The texts are copied. */
struct vcd_writer *vcd_writer_new(const struct vcd_options *options, struct buffer *out);

/* NULL is allowed. */
void vcd_writer_free(struct vcd_writer *writer);

/* Opens a scope in the present one; one that was open before goes on. In names, all but
 * letters, digits and _ becomes _, and a $comment keeps the original. */
enum vcd_status vcd_writer_scope(struct vcd_writer *writer, const char *name, size_t size);
enum vcd_status vcd_writer_upscope(struct vcd_writer *writer);

/* Declares a variable in the present scope. A name taken there gets a number. */
enum vcd_status vcd_writer_var(struct vcd_writer *writer, const struct vcd_var *var,
                               uint32_t *index);

/* Ends the declarations; the trace begins at this time. */
enum vcd_status vcd_writer_begin(struct vcd_writer *writer, int64_t time_ns);

/* A change of a variable, by its type. A vector has its most significant bit first; a short
 * one is extended: by 0 before 0 and 1, else by its first. A number is one's low bits. */
enum vcd_status vcd_writer_wire(struct vcd_writer *writer, int64_t time_ns, uint32_t var,
                                char value);
enum vcd_status vcd_writer_vector(struct vcd_writer *writer, int64_t time_ns, uint32_t var,
                                  const char *bits, size_t size);
enum vcd_status vcd_writer_number(struct vcd_writer *writer, int64_t time_ns, uint32_t var,
                                  uint64_t value);
enum vcd_status vcd_writer_real(struct vcd_writer *writer, int64_t time_ns, uint32_t var,
                                double value);
enum vcd_status vcd_writer_text(struct vcd_writer *writer, int64_t time_ns, uint32_t var,
                                const char *text, size_t size);
enum vcd_status vcd_writer_tick(struct vcd_writer *writer, int64_t time_ns, uint32_t var);

/* Nothing is recorded from then on, all values are unknown, until it goes on. */
enum vcd_status vcd_writer_pause(struct vcd_writer *writer, int64_t time_ns);
enum vcd_status vcd_writer_resume(struct vcd_writer *writer, int64_t time_ns);

/* Writes the present step as it is, for whoever looks at a trace that goes on. */
enum vcd_status vcd_writer_settle(struct vcd_writer *writer);

/* The last step, and the trace's end; nothing follows. */
enum vcd_status vcd_writer_end(struct vcd_writer *writer, int64_t time_ns);

/* The time of the last call that had one. */
int64_t vcd_writer_time(const struct vcd_writer *writer);

/* How many nanoseconds a unit of its time has. */
int64_t vcd_writer_unit(const struct vcd_writer *writer);

/* The type of a variable; false when there is none. */
bool vcd_writer_type(const struct vcd_writer *writer, uint32_t var, enum vcd_type *type,
                     uint32_t *width);

struct vcd_counters vcd_writer_counters(const struct vcd_writer *writer);

/* Whether a limit was met. */
bool vcd_writer_cut(const struct vcd_writer *writer);

/* What is wrong, for people. */
const char *vcd_status_text(enum vcd_status status);

#endif
