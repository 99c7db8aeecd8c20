/* A tool of the build, no part of strobe: writes Lua files and pages as C (see
 * core/host/embedded.h).
 *
 *   embed OUTPUT FILE...
 *
 * Each file becomes a string literal, one source line per line: compilers read that many times
 * faster than a list of numbers, and a person can read it too.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_byte(FILE *out, int byte) {
  if (byte == '\n')
    fputs("\\n\"\n\"", out);
  else if (byte == '"' || byte == '\\' || byte == '?') /* '?' could begin a trigraph */
    fprintf(out, "\\%c", byte);
  else if (byte < ' ' || byte > '~')
    fprintf(out, "\\%03o", (unsigned)byte); /* three digits: a digit may follow */
  else
    fputc(byte, out);
}

static bool write_text(FILE *out, const char *path, int index) {
  FILE *in = fopen(path, "rb");
  if (!in)
    return false;
  fprintf(out, "static const unsigned char text_%d[] = /* %s */\n\"", index, path);
  int byte;
  while ((byte = getc(in)) != EOF)
    write_byte(out, byte);
  fputs("\";\n\n", out);
  bool read_all = !ferror(in);
  fclose(in);
  return read_all;
}

/* The entry of NULLs behind the last one is not counted: C has no arrays of no elements. */
static void write_table(FILE *out, char **paths, int count) {
  fputs("const struct embedded_file embedded_files[] = {\n", out);
  for (int i = 0; i < count; i++)
    fprintf(out, "  {\"%s\", text_%d, sizeof text_%d - 1},\n", paths[i], i, i);
  fputs("  {NULL, NULL, 0},\n};\n\n", out);
  fprintf(out, "const size_t embedded_file_count = %d;\n", count);
}

static int compare_paths(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static int fail(const char *path) {
  fprintf(stderr, "embed: %s: %s\n", path, strerror(errno));
  return EXIT_FAILURE;
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fputs("usage: embed OUTPUT FILE...\n", stderr);
    return EXIT_FAILURE;
  }
  char **paths = argv + 2;
  int count = argc - 2;
  qsort(paths, (size_t)count, sizeof *paths, compare_paths);

  FILE *out = fopen(argv[1], "w");
  if (!out)
    return fail(argv[1]);
  fputs("/* Generated from the Lua files. */\n#include \"core/host/embedded.h\"\n\n", out);
  for (int i = 0; i < count; i++) {
    if (!write_text(out, paths[i], i))
      return fail(paths[i]);
  }
  write_table(out, paths, count);
  bool written = !ferror(out);
  if (fclose(out) != 0 || !written)
    return fail(argv[1]);
  return EXIT_SUCCESS;
}
