/* The ids of a trace that is read, and the variables they stand for: a hash table. */
#ifndef STROBE_VCD_CODES_H
#define STROBE_VCD_CODES_H

#include "modules/strobe/vcd/reader.h"

struct vcd_code {
  uint32_t width;
  enum vcd_class class;
  uint8_t size;
  char id[VCD_READ_ID_MAX];
  uint64_t line; /* where it was declared first */
};

struct vcd_codes {
  struct vcd_code *list;
  uint32_t *slots; /* index + 1; a power of two of them, at most half of them taken */
  uint32_t count, slot_count;
};

void vcd_codes_free(struct vcd_codes *codes);

/* NULL when there is none. */
struct vcd_code *vcd_codes_find(const struct vcd_codes *codes, const char *id, size_t size);

/* Adds an id that is not there; NULL when there is no memory. */
struct vcd_code *vcd_codes_add(struct vcd_codes *codes, const char *id, size_t size);

#endif
