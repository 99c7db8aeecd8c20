/* One variable of a trace that is being written: its id, what it changes to in this step,
 * and what was written last. Only the writer knows it. */
#ifndef STROBE_VCD_SIGNAL_H
#define STROBE_VCD_SIGNAL_H

#include "modules/strobe/vcd/writer.h"

/* What a change needs beside its value: a blank, the id, a newline. */
enum { VCD_ID_ROOM = 8 };

struct vcd_text {
  char *bytes; /* as it is written: without blanks, '\' before octal digits */
  size_t size;
};

struct vcd_signal {
  enum vcd_type type;
  uint32_t width;
  bool dirty, hidden;
  uint8_t tail_size;
  char tail[VCD_ID_ROOM]; /* " !\n" */
  char wire, wire_written;
  double real, real_written;
  char *bits; /* of a vector: now; behind them, as written */
  struct vcd_text text, text_written;
};

/* False when there is no memory. */
bool vcd_signal_init(struct vcd_signal *signal, const struct vcd_var *var, uint32_t number);
void vcd_signal_free(struct vcd_signal *signal);

/* Bijective base 94, shortest first: 0 is "!", 93 "~", 94 "!!". Returns its size. */
size_t vcd_id_write(char *to, uint32_t number);

/* What it is to change to. Each tells whether that is another value than before. */
bool vcd_signal_set_real(struct vcd_signal *signal, double value);
enum vcd_status vcd_signal_set_bits(struct vcd_signal *signal, const char *bits, size_t size,
                                    bool *other);
enum vcd_status vcd_signal_set_text(struct vcd_signal *signal, const char *text, size_t size,
                                    bool *other);

/* Whether the trace does not say yet what it is now. An event never is what it was. */
bool vcd_signal_differs(const struct vcd_signal *signal);

/* At most so many bytes to write a value. */
size_t vcd_signal_room(const struct vcd_signal *signal);

/* Writes what it is now, or that it is unknown, where there is that room. Returns the size. */
size_t vcd_signal_write(struct vcd_signal *signal, char *to);
size_t vcd_signal_write_unknown(const struct vcd_signal *signal, char *to);

#endif
