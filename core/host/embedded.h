/* The Lua files that travel inside the executable, and the web pages which modules serve.
 *
 * Every modules/.../x.lua and x.html, scripts/.../x.lua and examples/x.lua is turned into C at
 * build time (core/host/embed.c) and linked in, so that one executable runs anywhere the libraries
 * are. The texts are what was in the files, byte for byte, and each has a NUL behind it that `size`
 * does not count. All of it is constant and lives as long as the process.
 */
#ifndef STROBE_HOST_EMBEDDED_H
#define STROBE_HOST_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
  const char *path; /* from the top of the repository: "modules/strobe/async/init.lua" */
  const unsigned char *text;
  size_t size;
};

/* Sorted by path, as strcmp sorts: bsearch finds a file, and a folder's files are neighbours. */
extern const struct embedded_file embedded_files[];
extern const size_t embedded_file_count;

#endif
