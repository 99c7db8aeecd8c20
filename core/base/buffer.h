/* A byte queue: bytes are appended at the end and taken from the front.
 *
 * What was taken is reclaimed lazily, so taking is O(1) and appending moves
 * bytes only when that saves growing. An empty queue gives its memory back.
 */
#ifndef STROBE_BASE_BUFFER_H
#define STROBE_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
  char *bytes;
  size_t start, end, capacity;
};

void buffer_init(struct buffer *buffer);
void buffer_free(struct buffer *buffer);

/* Makes room for `size` more bytes. False when there is no memory. */
bool buffer_reserve(struct buffer *buffer, size_t size);

/* False when there is no memory; the queue is then as before. */
bool buffer_append(struct buffer *buffer, const char *bytes, size_t size);

/* Puts bytes before all others. False when there is no memory. */
bool buffer_prepend(struct buffer *buffer, const char *bytes, size_t size);

/* Drops `size` bytes, at most all, from the front. */
void buffer_take(struct buffer *buffer, size_t size);

static inline size_t buffer_size(const struct buffer *buffer) {
  return buffer->end - buffer->start;
}

/* Good until the next append. */
static inline const char *buffer_front(const struct buffer *buffer) {
  return buffer->bytes ? buffer->bytes + buffer->start : "";
}

#endif
