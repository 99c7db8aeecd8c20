/* A recorder: a VCD of a board, made as the board runs, and taken in blocks by a task. A board may
 * have several.
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
#include "modules/strobe/vcd/vcd_lua.h"
#include "modules/strobe/vcd/writer.h"

#include <math.h>
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

enum { NO_VAR = UINT32_MAX, NO_PIN = UINT32_MAX };

/* Its user value is the board's userdata. */
struct recorder {
  struct list link; /* in the box's recorders, while it records */
  struct gpio_box *box;
  struct vcd_writer *writer; /* NULL when it was collected */
  struct buffer out;
  struct recorded *pins;
  uint32_t *pin_of; /* by line id; NO_PIN for others */
  uint32_t pin_count, pin_capacity, line_count;
  struct task *waiter;
  size_t wanted;
  enum { DECLARING, RECORDING, OVER } phase;
  bool deltas, news;
  enum vcd_status failure;
};

/* --- What the board tells ----------------------------------------------------------------- */

static bool enough(const struct recorder *recorder) {
  if (recorder->phase == OVER || recorder->failure != VCD_OK)
    return true;
  return recorder->wanted > 0 ? buffer_size(&recorder->out) >= recorder->wanted : recorder->news;
}

static void wake(struct recorder *recorder) {
  struct task *task = recorder->waiter;
  if (!task || !enough(recorder))
    return;
  recorder->waiter = NULL;
  wait_wake(task);
}

static bool is_full(const struct recorder *recorder) {
  return buffer_size(&recorder->out) >= HOLD_SIZE && recorder->failure == VCD_OK;
}

static void note(struct recorder *recorder, enum vcd_status status) {
  if (status != VCD_OK && recorder->failure == VCD_OK)
    recorder->failure = status;
  recorder->news = true;
  if (is_full(recorder))
    recorder->box->held = true;
  wake(recorder);
}

/* What the pins of a ring have in common. */
static enum gpio_level shared_level(const struct recorder *recorder, const struct recorded *pin,
                                    enum gpio_level level) {
  const struct recorded *other = &recorder->pins[pin->next];
  for (; other != pin; other = &recorder->pins[other->next])
    if (other->line->net != pin->line->net && other->line->net->value != level)
      return GPIO_X;
  return level;
}

/* The pin of a line, or NULL when it is not in this trace. */
static struct recorded *pin_of(const struct recorder *recorder, const struct gpio_line *line) {
  if (line->id >= recorder->line_count || recorder->pin_of[line->id] == NO_PIN)
    return NULL;
  return &recorder->pins[recorder->pin_of[line->id]];
}

static inline void record_level(struct recorder *recorder, int64_t time, const struct recorded *pin,
                                enum gpio_level level) {
  if (&recorder->pins[pin->next] != pin)
    level = shared_level(recorder, pin, level);
  note(recorder, vcd_writer_wire(recorder->writer, time, pin->wire, gpio_level_letter(level)));
}

static void record_duty(struct recorder *recorder, int64_t time, const struct recorded *pin,
                        double share) {
  if (pin->duty != NO_VAR)
    note(recorder, vcd_writer_real(recorder->writer, time, pin->duty, share));
}

static struct recorder *recorder_of(struct list *link) {
  return list_entry(link, struct recorder, link);
}

static void changed(void *context, int64_t time, const struct gpio_line *line,
                    enum gpio_level level) {
  const struct gpio_box *box = context;
  for (struct list *link = box->recorders.next; link != &box->recorders; link = link->next) {
    const struct recorded *pin = pin_of(recorder_of(link), line);
    if (pin)
      record_level(recorder_of(link), time, pin, level);
  }
}

static void duty(void *context, int64_t time, const struct gpio_line *line, double share) {
  const struct gpio_box *box = context;
  for (struct list *link = box->recorders.next; link != &box->recorders; link = link->next) {
    const struct recorded *pin = pin_of(recorder_of(link), line);
    if (pin)
      record_duty(recorder_of(link), time, pin, share);
  }
}

/* --- Beginning, ending -------------------------------------------------------------------- */

static struct recorder *check_recorder(lua_State *L) {
  struct recorder *recorder = luaL_checkudata(L, 1, RECORDER);
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

/* Lets the board go on, unless a recorder is still full. */
static void release(struct gpio_box *box) {
  if (!box->held)
    return;
  for (struct list *link = box->recorders.next; link != &box->recorders; link = link->next)
    if (is_full(recorder_of(link)))
      return;
  box->held = false;
  gpio_pace_arrange(box);
}

/* Has the board tell the recorders, as they are now. */
static void review(struct gpio_box *box) {
  struct gpio_trace trace = {.changed = NULL};
  if (!list_empty(&box->recorders))
    trace = (struct gpio_trace){.changed = changed, .duty = duty, .context = box};
  for (struct list *link = box->recorders.next; link != &box->recorders; link = link->next)
    trace.deltas = trace.deltas || recorder_of(link)->deltas;
  box->board->trace = trace;
}

/* The board tells it no more. */
static void detach(struct recorder *recorder) {
  struct gpio_box *box = recorder->box;
  bool recording = recorder->phase == RECORDING;
  recorder->phase = OVER;
  list_remove(&recorder->link);
  if (!box->board || !recording)
    return;
  for (uint32_t i = 0; i < recorder->pin_count; i++)
    gpio_line_trace(recorder->pins[i].line, false);
  review(box);
  release(box);
}

/* One unit behind the last change at least, so that its value has a width on screen. */
static int64_t end_time(const struct recorder *recorder) {
  int64_t last = vcd_writer_time(recorder->writer), unit = vcd_writer_unit(recorder->writer);
  int64_t now = recorder->box->board->schedule.now;
  last = last <= INT64_MAX - unit ? last - last % unit + unit : last;
  return now > last ? now : last;
}

static void end(struct recorder *recorder) {
  struct gpio_box *box = recorder->box;
  if (recorder->phase == RECORDING && recorder->failure == VCD_OK) {
    gpio_pace_sync(box);
    gpio_board_flush(box->board);
    note(recorder, vcd_writer_end(recorder->writer, end_time(recorder)));
  }
  detach(recorder);
  wake(recorder);
}

void gpio_recorders_end(struct gpio_box *box) {
  while (!list_empty(&box->recorders))
    end(recorder_of(box->recorders.next));
}

/* recorder:finish() → true: the end of the trace. */
static int recorder_finish(lua_State *L) {
  struct recorder *recorder = check_recorder(L);
  end(recorder);
  return push_outcome(L, recorder->failure);
}

static int recorder_gc(lua_State *L) {
  struct recorder *recorder = luaL_checkudata(L, 1, RECORDER);
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
  struct recorder *recorder = check_recorder(L);
  size_t size;
  const char *name = luaL_checklstring(L, 2, &size);
  return push_outcome(L, vcd_writer_scope(recorder->writer, name, size));
}

static int recorder_upscope(lua_State *L) {
  return push_outcome(L, vcd_writer_upscope(check_recorder(L)->writer));
}

static bool reserve_pin(struct recorder *recorder) {
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
static void join(struct recorder *recorder, uint32_t same) {
  struct recorded *pin = &recorder->pins[recorder->pin_count - 1];
  pin->next = recorder->pins[same].next;
  recorder->pins[same].next = recorder->pin_count - 1;
}

/* The pin at `same` of the arguments, or NO_VAR. [-0, +0, v] */
static uint32_t check_same(lua_State *L, const struct recorder *recorder, int same) {
  if (lua_isnoneornil(L, same))
    return NO_VAR;
  lua_Integer index = luaL_checkinteger(L, same);
  luaL_argcheck(L, index >= 0 && index < recorder->pin_count, same, "no pin of this trace");
  return (uint32_t)index;
}

static struct gpio_line *check_line(lua_State *L, const struct recorder *recorder) {
  struct gpio_line *line = gpio_line_test(L, 2);
  luaL_argcheck(L, line && line->board == recorder->box->board, 2, "a line of this board expected");
  return line;
}

/* Whether the pins of the ring are on the line's net. */
static bool ring_fits(const struct recorder *recorder, uint32_t same,
                      const struct gpio_line *line) {
  return recorder->pins[same].line->net == line->net;
}

/* recorder:pin(line, name[, same]) → its index; each line once. `same`: the index of a pin on the
 * same net, whose variable it shares. */
static int recorder_pin(lua_State *L) {
  struct recorder *recorder = check_recorder(L);
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
  struct recorder *recorder = check_recorder(L);
  struct vcd_var var = {.type = VCD_REAL};
  var.name = luaL_checklstring(L, 2, &var.name_size);
  luaL_argcheck(L, recorder->pin_count > 0, 1, "a pin is to be declared first");
  struct recorded *pin = &recorder->pins[recorder->pin_count - 1];
  return push_outcome(L, vcd_writer_var(recorder->writer, &var, &pin->duty));
}

/* recorder:var(name, "wire"|"real"|"string") → the index of a variable, for `set` */
static int recorder_var(lua_State *L) {
  static const char *const types[] = {"wire", "real", "string", NULL};
  struct recorder *recorder = check_recorder(L);
  struct vcd_var var = {.width = 1, .initial = 'x'};
  uint32_t index;
  var.name = luaL_checklstring(L, 2, &var.name_size);
  var.type = (enum vcd_type)luaL_checkoption(L, 3, NULL, types);
  enum vcd_status status = vcd_writer_var(recorder->writer, &var, &index);
  if (status != VCD_OK)
    return push_outcome(L, status);
  lua_pushinteger(L, index);
  return 1;
}

/* Finds the pin of each line. False when there is no memory. */
static bool index_pins(struct recorder *recorder) {
  uint32_t count = recorder->line_count = recorder->box->board->line_count;
  recorder->pin_of = malloc(sizeof *recorder->pin_of * (count ? count : 1));
  if (!recorder->pin_of)
    return false;
  for (uint32_t i = 0; i < count; i++)
    recorder->pin_of[i] = NO_PIN;
  for (uint32_t i = 0; i < recorder->pin_count; i++)
    recorder->pin_of[recorder->pins[i].line->id] = i;
  return true;
}

static void begin(struct recorder *recorder) {
  struct gpio_box *box = recorder->box;
  int64_t now = box->board->schedule.now;
  recorder->phase = RECORDING;
  list_append(&box->recorders, &recorder->link);
  review(box);
  for (uint32_t i = 0; i < recorder->pin_count; i++) {
    const struct recorded *pin = &recorder->pins[i];
    gpio_line_trace(pin->line, true);
    record_level(recorder, now, pin, pin->line->net->value);
    if (pin->line->pwm)
      record_duty(recorder, now, pin, gpio_pwm_duty(pin->line));
  }
}

/* recorder:begin(deltas) → true: what was declared is recorded from now on. */
static int recorder_begin(lua_State *L) {
  struct recorder *recorder = check_recorder(L);
  struct gpio_box *box = recorder->box;
  luaL_argcheck(L, box->board, 1, "the board was closed");
  luaL_argcheck(L, recorder->phase == DECLARING && !recorder->pin_of, 1, "it has begun already");
  recorder->deltas = lua_toboolean(L, 2);
  gpio_pace_sync(box);
  gpio_board_flush(box->board);
  enum vcd_status status = index_pins(recorder)
                               ? vcd_writer_begin(recorder->writer, box->board->schedule.now)
                               : VCD_NO_MEMORY;
  if (status == VCD_OK)
    begin(recorder);
  gpio_pace_arrange(box);
  return push_outcome(L, status);
}

/* --- Running ------------------------------------------------------------------------------ */

/* The value at index 3, or what stands for one of another type. [-0, +1, v] */
static enum vcd_status set_value(lua_State *L, struct recorder *recorder, uint32_t var) {
  struct vcd_writer *writer = recorder->writer;
  int64_t now = recorder->box->board->schedule.now;
  enum vcd_type type;
  uint32_t width;
  size_t size = 0;
  luaL_argcheck(L, vcd_writer_type(writer, var, &type, &width), 2, "no variable of this trace");
  if (type == VCD_WIRE) {
    char bit = lua_toboolean(L, 3) ? '1' : '0';
    return vcd_writer_wire(writer, now, var, lua_isboolean(L, 3) ? bit : 'x');
  }
  if (type == VCD_REAL)
    return vcd_writer_real(writer, now, var, lua_isnumber(L, 3) ? lua_tonumber(L, 3) : NAN);
  const char *text = lua_isnil(L, 3) ? "" : luaL_tolstring(L, 3, &size);
  return vcd_writer_text(writer, now, var, text, size);
}

/* recorder:set(var, value) → true: what a variable is from now on. */
static int recorder_set(lua_State *L) {
  struct recorder *recorder = check_recorder(L);
  uint32_t var = (uint32_t)luaL_checkinteger(L, 2);
  lua_settop(L, 3);
  if (recorder->phase == RECORDING && recorder->failure == VCD_OK) {
    gpio_pace_sync(recorder->box);
    note(recorder, set_value(L, recorder, var));
  }
  return push_outcome(L, recorder->failure);
}

/* What the writer keeps of a time that is over. Of one that is not, nothing: the bytes would
 * tell when they were taken. */
static void settle(struct recorder *recorder) {
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
  struct recorder *recorder = check_recorder(L);
  bool recording = recorder->phase == RECORDING;
  if (recording && recorder->failure == VCD_OK)
    settle(recorder);
  if (recorder->failure != VCD_OK)
    return push_outcome(L, recorder->failure);
  lua_pushlstring(L, buffer_front(&recorder->out), buffer_size(&recorder->out));
  lua_pushboolean(L, recorder->phase != OVER);
  recorder->out.start = recorder->out.end = 0;
  recorder->news = false;
  if (recording)
    release(recorder->box);
  return 2;
}

static enum wait_cancel cancel(lua_State *L, struct task *task) {
  struct recorder *recorder = task->wait_object;
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
  struct recorder *recorder = check_recorder(L);
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

/* recorder:counters() → {bytes, changes, merged, dropped, cut} */
static int recorder_counters(lua_State *L) {
  return vcd_lua_push_counters(L, check_recorder(L)->writer);
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
  struct recorder *recorder = lua_newuserdatauv(L, sizeof *recorder, 1);
  *recorder = (struct recorder){.box = box};
  list_init(&recorder->link);
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
    {"var", recorder_var},
    {"begin", recorder_begin},
    {"set", recorder_set},
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
