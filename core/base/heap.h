/* A binary min-heap of deadlines, first in first out among equal ones.
 *
 * The keys lie in the array itself, so sifting a million entries touches few
 * cache lines; an entry's node only learns where it stands. Members are owned
 * by the caller and must stay where they are while they are in the heap.
 */
#ifndef STROBE_BASE_HEAP_H
#define STROBE_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
  uint64_t seq;   /* order of insertion: breaks ties */
  uint32_t index; /* 1-based place in the array; 0 = in no heap */
};

struct heap_slot {
  int64_t key;
  struct heap_node *node;
};

struct heap {
  struct heap_slot *slots;
  uint32_t count, capacity;
  uint64_t next_seq;
};

void heap_init(struct heap *heap);
void heap_free(struct heap *heap);

/* False when there is no memory; the heap is then as before. */
bool heap_insert(struct heap *heap, struct heap_node *node, int64_t key);

/* Removing a node that is in no heap does nothing. */
void heap_remove(struct heap *heap, struct heap_node *node);

/* The node with the smallest key, and that key; NULL when the heap is empty. */
struct heap_node *heap_first(const struct heap *heap, int64_t *key);

int64_t heap_key(const struct heap *heap, const struct heap_node *node);

static inline bool heap_linked(const struct heap_node *node) {
  return node->index != 0;
}

#endif
