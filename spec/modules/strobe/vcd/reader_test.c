/* VCD as others write it, and broken: each text is read whole, split at each point, and byte
 * by byte, and must come to the same. What comes out is written in one line. */
#include "modules/strobe/vcd/reader.h"
#include "spec/support/check.h"

#include <inttypes.h>
#include <string.h>

#define HEAD "$timescale 1 us $end $var wire 1 ! a $end $var wire 4 \" bus [3:0] $end "
#define DEFS                                                                                       \
  HEAD "$var real 64 # r $end $var string 0 $ s $end $var event 1 % e $end "                       \
       "$enddefinitions $end\n"

struct example {
  const char *text, *expected;
};

/* Only what comes behind the definitions. */
static const struct example bodies[] = {
    {"", ""},
    {"#0\n$dumpvars\nx!\nbz \"\n$end\n#5 1!\n", "0:time 0:!=x 0:\"=zzzz 5:time 5:!=1 "},
    {"#1\r\n0!\r\n\tb101   \"\r\n#2", "1:time 1:!=0 1:\"=0101 2:time "},
    {"b1 ! 1 ! B0 !", "0:!=1 0:!=1 0:!=0 "},
    {"1\" X\" ZZ", "0:\"=0001 0:\"=xxxx fail 2:7 no $var has declared the id 'Z'"},
    {"bUWHL \" b-x10 \"", "0:\"=xx10 0:\"=xx10 "},
    {"b00001 \" bxxxxx1 \"", "0:\"=0001 0:\"=xxx1 "},
    {"b10000 \"", "fail 2:8 '10000' is wider than its variable, which has 4"},
    {"r1.5 # R-2e3 # rnan #", "0:#=1.5 0:#=-2000 0:#=nan "},
    {"r1.5x #", "fail 2:7 '1.5x' is no number"},
    {"r #", "fail 2:3 '' is no number"},
    {"s $ shi\\040\\\\\\012\\n\\q $", "0:$= 0:$=hi \\\n\nq "},
    {"1% 1%", "0:%=. 0:%=. "},
    {"r1 !", "fail 2:4 a value 'r...' for the id !, which is of type bits"},
    {"1#", "fail 2:1 a value 'b...' for the id #, which is of type real"},
    {"b12 \"", "fail 2:5 '12' has other bits than 0, 1, x and z"},
    {"b \"", "fail 2:3 a value is missing"},
    {"#5 #4", "5:time fail 2:4 the time goes back from 5 to 4"},
    {"#", "fail 2:1 '#' is no time: # and up to 18 digits expected"},
    {"#1.5", "fail 2:1 '#1.5' is no time: # and up to 18 digits expected"},
    {"#1234567890123456789",
     "fail 2:1 '#1234567890123456789' is no time: # and up to 18 digits expected"},
    {"\n\n  q!", "fail 4:3 'q!' is no value change"},
    {"p0 1 !", "fail 2:1 values of ports ('p0', extended VCD) are not read"},
    {"b01", "fail 2:4 the file ends in the middle of a change"},
    {"1", "fail 2:2 the file ends in the middle of a change"},
    {"$comment what $end #1", "comment=what 1:time "},
    {"$unknown 1! $x $end #1", "1:time "},
    {"$comment what", "fail 2:14 the file ends inside the section that began in line 2"},
    {"$end", "fail 2:1 an $end of nothing"},
    {"$var wire 1 & late $end", "fail 2:1 $var after $enddefinitions"},
    {"$dumpoff x! $end $dumpon 1! $end", "0:!=x 0:!=1 "},
};

/* From the beginning. */
static const struct example heads[] = {
    {"", "fail 1:1 the file ends without $enddefinitions"},
    {"hello", "fail 1:1 'hello' before $enddefinitions"},
    {"#0", "fail 1:1 '#0' before $enddefinitions"},
    {"$dumpvars", "fail 1:1 $dumpvars before $enddefinitions"},
    {"$date a  b\nc $end $version $end $enddefinitions $end", "date=a b c version= defs "},
    {"$timescale 100ps $end $timescale 10 fs $end", "scale=100e-12 scale=10e-15 fail 1:44 the file "
                                                    "ends without $enddefinitions"},
    {"$timescale 2 ns $end",
     "fail 1:17 '2 ns' is no timescale: 1, 10 or 100 s, ms, us, ns, ps or fs expected"},
    {"$timescale 1 h $end",
     "fail 1:16 '1 h' is no timescale: 1, 10 or 100 s, ms, us, ns, ps or fs expected"},
    {"$scope module top $end $scope begin a b $end $upscope $end $upscope $end $upscope $end",
     "scope=top scope=a b up up fail 1:83 a $upscope without its $scope"},
    {"$scope module $end", "fail 1:15 a name is missing"},
    {"$var wire 1 ! a $end $var reg 1 ! b $end $enddefinitions $end 1!",
     "var wire 1 a=0 var reg 1 b=0 defs 0:!=1 "},
    {"$var wire 1 ! a $end\n$var wire 2 ! b $end",
     "var wire 1 a=0 fail 2:17 the id ! has another type or width in line 1"},
    {"$var wire 8 ! a[7:0] $end $var wire 1 \" b [3] $end $var wire 2 # c [-1:-2] $end "
     "$var wire 1 $ d[x] $end $enddefinitions $end",
     "var wire 8 a[7:0]=0 var wire 1 b[3:3]=1 var wire 2 c[-1:-2]=2 var wire 1 d[x]=3 defs "},
    {"$var wire 0 ! a $end", "fail 1:17 '0' is no width: 1 to 1048576 expected"},
    {"$var wire 9999999 ! a $end", "fail 1:23 '9999999' is no width: 1 to 1048576 expected"},
    {"$var wire 1 ! $end", "fail 1:15 a name is missing"},
    {"$var wire 1 $end", "fail 1:13 an id is missing"},
    {"$var wire 1 \x01 a $end", "fail 1:17 an id of other than printable ASCII"},
    {"$var wire 1 0123456789012345678901234567890123 a $end",
     "fail 1:50 the id '0123456789012345678901234567890123' is longer than 31"},
};

struct transcript {
  struct buffer text;
  bool whole; /* also what is before the end of the definitions */
};

static void put(struct transcript *transcript, const char *text, size_t size) {
  CHECK(buffer_append(&transcript->text, text, size));
}

static void say(struct transcript *transcript, const char *text) {
  put(transcript, text, strlen(text));
}

static void note_change(struct transcript *transcript, const struct vcd_event *event) {
  char text[64];
  snprintf(text, sizeof text, "%" PRIu64 ":%c=", event->time, "!\"#$%"[event->code % 5]);
  say(transcript, text);
  snprintf(text, sizeof text, "%g", event->number);
  if (event->class == VCD_NUMBER)
    say(transcript, text);
  else if (event->class == VCD_HAPPENING)
    say(transcript, ".");
  else
    put(transcript, event->text, event->size);
  CHECK(event->class != VCD_BITS || event->size == event->width);
}

static void note_var(struct transcript *transcript, const struct vcd_event *event) {
  char text[64];
  say(transcript, "var ");
  put(transcript, event->kind_text, event->kind_size);
  snprintf(text, sizeof text, " %u ", event->width);
  say(transcript, text);
  put(transcript, event->text, event->size);
  if (event->ranged) {
    snprintf(text, sizeof text, "[%d:%d]", event->msb, event->lsb);
    say(transcript, text);
  }
  snprintf(text, sizeof text, "=%u", event->code);
  say(transcript, text);
}

static void note(struct transcript *transcript, const struct vcd_event *event) {
  static const char *const words[] = {
      "date=", "version=", "comment=", "scale=", "scope=", "up", "", "defs"};
  char text[64] = "";
  if (event->kind < VCD_GOT_TIME && event->kind != VCD_GOT_VAR)
    say(transcript, words[event->kind]);
  if (event->kind == VCD_GOT_TIMESCALE)
    snprintf(text, sizeof text, "%ge%d", event->number, event->exponent);
  if (event->kind == VCD_GOT_TIME)
    snprintf(text, sizeof text, "%" PRIu64 ":time", event->time);
  if (event->kind == VCD_GOT_FAILURE)
    snprintf(text, sizeof text, "fail %" PRIu64 ":%" PRIu64 " ", event->line, event->column);
  say(transcript, text);
  if (event->kind == VCD_GOT_CHANGE)
    note_change(transcript, event);
  else if (event->kind == VCD_GOT_VAR)
    note_var(transcript, event);
  else if (event->text)
    put(transcript, event->text, event->size);
  if (event->kind != VCD_GOT_FAILURE)
    say(transcript, " ");
  if (event->kind == VCD_GOT_DEFINITIONS && !transcript->whole)
    transcript->text.start = transcript->text.end;
}

static void feed(struct vcd_reader *reader, struct transcript *transcript, const char *bytes,
                 size_t size) {
  /* Of its exact size, so that a sanitizer sees who reads too far. */
  char *copy = malloc(size ? size : 1);
  struct vcd_input input = {copy, size};
  struct vcd_event event;
  CHECK(copy != NULL);
  memcpy(copy, bytes, size);
  while (vcd_reader_next(reader, &input, &event))
    note(transcript, &event);
  free(copy);
}

/* Reads of `first` bytes, then of `step`. */
static void check_read(const char *text, const char *expected, size_t first, size_t step,
                       bool whole) {
  struct transcript transcript = {.whole = whole};
  struct vcd_reader *reader = vcd_reader_new();
  struct vcd_event event;
  size_t size = strlen(text);
  CHECK(reader != NULL);
  feed(reader, &transcript, text, first);
  for (size_t at = first; at < size; at += step)
    feed(reader, &transcript, text + at, step < size - at ? step : size - at);
  while (vcd_reader_finish(reader, &event))
    note(&transcript, &event);
  CHECK(!vcd_reader_finish(reader, &event));
  put(&transcript, "", 1);
  if (strcmp(buffer_front(&transcript.text), expected) != 0)
    printf("%s\nexpected: %s\ngot:      %s\n", text, expected, buffer_front(&transcript.text));
  CHECK(strcmp(buffer_front(&transcript.text), expected) == 0);
  buffer_free(&transcript.text);
  vcd_reader_free(reader);
}

static void check_example(const char *text, const char *expected, bool whole) {
  size_t size = strlen(text);
  for (size_t first = 0; first <= size; first++)
    check_read(text, expected, first, size + 1, whole);
  check_read(text, expected, 0, 1, whole);
}

/* More variables than the table began with; each is found again. */
static void check_many(void) {
  struct vcd_reader *reader = vcd_reader_new();
  struct vcd_event event;
  char line[80];
  uint32_t count = 0;
  for (int i = 0; i < 5000; i++) {
    int size = snprintf(line, sizeof line, "$var wire 1 id%d n%d $end\n", i, i);
    struct vcd_input input = {line, (size_t)size};
    CHECK(vcd_reader_next(reader, &input, &event) && event.kind == VCD_GOT_VAR);
    CHECK(event.code == count++);
  }
  struct vcd_input end = {"$enddefinitions $end ", 21};
  CHECK(vcd_reader_next(reader, &end, &event) && event.kind == VCD_GOT_DEFINITIONS);
  for (int i = 0; i < 5000; i++) {
    int size = snprintf(line, sizeof line, "1id%d ", i);
    struct vcd_input input = {line, (size_t)size};
    CHECK(vcd_reader_next(reader, &input, &event) && event.code == (uint32_t)i);
  }
  vcd_reader_free(reader);
}

/* A word without an end is not gathered for ever. */
static void check_bound(void) {
  static char block[1 << 16];
  struct vcd_reader *reader = vcd_reader_new();
  struct vcd_event event;
  bool told = false;
  memset(block, 'a', sizeof block);
  for (int i = 0; i < 20 && !told; i++) {
    struct vcd_input input = {block, sizeof block};
    told = vcd_reader_next(reader, &input, &event);
  }
  CHECK(told && event.kind == VCD_GOT_FAILURE);
  vcd_reader_free(reader);
}

int main(void) {
  char text[1000];
  for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
    snprintf(text, sizeof text, "%s%s", DEFS, bodies[i].text);
    check_example(text, bodies[i].expected, false);
  }
  for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
    check_example(heads[i].text, heads[i].expected, true);
  check_many();
  check_bound();
  printf("good: %d checks\n", checked);
  return 0;
}
