#include "core/base/heap.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void heap_init(struct heap *heap) {
  memset(heap, 0, sizeof *heap);
}

void heap_free(struct heap *heap) {
  free(heap->slots);
  heap_init(heap);
}

static bool before(const struct heap_slot *a, const struct heap_slot *b) {
  if (a->key != b->key)
    return a->key < b->key;
  return a->node->seq < b->node->seq;
}

static void put(struct heap *heap, uint32_t index, struct heap_slot slot) {
  heap->slots[index - 1] = slot;
  slot.node->index = index;
}

static void sift_up(struct heap *heap, uint32_t index, struct heap_slot slot) {
  while (index > 1) {
    uint32_t parent = index / 2;
    if (!before(&slot, &heap->slots[parent - 1]))
      break;
    put(heap, index, heap->slots[parent - 1]);
    index = parent;
  }
  put(heap, index, slot);
}

static void sift_down(struct heap *heap, uint32_t index, struct heap_slot slot) {
  for (;;) {
    uint32_t child = 2 * index;
    if (child > heap->count)
      break;
    if (child < heap->count && before(&heap->slots[child], &heap->slots[child - 1]))
      child++;
    if (!before(&heap->slots[child - 1], &slot))
      break;
    put(heap, index, heap->slots[child - 1]);
    index = child;
  }
  put(heap, index, slot);
}

static bool reserve(struct heap *heap) {
  if (heap->count < heap->capacity)
    return true;
  if (heap->capacity > UINT32_MAX / 4)
    return false;
  uint32_t capacity = heap->capacity ? 2 * heap->capacity : FIRST_CAPACITY;
  struct heap_slot *slots = realloc(heap->slots, capacity * sizeof *slots);
  if (!slots)
    return false;
  heap->slots = slots;
  heap->capacity = capacity;
  return true;
}

bool heap_insert(struct heap *heap, struct heap_node *node, int64_t key) {
  if (!reserve(heap))
    return false;
  node->seq = heap->next_seq++;
  heap->count++;
  sift_up(heap, heap->count, (struct heap_slot){key, node});
  return true;
}

void heap_remove(struct heap *heap, struct heap_node *node) {
  if (!heap_linked(node))
    return;
  uint32_t index = node->index;
  struct heap_slot last = heap->slots[heap->count - 1];
  node->index = 0;
  heap->count--;
  if (last.node == node)
    return;
  if (index > 1 && before(&last, &heap->slots[index / 2 - 1]))
    sift_up(heap, index, last);
  else
    sift_down(heap, index, last);
}

struct heap_node *heap_first(const struct heap *heap, int64_t *key) {
  if (heap->count == 0)
    return NULL;
  *key = heap->slots[0].key;
  return heap->slots[0].node;
}

int64_t heap_key(const struct heap *heap, const struct heap_node *node) {
  return heap->slots[node->index - 1].key;
}
