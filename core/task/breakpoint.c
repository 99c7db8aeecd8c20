#include "core/task/breakpoint.h"

#include <stdlib.h>
#include <string.h>

static bool make_room(struct breakpoints *breakpoints, int file) {
  if (file < breakpoints->count)
    return true;
  size_t count = (size_t)file + 1;
  struct breakpoint_lines *files = realloc(breakpoints->files, count * sizeof *files);
  if (!files)
    return false;
  for (size_t i = (size_t)breakpoints->count; i < count; i++)
    files[i] = (struct breakpoint_lines){0};
  breakpoints->files = files;
  breakpoints->count = file + 1;
  return true;
}

static void clear(struct breakpoint_lines *lines) {
  free(lines->bits);
  *lines = (struct breakpoint_lines){0};
}

bool breakpoints_clear(struct breakpoints *breakpoints, int file) {
  if (!make_room(breakpoints, file))
    return false;
  clear(&breakpoints->files[file]);
  return true;
}

bool breakpoints_add(struct breakpoints *breakpoints, int file, int64_t line) {
  struct breakpoint_lines *lines = &breakpoints->files[file];
  if (line < 1 || line >= BREAKPOINT_MOST_LINE)
    return true;
  size_t word = (size_t)line / 64;
  if (word >= lines->words) {
    uint64_t *bits = realloc(lines->bits, (word + 1) * sizeof *bits);
    if (!bits)
      return false;
    memset(bits + lines->words, 0, (word + 1 - lines->words) * sizeof *bits);
    lines->bits = bits;
    lines->words = word + 1;
  }
  lines->bits[word] |= UINT64_C(1) << (line % 64);
  return true;
}

bool breakpoints_unite(struct breakpoints *breakpoints) {
  struct breakpoint_lines all = {0};
  for (int file = 1; file < breakpoints->count; file++) {
    if (breakpoints->files[file].words > all.words)
      all.words = breakpoints->files[file].words;
  }
  all.bits = calloc(all.words + 1, sizeof *all.bits);
  if (!all.bits)
    return false;
  for (int file = 1; file < breakpoints->count; file++) {
    for (size_t word = 0; word < breakpoints->files[file].words; word++)
      all.bits[word] |= breakpoints->files[file].bits[word];
  }
  clear(&breakpoints->files[0]);
  breakpoints->files[0] = all;
  return true;
}

void breakpoints_close(struct breakpoints *breakpoints) {
  for (int file = 0; file < breakpoints->count; file++)
    free(breakpoints->files[file].bits);
  free(breakpoints->files);
  *breakpoints = (struct breakpoints){0};
}
