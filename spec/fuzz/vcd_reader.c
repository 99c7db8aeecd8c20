/* Hostile input for the VCD reader, for libFuzzer; `./run fuzz` builds and runs it.
 *
 * The first byte chooses how the rest is cut into reads. What must hold: no byte is read beyond
 * a read, vectors are as wide as they were declared, codes are those declared, times only grow,
 * nothing comes after a failure, and the reads do not matter. */
#include "modules/strobe/vcd/reader.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
  struct buffer told;
  uint64_t time;
  uint32_t codes;
  bool defined, ended;
};

static void must(bool good) {
  if (!good)
    abort();
}

static void note(struct result *result, const void *bytes, size_t size) {
  must(buffer_append(&result->told, bytes, size));
}

static void check_change(const struct result *result, const struct vcd_event *event) {
  must(result->defined && event->code < result->codes);
  if (event->class != VCD_BITS)
    return;
  must(event->size == event->width);
  for (size_t i = 0; i < event->size; i++)
    must(event->text[i] != 0 && strchr("01xz", event->text[i]) != NULL);
}

static void note_event(struct result *result, const struct vcd_event *event) {
  uint64_t facts[] = {event->kind, event->class, event->code,  event->width,
                      event->time, event->line,  event->column};
  must(!result->ended);
  if (event->kind == VCD_GOT_VAR && event->code == result->codes)
    result->codes++;
  if (event->kind == VCD_GOT_VAR)
    must(event->code < result->codes && event->width > 0);
  if (event->kind == VCD_GOT_DEFINITIONS)
    result->defined = true;
  if (event->kind == VCD_GOT_CHANGE)
    check_change(result, event);
  if (event->kind == VCD_GOT_CHANGE || event->kind == VCD_GOT_TIME) {
    must(event->time >= result->time);
    result->time = event->time;
  }
  result->ended = event->kind == VCD_GOT_FAILURE;
  must(!result->ended || (event->line > 0 && event->column > 0 && event->size > 0));
  note(result, facts, sizeof facts);
  note(result, &event->number, sizeof event->number);
  if (event->text)
    note(result, event->text, event->size);
  if (event->kind_text)
    note(result, event->kind_text, event->kind_size);
}

static void feed_piece(struct vcd_reader *reader, struct result *result, const uint8_t *data,
                       size_t size) {
  char *copy = malloc(size ? size : 1);
  struct vcd_input input = {copy, size};
  struct vcd_event event;
  must(copy);
  memcpy(copy, data, size);
  while (vcd_reader_next(reader, &input, &event))
    note_event(result, &event);
  must(result->ended || input.size == 0);
  free(copy);
}

static struct result feed(const uint8_t *data, size_t size, size_t step) {
  struct vcd_reader *reader = vcd_reader_new();
  struct result result = {.ended = false};
  struct vcd_event event;
  must(reader);
  for (size_t at = 0; at < size; at += step)
    feed_piece(reader, &result, data + at, step < size - at ? step : size - at);
  while (vcd_reader_finish(reader, &event))
    note_event(&result, &event);
  must(result.ended || result.defined);
  vcd_reader_free(reader);
  return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1)
    return 0;
  struct result whole = feed(data + 1, size - 1, size);
  struct result split = feed(data + 1, size - 1, (size_t)data[0] % 32 + 1);
  size_t told = buffer_size(&whole.told);
  must(told == buffer_size(&split.told));
  must(told == 0 || memcmp(buffer_front(&whole.told), buffer_front(&split.told), told) == 0);
  buffer_free(&whole.told);
  buffer_free(&split.told);
  return 0;
}
