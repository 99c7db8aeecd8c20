#include "modules/strobe/vcd/codes.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64 };

static uint32_t hash_of(const char *id, size_t size) {
  uint32_t hash = 2166136261U;
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ (unsigned char)id[i]) * 16777619U;
  return hash ^ hash >> 15;
}

void vcd_codes_free(struct vcd_codes *codes) {
  free(codes->list);
  free(codes->slots);
  *codes = (struct vcd_codes){0};
}

/* The slot that has the id, or the free one where it belongs. */
static uint32_t *slot_of(const struct vcd_codes *codes, const char *id, size_t size) {
  uint32_t mask = codes->slot_count - 1;
  uint32_t at = hash_of(id, size) & mask;
  for (;; at = (at + 1) & mask) {
    uint32_t *slot = &codes->slots[at];
    if (*slot == 0)
      return slot;
    const struct vcd_code *code = &codes->list[*slot - 1];
    if (code->size == size && memcmp(code->id, id, size) == 0)
      return slot;
  }
}

struct vcd_code *vcd_codes_find(const struct vcd_codes *codes, const char *id, size_t size) {
  if (codes->count == 0)
    return NULL;
  uint32_t index = *slot_of(codes, id, size);
  return index ? &codes->list[index - 1] : NULL;
}

static bool grow(struct vcd_codes *codes) {
  uint32_t slot_count = codes->slot_count ? codes->slot_count * 2 : FIRST_SLOTS;
  struct vcd_code *list = realloc(codes->list, sizeof *list * (slot_count / 2));
  if (!list)
    return false;
  codes->list = list;
  uint32_t *slots = calloc(slot_count, sizeof *slots);
  if (!slots)
    return false;
  free(codes->slots);
  codes->slots = slots;
  codes->slot_count = slot_count;
  for (uint32_t i = 0; i < codes->count; i++)
    *slot_of(codes, list[i].id, list[i].size) = i + 1;
  return true;
}

struct vcd_code *vcd_codes_add(struct vcd_codes *codes, const char *id, size_t size) {
  if (codes->count >= codes->slot_count / 2 && !grow(codes))
    return NULL;
  struct vcd_code *code = &codes->list[codes->count];
  *code = (struct vcd_code){.size = (uint8_t)size};
  memcpy(code->id, id, size);
  *slot_of(codes, id, size) = ++codes->count;
  return code;
}
