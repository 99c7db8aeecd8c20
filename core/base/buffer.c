#include "core/base/buffer.h"

#include <stdlib.h>
#include <string.h>

/* A queue that ran empty keeps a small block for the next bytes. */
enum { SMALL_CAPACITY = 512 };

void buffer_init(struct buffer *buffer) {
  memset(buffer, 0, sizeof *buffer);
}

void buffer_free(struct buffer *buffer) {
  free(buffer->bytes);
  buffer_init(buffer);
}

static void reclaim(struct buffer *buffer) {
  memmove(buffer->bytes, buffer->bytes + buffer->start, buffer_size(buffer));
  buffer->end -= buffer->start;
  buffer->start = 0;
}

static bool grow(struct buffer *buffer, size_t needed) {
  size_t capacity = buffer->capacity ? buffer->capacity : SMALL_CAPACITY;
  while (capacity < needed) {
    if (capacity > (size_t)-1 / 2)
      return false;
    capacity *= 2;
  }
  char *bytes = realloc(buffer->bytes, capacity);
  if (!bytes)
    return false;
  buffer->bytes = bytes;
  buffer->capacity = capacity;
  return true;
}

bool buffer_reserve(struct buffer *buffer, size_t size) {
  if (buffer->capacity - buffer->end >= size)
    return true;
  size_t used = buffer_size(buffer);
  if (size > (size_t)-1 - buffer->end)
    return false;
  /* Moving is paid for by at least as many bytes taken since the last move. */
  if (buffer->start >= used && buffer->capacity - used >= size) {
    reclaim(buffer);
    return true;
  }
  return grow(buffer, buffer->end + size);
}

bool buffer_append(struct buffer *buffer, const char *bytes, size_t size) {
  if (size == 0)
    return true;
  if (!buffer_reserve(buffer, size))
    return false;
  memcpy(buffer->bytes + buffer->end, bytes, size);
  buffer->end += size;
  return true;
}

bool buffer_prepend(struct buffer *buffer, const char *bytes, size_t size) {
  if (size == 0)
    return true;
  if (buffer->start < size) {
    size_t used = buffer_size(buffer);
    if (!buffer_reserve(buffer, size))
      return false;
    memmove(buffer->bytes + size, buffer_front(buffer), used);
    buffer->start = size;
    buffer->end = size + used;
  }
  buffer->start -= size;
  memcpy(buffer->bytes + buffer->start, bytes, size);
  return true;
}

void buffer_take(struct buffer *buffer, size_t size) {
  if (size < buffer_size(buffer)) {
    buffer->start += size;
    return;
  }
  buffer->start = buffer->end = 0;
  if (buffer->capacity > SMALL_CAPACITY)
    buffer_free(buffer);
}
