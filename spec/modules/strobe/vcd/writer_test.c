/* The VCD writer: what it writes, byte by byte, and what it refuses. */
#include "modules/strobe/vcd/writer.h"
#include "spec/support/check.h"

#include <math.h>
#include <string.h>

enum { US = 1000 };

static struct buffer out;

static struct vcd_writer *writer_of(const struct vcd_options *options) {
  buffer_free(&out);
  struct vcd_writer *writer = vcd_writer_new(options, &out);
  CHECK(writer != NULL);
  return writer;
}

static uint32_t declare(struct vcd_writer *writer, const char *name, enum vcd_type type,
                        uint32_t width, char initial) {
  uint32_t index;
  struct vcd_var var = {
      .type = type, .width = width, .name = name, .name_size = strlen(name), .initial = initial};
  CHECK(vcd_writer_var(writer, &var, &index) == VCD_OK);
  return index;
}

/* What was written since the definitions. */
static bool body_is(const char *expected) {
  static const char mark[] = "$enddefinitions $end\n";
  CHECK(buffer_append(&out, "", 1));
  out.end--;
  const char *body = strstr(buffer_front(&out), mark);
  CHECK(body != NULL);
  bool same = strcmp(body + sizeof mark - 1, expected) == 0;
  if (!same)
    printf("expected:\n%s\ngot:\n%s\n", expected, body);
  return same;
}

static void check_settled(void) {
  struct vcd_writer *writer = writer_of(&(struct vcd_options){.unit_ns = US});
  uint32_t a = declare(writer, "a", VCD_WIRE, 1, 'z');
  uint32_t b = declare(writer, "b", VCD_WIRE, 1, 'x');
  CHECK(vcd_writer_begin(writer, 0) == VCD_OK);
  CHECK(vcd_writer_wire(writer, 0, b, '0') == VCD_OK);
  CHECK(vcd_writer_wire(writer, 1 * US, a, '1') == VCD_OK);
  CHECK(vcd_writer_wire(writer, 1 * US, b, '0') == VCD_OK);
  CHECK(vcd_writer_wire(writer, 1 * US, a, '0') == VCD_OK);
  CHECK(vcd_writer_wire(writer, 2 * US, a, '1') == VCD_OK);
  CHECK(vcd_writer_wire(writer, 2 * US + 1, a, '0') == VCD_OK);
  CHECK(vcd_writer_wire(writer, 3 * US, b, 'X') == VCD_OK);
  CHECK(vcd_writer_end(writer, 3 * US + 1) == VCD_OK);
  CHECK(body_is("#0\n$dumpvars\nz!\n0\"\n$end\n#1\n0!\n#3\nx\"\n#4\n"));
  CHECK(vcd_writer_counters(writer).merged == 2);
  CHECK(vcd_writer_counters(writer).changes == 2);
  CHECK(vcd_writer_counters(writer).bytes == buffer_size(&out));
  vcd_writer_free(writer);
}

static void check_all_changes(void) {
  struct vcd_writer *writer = writer_of(&(struct vcd_options){.unit_ns = US, .all_changes = true});
  uint32_t a = declare(writer, "a", VCD_WIRE, 1, '0');
  CHECK(vcd_writer_begin(writer, 5 * US) == VCD_OK);
  CHECK(vcd_writer_wire(writer, 5 * US, a, '1') == VCD_OK);
  CHECK(vcd_writer_wire(writer, 6 * US, a, '1') == VCD_OK);
  CHECK(vcd_writer_wire(writer, 6 * US, a, '0') == VCD_OK);
  CHECK(vcd_writer_wire(writer, 6 * US, a, '1') == VCD_OK);
  CHECK(vcd_writer_end(writer, 6 * US) == VCD_OK);
  CHECK(body_is("#5\n$dumpvars\n0!\n$end\n1!\n#6\n0!\n1!\n"));
  vcd_writer_free(writer);
}

static void check_values(void) {
  struct vcd_writer *writer = writer_of(&(struct vcd_options){.unit_ns = 1});
  uint32_t bus = declare(writer, "bus", VCD_WIRE, 4, 'x');
  uint32_t wide = declare(writer, "wide", VCD_WIRE, 66, '0');
  uint32_t real = declare(writer, "real", VCD_REAL, 0, 0);
  uint32_t text = declare(writer, "text", VCD_STRING, 0, 0);
  uint32_t event = declare(writer, "event", VCD_EVENT, 0, 0);
  CHECK(vcd_writer_begin(writer, 0) == VCD_OK);
  CHECK(vcd_writer_vector(writer, 1, bus, "z1", 2) == VCD_OK);
  CHECK(vcd_writer_vector(writer, 2, bus, "11", 2) == VCD_OK);
  CHECK(vcd_writer_vector(writer, 3, bus, "X", 1) == VCD_OK);
  CHECK(vcd_writer_number(writer, 4, bus, 15) == VCD_OK);
  CHECK(vcd_writer_number(writer, 5, wide, UINT64_MAX) == VCD_OK);
  CHECK(vcd_writer_real(writer, 6, real, 0.1) == VCD_OK);
  CHECK(vcd_writer_real(writer, 7, real, 0.1) == VCD_OK);
  CHECK(vcd_writer_real(writer, 8, real, -(double)NAN) == VCD_OK);
  CHECK(vcd_writer_text(writer, 9, text, "a \\\n\xff", 5) == VCD_OK);
  CHECK(vcd_writer_tick(writer, 10, event) == VCD_OK);
  CHECK(vcd_writer_tick(writer, 10, event) == VCD_OK);
  CHECK(vcd_writer_tick(writer, 11, event) == VCD_OK);
  CHECK(vcd_writer_end(writer, 12) == VCD_OK);
  CHECK(body_is("#0\n$dumpvars\nbxxxx !\n"
                "b000000000000000000000000000000000000000000000000000000000000000000 \"\n"
                "r0 #\ns $\n$end\n#1\nbzzz1 !\n#2\nb0011 !\n#3\nbxxxx !\n#4\nb1111 !\n#5\n"
                "b001111111111111111111111111111111111111111111111111111111111111111 \"\n"
                "#6\nr0.1 #\n#8\nrnan #\n#9\nsa\\040\\\\\\012\\377 $\n#10\n1%\n#11\n1%\n#12\n"));
  CHECK(vcd_writer_wire(writer, 13, bus, '1') == VCD_BAD_ORDER);
  CHECK(vcd_writer_end(writer, 13) == VCD_BAD_ORDER);
  vcd_writer_free(writer);
}

static void check_refusals(void) {
  struct vcd_writer *writer = writer_of(&(struct vcd_options){.unit_ns = 1});
  uint32_t index;
  uint32_t missing = 9;
  struct vcd_var var = {.type = VCD_WIRE, .width = 0, .name = "n", .name_size = 1, .initial = '0'};
  CHECK(vcd_writer_var(writer, &var, &index) == VCD_BAD_VALUE);
  var.width = VCD_WIDTH_MAX + 1;
  CHECK(vcd_writer_var(writer, &var, &index) == VCD_TOO_MANY);
  var.width = 1;
  var.initial = 'h';
  CHECK(vcd_writer_var(writer, &var, &index) == VCD_BAD_VALUE);
  var.same = &missing;
  CHECK(vcd_writer_var(writer, &var, &index) == VCD_BAD_VAR);
  CHECK(vcd_writer_upscope(writer) == VCD_BAD_ORDER);
  uint32_t a = declare(writer, "a", VCD_WIRE, 1, 'x');
  uint32_t bus = declare(writer, "bus", VCD_WIRE, 4, 'x');
  CHECK(vcd_writer_wire(writer, 0, a, '1') == VCD_BAD_ORDER);
  CHECK(vcd_writer_settle(writer) == VCD_BAD_ORDER);
  CHECK(vcd_writer_end(writer, 0) == VCD_BAD_ORDER);
  CHECK(vcd_writer_begin(writer, -1) == VCD_BAD_TIME);
  CHECK(vcd_writer_begin(writer, 10) == VCD_OK);
  CHECK(vcd_writer_begin(writer, 10) == VCD_BAD_ORDER);
  CHECK(vcd_writer_scope(writer, "s", 1) == VCD_BAD_ORDER);
  CHECK(vcd_writer_wire(writer, 9, a, '1') == VCD_BAD_TIME);
  CHECK(vcd_writer_wire(writer, 10, 2, '1') == VCD_BAD_VAR);
  CHECK(vcd_writer_wire(writer, 10, a, '2') == VCD_BAD_VALUE);
  CHECK(vcd_writer_real(writer, 10, a, 1) == VCD_BAD_VALUE);
  CHECK(vcd_writer_vector(writer, 10, bus, "11111", 5) == VCD_BAD_VALUE);
  CHECK(vcd_writer_vector(writer, 10, bus, "", 0) == VCD_BAD_VALUE);
  CHECK(vcd_writer_vector(writer, 10, bus, "12", 2) == VCD_BAD_VALUE);
  CHECK(vcd_writer_number(writer, 10, bus, 16) == VCD_BAD_VALUE);
  CHECK(vcd_writer_end(writer, 10) == VCD_OK);
  CHECK(body_is("#10\n$dumpvars\nx!\nbxxxx \"\n$end\n"));
  vcd_writer_free(writer);
  CHECK(vcd_writer_new(&(struct vcd_options){.unit_ns = 0}, &out) == NULL);
  CHECK(vcd_writer_new(&(struct vcd_options){.unit_ns = 20}, &out) == NULL);
  vcd_writer_free(NULL);
}

static void check_pause(void) {
  struct vcd_writer *writer = writer_of(&(struct vcd_options){.unit_ns = 1});
  uint32_t a = declare(writer, "a", VCD_WIRE, 1, '0');
  CHECK(vcd_writer_begin(writer, 0) == VCD_OK);
  CHECK(vcd_writer_pause(writer, 5) == VCD_OK);
  CHECK(vcd_writer_wire(writer, 6, a, '1') == VCD_OK);
  CHECK(vcd_writer_resume(writer, 7) == VCD_OK);
  CHECK(vcd_writer_wire(writer, 8, a, '0') == VCD_OK);
  CHECK(vcd_writer_end(writer, 9) == VCD_OK);
  CHECK(body_is("#0\n$dumpvars\n0!\n$end\n#5\n$dumpoff\nx!\n$end\n#7\n$dumpon\n1!\n$end\n"
                "#8\n0!\n#9\n"));
  vcd_writer_free(writer);
}

static void check_cut(void) {
  struct vcd_writer *writer = writer_of(&(struct vcd_options){.unit_ns = 1, .max_changes = 2});
  uint32_t a = declare(writer, "a", VCD_WIRE, 1, '0');
  CHECK(vcd_writer_begin(writer, 0) == VCD_OK);
  for (int i = 1; i < 10; i++)
    CHECK(vcd_writer_wire(writer, i, a, i % 2 ? '1' : '0') == VCD_OK);
  CHECK(vcd_writer_end(writer, 10) == VCD_OK);
  CHECK(body_is("#0\n$dumpvars\n0!\n$end\n#1\n1!\n#2\n0!\n#3\n"
                "$comment the trace is cut here: it has reached 2 changes $end\n"
                "$dumpoff\nx!\n$end\n#10\n"));
  CHECK(vcd_writer_counters(writer).changes == 2);
  CHECK(vcd_writer_counters(writer).dropped == 7);
  vcd_writer_free(writer);
  for (uint64_t most = 400; most < 500; most++) {
    writer = writer_of(&(struct vcd_options){.unit_ns = 1, .max_bytes = most});
    a = declare(writer, "a", VCD_WIRE, 1, '0');
    CHECK(vcd_writer_begin(writer, 0) == VCD_OK);
    for (int i = 1; i < 100; i++)
      CHECK(vcd_writer_wire(writer, i, a, i % 2 ? '1' : '0') == VCD_OK);
    CHECK(vcd_writer_cut(writer));
    CHECK(vcd_writer_end(writer, 1000000) == VCD_OK);
    CHECK(buffer_size(&out) <= most);
    CHECK(vcd_writer_counters(writer).changes + vcd_writer_counters(writer).dropped == 99);
    vcd_writer_free(writer);
  }
}

/* Ids are shortest first: '!' to '~', then "!!". */
static void check_ids(void) {
  char line[64];
  struct vcd_writer *writer = writer_of(&(struct vcd_options){.unit_ns = 1});
  for (int i = 0; i < 9000; i++) {
    snprintf(line, sizeof line, "n%d", i);
    CHECK(declare(writer, line, VCD_WIRE, 1, 'x') == (uint32_t)i);
  }
  CHECK(buffer_append(&out, "", 1));
  const char *text = buffer_front(&out);
  CHECK(strstr(text, "$var wire 1 ! n0 $end\n"));
  CHECK(strstr(text, "$var wire 1 ~ n93 $end\n"));
  CHECK(strstr(text, "$var wire 1 !! n94 $end\n"));
  CHECK(strstr(text, "$var wire 1 \"! n95 $end\n"));
  CHECK(strstr(text, "$var wire 1 ~~ n8929 $end\n"));
  CHECK(strstr(text, "$var wire 1 !!! n8930 $end\n"));
  vcd_writer_free(writer);
}

int main(void) {
  check_settled();
  check_all_changes();
  check_values();
  check_refusals();
  check_pause();
  check_cut();
  check_ids();
  buffer_free(&out);
  printf("good: %d checks\n", checked);
  return 0;
}
