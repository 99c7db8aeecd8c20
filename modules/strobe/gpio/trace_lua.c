/* A recorder: the VCD of a board, made as the board runs, and taken in blocks by a task.
 *
 * All of it happens in C: the board tells a change, the writer appends its text. When so much
 * text waits that the task cannot follow, the board is held until some of it was taken, so
 * nothing is lost and memory stays bounded. The bytes do not depend on when they are taken.
 *
 * Pins of one net may share a variable. If a cut wire makes their levels differ later, that is
 * x as long as they do. */
#include "modules/strobe/gpio/trace_lua.h"

#include "core/task/error.h"
#include "core/task/type.h"
#include "modules/strobe/gpio/line_lua.h"
#include "modules/strobe/gpio/pwm.h"
#include "modules/strobe/vcd/writer.h"

#include <stdlib.h>
#include <uv.h>

#define RECORDER "strobe.gpio.recorder"

/* Bytes that may wait before the board is held. */
enum { HOLD_SIZE = 4 * 1024 * 1024 };

/* A pin of the trace; those which share a variable are a ring. */
struct recorded {
  struct gpio_line *line;
  uint32_t wire, duty; /* variables; duty is NO_VAR when there is none */
  uint32_t next;       /* in its ring */
};

enum { NO_VAR = UINT32_MAX };

/* Its user value is the board's userdata. */
struct gpio_recorder {
  struct gpio_box *box;
  struct vcd_writer *writer; /* NULL when it was collected */
  struct buffer out;
  struct recorded *pins;
  uint32_t *pin_of; /* by line id; NO_VAR for others */
  uint32_t pin_count, pin_capacity, line_count;
  struct task *waiter;
  size_t wanted;
  bool recording, news;
  enum vcd_status failure;
};

/* --- What the board tells ----------------------------------------------------------------- */

static bool enough(const struct gpio_recorder *recorder) {
  if (!recorder->recording || recorder->failure != VCD_OK)
    return true;
  return recorder->wanted > 0 ? buffer_size(&recorder->out) >= recorder->wanted : recorder->news;
}

static void wake(struct gpio_recorder *recorder) {
  struct task *task = recorder->waiter;
  if (!task || !enough(recorder))
    return;
  recorder->waiter = NULL;
  wait_wake(task);
}

static void note(struct gpio_recorder *recorder, enum vcd_status status) {
  if (status != VCD_OK && recorder->failure == VCD_OK)
    recorder->failure = status;
  recorder->news = true;
  if (buffer_size(&recorder->out) >= HOLD_SIZE && recorder->failure == VCD_OK)
    recorder->box->held = true;
  wake(recorder);
}

/* What the pins of a ring have in common. */
static enum gpio_level shared_level(const struct gpio_recorder *recorder,
                                    const struct recorded *pin, enum gpio_level level) {
  const struct recorded *other = &recorder->pins[pin->next];
  for (; other != pin; other = &recorder->pins[other->next])
    if (other->line->net != pin->line->net && other->line->net->value != level)
      return GPIO_X;
  return level;
}

static void changed(void *context, int64_t time, const struct gpio_line *line,
                    enum gpio_level level) {
  struct gpio_recorder *recorder = context;
  const struct recorded *pin = &recorder->pins[recorder->pin_of[line->id]];
  if (&recorder->pins[pin->next] != pin)
    level = shared_level(recorder, pin, level);
  note(recorder, vcd_writer_wire(recorder->writer, time, pin->wire, gpio_level_letter(level)));
}

static void duty(void *context, int64_t time, const struct gpio_line *line, double share) {
  struct gpio_recorder *recorder = context;
  const struct recorded *pin = &recorder->pins[recorder->pin_of[line->id]];
  if (pin->duty != NO_VAR)
    note(recorder, vcd_writer_real(recorder->writer, time, pin->duty, share));
}

/* --- Beginning, ending -------------------------------------------------------------------- */

static struct gpio_recorder *check_recorder(lua_State *L) {
  struct gpio_recorder *recorder = luaL_checkudata(L, 1, RECORDER);
  luaL_argcheck(L, recorder->writer, 1, "the recorder was collected");
  return recorder;
}

static int push_outcome(lua_State *L, enum vcd_status status) {
  if (status == VCD_NO_MEMORY)
    return error_world(L, UV_ENOMEM, "VCD");
  if (status == VCD_TOO_MANY)
    return error_world(L, UV_E2BIG, "VCD: %s", vcd_status_text(status));
  if (status != VCD_OK)
    return luaL_error(L, "trace: %s", vcd_status_text(status));
  lua_pushboolean(L, 1);
  return 1;
}

static void release(struct gpio_box *box) {
  if (!box->held)
    return;
  box->held = false;
  gpio_pace_arrange(box);
}

/* The board tells no more. */
static void detach(struct gpio_recorder *recorder) {
  struct gpio_box *box = recorder->box;
  recorder->recording = false;
  if (box->board) {
    for (uint32_t i = 0; i < recorder->pin_count; i++)
      gpio_line_trace(recorder->pins[i].line, false);
    box->board->trace = (struct gpio_trace){.changed = NULL};
    release(box);
  }
  box->recorder = NULL;
}

/* One unit behind the last change at least, so that its value has a width on screen. */
static int64_t end_time(const struct gpio_recorder *recorder) {
  int64_t last = vcd_writer_time(recorder->writer), unit = vcd_writer_unit(recorder->writer);
  int64_t now = recorder->box->board->schedule.now;
  last = last <= INT64_MAX - unit ? last - last % unit + unit : last;
  return now > last ? now : last;
}

void gpio_recorder_end(struct gpio_box *box) {
  struct gpio_recorder *recorder = box->recorder;
  if (!recorder)
    return;
  if (recorder->failure == VCD_OK) {
    gpio_pace_sync(box);
    gpio_board_flush(box->board);
    note(recorder, vcd_writer_end(recorder->writer, end_time(recorder)));
  }
  detach(recorder);
  wake(recorder);
}

static int recorder_finish(lua_State *L) {
  struct gpio_recorder *recorder = check_recorder(L);
  if (recorder->recording)
    gpio_recorder_end(recorder->box);
  return push_outcome(L, recorder->failure);
}

static int recorder_gc(lua_State *L) {
  struct gpio_recorder *recorder = luaL_checkudata(L, 1, RECORDER);
  if (recorder->recording)
    detach(recorder);
  vcd_writer_free(recorder->writer);
  buffer_free(&recorder->out);
  free(recorder->pins);
  free(recorder->pin_of);
  recorder->writer = NULL;
  recorder->pins = NULL;
  recorder->pin_of = NULL;
  return 0;
}

/* --- Declaring ---------------------------------------------------------------------------- */

/* recorder:scope(name) */
static int recorder_scope(lua_State *L) {
  struct gpio_recorder *recorder = check_recorder(L);
  size_t size;
  const char *name = luaL_checklstring(L, 2, &size);
  return push_outcome(L, vcd_writer_scope(recorder->writer, name, size));
}

static int recorder_upscope(lua_State *L) {
  return push_outcome(L, vcd_writer_upscope(check_recorder(L)->writer));
}

static bool reserve_pin(struct gpio_recorder *recorder) {
  if (recorder->pin_count < recorder->pin_capacity)
    return true;
  uint32_t capacity = recorder->pin_capacity ? recorder->pin_capacity * 2 : 32;
  struct recorded *pins = realloc(recorder->pins, sizeof *pins * capacity);
  if (!pins)
    return false;
  recorder->pins = pins;
  recorder->pin_capacity = capacity;
  return true;
}

/* Puts the newest pin into the ring of another. */
static void join(struct gpio_recorder *recorder, uint32_t same) {
  struct recorded *pin = &recorder->pins[recorder->pin_count - 1];
  pin->next = recorder->pins[same].next;
  recorder->pins[same].next = recorder->pin_count - 1;
}

/* The pin at `same` of the arguments, or NO_VAR. [-0, +0, v] */
static uint32_t check_same(lua_State *L, const struct gpio_recorder *recorder, int same) {
  if (lua_isnoneornil(L, same))
    return NO_VAR;
  lua_Integer index = luaL_checkinteger(L, same);
  luaL_argcheck(L, index >= 0 && index < recorder->pin_count, same, "no pin of this trace");
  return (uint32_t)index;
}

static struct gpio_line *check_line(lua_State *L, const struct gpio_recorder *recorder) {
  struct gpio_line *line = gpio_line_test(L, 2);
  luaL_argcheck(L, line && line->board == recorder->box->board, 2, "a line of this board expected");
  return line;
}

/* Whether the pins of the ring are on the line's net. */
static bool ring_fits(const struct gpio_recorder *recorder, uint32_t same,
                      const struct gpio_line *line) {
  return recorder->pins[same].line->net == line->net;
}

/* recorder:pin(line, name[, same]) → its index; each line once. `same`: the index of a pin on the
 * same net, whose variable it shares. */
static int recorder_pin(lua_State *L) {
  struct gpio_recorder *recorder = check_recorder(L);
  struct gpio_line *line = check_line(L, recorder);
  struct vcd_var var = {.type = VCD_WIRE, .width = 1};
  var.name = luaL_checklstring(L, 3, &var.name_size);
  uint32_t same = check_same(L, recorder, 4), index;
  luaL_argcheck(L, same == NO_VAR || ring_fits(recorder, same, line), 4, "a pin of another net");
  var.initial = gpio_level_letter(gpio_line_level(line));
  var.same = same == NO_VAR ? NULL : &recorder->pins[same].wire;
  enum vcd_status status =
      reserve_pin(recorder) ? vcd_writer_var(recorder->writer, &var, &index) : VCD_NO_MEMORY;
  if (status != VCD_OK)
    return push_outcome(L, status);
  recorder->pins[recorder->pin_count] = (struct recorded){line, index, NO_VAR, recorder->pin_count};
  recorder->pin_count++;
  if (same != NO_VAR)
    join(recorder, same);
  lua_pushinteger(L, recorder->pin_count - 1);
  return 1;
}

/* recorder:duty(name): the duty of the pin that was declared last, as a real */
static int recorder_duty(lua_State *L) {
  struct gpio_recorder *recorder = check_recorder(L);
  struct vcd_var var = {.type = VCD_REAL};
  var.name = luaL_checklstring(L, 2, &var.name_size);
  luaL_argcheck(L, recorder->pin_count > 0, 1, "a pin is to be declared first");
  struct recorded *pin = &recorder->pins[recorder->pin_count - 1];
  return push_outcome(L, vcd_writer_var(recorder->writer, &var, &pin->duty));
}

/* recorder:text(name) → the index of a string variable, for `say` */
static int recorder_text(lua_State *L) {
  struct gpio_recorder *recorder = check_recorder(L);
  struct vcd_var var = {.type = VCD_STRING};
  uint32_t index;
  var.name = luaL_checklstring(L, 2, &var.name_size);
  enum vcd_status status = vcd_writer_var(recorder->writer, &var, &index);
  if (status != VCD_OK)
    return push_outcome(L, status);
  lua_pushinteger(L, index);
  return 1;
}

/* Finds the pin of each line. False when there is no memory. */
static bool index_pins(struct gpio_recorder *recorder) {
  uint32_t count = recorder->box->board->line_count;
  recorder->pin_of = malloc(sizeof *recorder->pin_of * (count ? count : 1));
  if (!recorder->pin_of)
    return false;
  for (uint32_t i = 0; i < count; i++)
    recorder->pin_of[i] = NO_VAR;
  for (uint32_t i = 0; i < recorder->pin_count; i++)
    recorder->pin_of[recorder->pins[i].line->id] = i;
  return true;
}

static void begin(struct gpio_recorder *recorder, bool deltas) {
  struct gpio_board *board = recorder->box->board;
  recorder->recording = true;
  recorder->box->recorder = recorder;
  board->trace =
      (struct gpio_trace){.changed = changed, .duty = duty, .context = recorder, .deltas = deltas};
  for (uint32_t i = 0; i < recorder->pin_count; i++) {
    struct gpio_line *line = recorder->pins[i].line;
    gpio_line_trace(line, true);
    changed(recorder, board->schedule.now, line, line->net->value);
    if (line->pwm)
      duty(recorder, board->schedule.now, line, gpio_pwm_duty(line));
  }
}

/* recorder:begin(deltas) → true; nil, message, "EBUSY" while the board has another. */
static int recorder_begin(lua_State *L) {
  struct gpio_recorder *recorder = check_recorder(L);
  struct gpio_box *box = recorder->box;
  luaL_argcheck(L, box->board, 1, "the board was closed");
  luaL_argcheck(L, !recorder->pin_of, 1, "it has begun already");
  if (box->recorder)
    return error_world(L, UV_EBUSY, "board %s: it is traced already: close that trace first",
                       box->board->name);
  gpio_pace_sync(box);
  gpio_board_flush(box->board);
  enum vcd_status status = index_pins(recorder)
                               ? vcd_writer_begin(recorder->writer, box->board->schedule.now)
                               : VCD_NO_MEMORY;
  if (status == VCD_OK)
    begin(recorder, lua_toboolean(L, 2));
  gpio_pace_arrange(box);
  return push_outcome(L, status);
}

/* --- Running ------------------------------------------------------------------------------ */

/* recorder:say(var, text) → true: a string from now on */
static int recorder_say(lua_State *L) {
  struct gpio_recorder *recorder = check_recorder(L);
  size_t size;
  const char *text = luaL_checklstring(L, 3, &size);
  uint32_t var = (uint32_t)luaL_checkinteger(L, 2);
  if (recorder->recording && recorder->failure == VCD_OK) {
    gpio_pace_sync(recorder->box);
    int64_t now = recorder->box->board->schedule.now;
    note(recorder, vcd_writer_text(recorder->writer, now, var, text, size));
  }
  return push_outcome(L, recorder->failure);
}

/* What the writer keeps of a time that is over. Of one that is not, nothing: the bytes would
 * tell when they were taken. */
static void settle(struct gpio_recorder *recorder) {
  struct vcd_writer *writer = recorder->writer;
  int64_t unit = vcd_writer_unit(writer);
  gpio_pace_sync(recorder->box);
  if (recorder->box->board->schedule.now / unit <= vcd_writer_time(writer) / unit)
    return;
  enum vcd_status status = vcd_writer_settle(writer);
  if (status != VCD_OK && recorder->failure == VCD_OK)
    recorder->failure = status;
}

/* recorder:take() → what was written since the last time, and whether more will come; nil, message,
 * code when the trace has failed. */
static int recorder_take(lua_State *L) {
  struct gpio_recorder *recorder = check_recorder(L);
  if (recorder->recording && recorder->failure == VCD_OK)
    settle(recorder);
  if (recorder->failure != VCD_OK)
    return push_outcome(L, recorder->failure);
  lua_pushlstring(L, buffer_front(&recorder->out), buffer_size(&recorder->out));
  lua_pushboolean(L, recorder->recording);
  recorder->out.start = recorder->out.end = 0;
  recorder->news = false;
  if (recorder->recording)
    release(recorder->box);
  return 2;
}

static enum wait_cancel cancel(lua_State *L, struct task *task) {
  struct gpio_recorder *recorder = task->wait_object;
  (void)L;
  recorder->waiter = NULL;
  return WAIT_LEFT;
}

static const struct wait_kind waiting = {"circuit trace", cancel, NULL};

static int wait_over(lua_State *L, int status, lua_KContext context) {
  (void)status, (void)context;
  wait_resumed(L);
  return 0;
}

/* recorder:wait(bytes, timeout): until so many bytes are there, or anything at all for 0, or the
 * trace has ended, or so many ns of the loop's time have passed (0: no limit). Waits. */
static int recorder_wait(lua_State *L) {
  struct gpio_recorder *recorder = check_recorder(L);
  lua_Integer wanted = luaL_checkinteger(L, 2), timeout = luaL_optinteger(L, 3, 0);
  luaL_argcheck(L, !recorder->waiter, 1, "a task waits for this trace already");
  recorder->wanted = wanted > 0 ? (size_t)wanted : 0;
  struct task *task = wait_enter(L);
  if (enough(recorder))
    return 0;
  wait_deadline(L, task, timeout);
  recorder->waiter = task;
  return wait_park(L, task, &waiting, recorder, wait_over);
}

static void set_integer(lua_State *L, const char *name, uint64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

/* recorder:counters() → {bytes, changes, merged, dropped, cut} */
static int recorder_counters(lua_State *L) {
  const struct gpio_recorder *recorder = check_recorder(L);
  struct vcd_counters counters = vcd_writer_counters(recorder->writer);
  lua_createtable(L, 0, 5);
  set_integer(L, "bytes", counters.bytes);
  set_integer(L, "changes", counters.changes);
  set_integer(L, "merged", counters.merged);
  set_integer(L, "dropped", counters.dropped);
  lua_pushboolean(L, vcd_writer_cut(recorder->writer));
  lua_setfield(L, -2, "cut");
  return 1;
}

/* --- Opening ------------------------------------------------------------------------------ */

/* The string or nil of a field; it stays on the stack. [-0, +1, e] */
static const char *text_field(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  return luaL_optstring(L, -1, NULL);
}

static uint64_t limit_field(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  lua_Integer value = luaL_optinteger(L, -1, 0);
  luaL_argcheck(L, value >= 0, 2, "a limit below 0");
  return (uint64_t)value;
}

static bool flag_field(lua_State *L, const char *name) {
  lua_getfield(L, 2, name);
  return lua_toboolean(L, -1);
}

int gpio_board_recorder(lua_State *L) {
  struct gpio_box *box = gpio_box_check(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  struct vcd_options options = {
      .date = text_field(L, "date"),
      .version = "strobe",
      .comment = text_field(L, "comment"),
      .unit_ns = (int64_t)limit_field(L, "unit_ns"),
      .max_bytes = limit_field(L, "max_bytes"),
      .max_changes = limit_field(L, "max_changes"),
      .hide_strings = flag_field(L, "hide_strings"),
      .all_changes = flag_field(L, "all_changes"),
  };
  struct gpio_recorder *recorder = lua_newuserdatauv(L, sizeof *recorder, 1);
  *recorder = (struct gpio_recorder){.box = box};
  luaL_setmetatable(L, RECORDER);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  recorder->writer = vcd_writer_new(&options, &recorder->out);
  return recorder->writer ? 1 : error_world(L, UV_ENOMEM, "VCD");
}

static const luaL_Reg methods[] = {
    {"scope", recorder_scope},
    {"upscope", recorder_upscope},
    {"pin", recorder_pin},
    {"duty", recorder_duty},
    {"text", recorder_text},
    {"begin", recorder_begin},
    {"say", recorder_say},
    {"take", recorder_take},
    {"wait", recorder_wait},
    {"finish", recorder_finish},
    {"counters", recorder_counters},
    {"__gc", recorder_gc},
    {NULL, NULL},
};

void gpio_trace_lua_open(lua_State *L) {
  type_open(L, RECORDER, methods);
}
