/* The lines that have breakpoints, of files by their numbers: one bit each. Number 0 stands for the
 * lines of all files, by which most lines are passed over at once.
 */
#ifndef STROBE_TASK_BREAKPOINT_H
#define STROBE_TASK_BREAKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BREAKPOINT_MOST_FILES = 4096, BREAKPOINT_MOST_LINE = 1 << 20 };

struct breakpoint_lines {
  uint64_t *bits;
  size_t words;
};

struct breakpoints {
  struct breakpoint_lines *files;
  int count;
};

static inline bool breakpoints_have(const struct breakpoints *breakpoints, int file, int line) {
  if (file >= breakpoints->count || line < 0)
    return false;
  const struct breakpoint_lines *lines = &breakpoints->files[file];
  size_t word = (size_t)line / 64;
  return word < lines->words && lines->bits[word] >> (line % 64) & 1;
}

/* Whether the file has any. */
static inline bool breakpoints_in(const struct breakpoints *breakpoints, int file) {
  return file > 0 && file < breakpoints->count && breakpoints->files[file].words > 0;
}

static inline bool breakpoints_anywhere(const struct breakpoints *breakpoints) {
  return breakpoints->count > 0 && breakpoints->files[0].words > 0;
}

/* Takes all of a file away. False without memory. */
bool breakpoints_clear(struct breakpoints *breakpoints, int file);

/* Adds one; a line that cannot be is passed over. False without memory. The file was cleared
 * before. */
bool breakpoints_add(struct breakpoints *breakpoints, int file, int64_t line);

/* Files have changed: makes the lines of all anew. False without memory. */
bool breakpoints_unite(struct breakpoints *breakpoints);

void breakpoints_close(struct breakpoints *breakpoints);

#endif
