#include "modules/strobe/gpio/line_lua.h"

#include "core/task/error.h"
#include "core/task/type.h"
#include "modules/strobe/gpio/pwm.h"
#include "modules/strobe/gpio/wire.h"

#include <string.h>

#define LINE "strobe.gpio.line"
#define WIRE "strobe.gpio.wire"

struct line_box {
  struct gpio_line *line;
  struct gpio_box *box;
};

struct wire_box {
  struct gpio_wire *wire; /* NULL when it was cut */
  struct gpio_box *box;
};

static struct line_box *check_line(lua_State *L, int index) {
  struct line_box *line = luaL_checkudata(L, index, LINE);
  luaL_argcheck(L, line->box->board, index, "its board was closed");
  return line;
}

struct gpio_line *gpio_line_test(lua_State *L, int index) {
  const struct line_box *line = luaL_testudata(L, index, LINE);
  return line && line->box->board ? line->line : NULL;
}

void gpio_line_push(lua_State *L, int board, struct gpio_line *line) {
  struct gpio_box *box = lua_touserdata(L, board);
  board = lua_absindex(L, board);
  struct line_box *pushed = lua_newuserdatauv(L, sizeof *pushed, 1);
  *pushed = (struct line_box){line, box};
  luaL_setmetatable(L, LINE);
  lua_pushvalue(L, board);
  lua_setiuservalue(L, -2, 1);
}

/* After what may have queued an event. */
static int push_done(lua_State *L, struct gpio_box *box, enum gpio_status status) {
  if (!gpio_pace_arrange(box))
    return luaL_error(L, "not enough memory for a timer");
  return gpio_push_status(L, box->board, status);
}

enum gpio_level gpio_level_check(lua_State *L, int index) {
  if (lua_isboolean(L, index))
    return lua_toboolean(L, index) ? GPIO_1 : GPIO_0;
  int is_integer;
  lua_Integer number =
      lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &is_integer) : -1;
  if (number == 0 || number == 1)
    return (enum gpio_level)number;
  const char *letters = "01zx";
  const char *text = luaL_checkstring(L, index);
  const char *found = text[0] && !text[1] ? strchr(letters, text[0]) : NULL;
  luaL_argcheck(L, found, index, "0, 1, 'z' or 'x' expected");
  return (enum gpio_level)(found - letters);
}

/* --- Settings -------------------------------------------------------------------------------- */

/* A word of the table at index 2, or what it is already. [-0, +0, v] */
static int word(lua_State *L, const char *name, const char *const words[], int already) {
  lua_getfield(L, 2, name);
  int found = lua_isnil(L, -1) ? already : -1;
  for (int i = 0; found < 0 && words[i]; i++)
    if (lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), words[i]) == 0)
      found = i;
  if (found < 0)
    error_mistake(L, "%s: %s is no %s of a line", name, luaL_tolstring(L, -1, NULL), name);
  lua_pop(L, 1);
  return found;
}

static int64_t duration(lua_State *L, const char *name, int64_t already) {
  int good = lua_getfield(L, 2, name) == LUA_TNIL;
  int64_t found = good ? already : lua_tointegerx(L, -1, &good);
  if (!good || found < 0)
    error_mistake(L, "%s: a whole number of ns, 0 or more, expected", name);
  lua_pop(L, 1);
  return found;
}

static enum gpio_level first_value(lua_State *L, enum gpio_level already) {
  enum gpio_level level = already;
  if (lua_getfield(L, 2, "output_value") != LUA_TNIL)
    level = gpio_level_check(L, -1);
  lua_pop(L, 1);
  return level;
}

static bool flag(lua_State *L, const char *name, bool already) {
  bool found = lua_getfield(L, 2, name) == LUA_TNIL ? already : lua_toboolean(L, -1);
  lua_pop(L, 1);
  return found;
}

static const char *const directions[] = {"input", "output", NULL};
static const char *const biases[] = {"disabled", "pull-up", "pull-down", NULL};
static const char *const drives[] = {"push-pull", "open-drain", "open-source", NULL};

/* line:configure{direction="input|output", bias="disabled|pull-up|pull-down", drive=
 * "push-pull|open-drain|open-source", active_low, output_value, debounce_period, delay, delay_kind=
 * "transport|inertial"} → true. What is left out stays; times are ns. */
static int line_configure(lua_State *L) {
  static const char *const kinds[] = {"transport", "inertial", NULL};
  struct line_box *self = check_line(L, 1);
  struct gpio_settings settings = self->line->settings;
  luaL_checktype(L, 2, LUA_TTABLE);
  enum gpio_level output = settings.direction == GPIO_OUTPUT ? self->line->output : GPIO_0;
  settings.direction = (enum gpio_direction)word(L, "direction", directions, settings.direction);
  settings.bias = (enum gpio_bias)word(L, "bias", biases, settings.bias);
  settings.drive = (enum gpio_drive)word(L, "drive", drives, settings.drive);
  settings.active_low = flag(L, "active_low", settings.active_low);
  settings.output_value = first_value(L, output);
  settings.debounce_period = duration(L, "debounce_period", settings.debounce_period);
  settings.delay = duration(L, "delay", settings.delay);
  settings.delay_kind = (enum gpio_delay)word(L, "delay_kind", kinds, settings.delay_kind);
  gpio_pace_sync(self->box);
  return push_done(L, self->box, gpio_line_configure(self->line, &settings));
}

/* line:request(consumer, shared) → true, or nil, message, "EBUSY". */
static int line_request(lua_State *L) {
  struct line_box *self = check_line(L, 1);
  enum gpio_status status =
      gpio_line_request(self->line, luaL_checkstring(L, 2), lua_toboolean(L, 3));
  return gpio_push_status(L, self->box->board, status);
}

/* line:release(): an input again, once all have released it. */
static int line_release(lua_State *L) {
  struct line_box *self = check_line(L, 1);
  gpio_pace_sync(self->box);
  gpio_line_release(self->line);
  return push_done(L, self->box, GPIO_OK);
}

/* --- Values ---------------------------------------------------------------------------------- */

/* line:get() → 0 or 1, logical, as the board's policy is for a line that floats; then "z" or "x"
 * comes behind it. nil, message, "EFLOATING" where that is an error. */
static int line_get(lua_State *L) {
  struct line_box *self = check_line(L, 1);
  uint64_t floated = self->line->floating_reads;
  int value;
  gpio_pace_sync(self->box);
  enum gpio_status status = gpio_line_read(self->line, &value);
  if (status != GPIO_OK)
    return gpio_push_status(L, self->box->board, status);
  lua_pushinteger(L, value);
  if (self->line->floating_reads == floated)
    return 1;
  char letter = gpio_level_letter(gpio_line_level(self->line));
  lua_pushlstring(L, &letter, 1);
  return 2;
}

/* line:set(value) → true: logical 0, 1, true, false; "z" lets go. */
static int line_set(lua_State *L) {
  struct line_box *self = check_line(L, 1);
  enum gpio_level level = gpio_level_check(L, 2);
  gpio_pace_sync(self->box);
  return push_done(L, self->box, gpio_line_write(self->line, level));
}

/* line:toggle() → true: the other value than was written last. */
static int line_toggle(lua_State *L) {
  struct line_box *self = check_line(L, 1);
  gpio_pace_sync(self->box);
  return push_done(L, self->box, gpio_line_toggle(self->line));
}

/* line:level() → "0", "1", "z" or "x", physical. */
static int line_level(lua_State *L) {
  struct line_box *self = check_line(L, 1);
  gpio_pace_sync(self->box);
  char letter = gpio_level_letter(gpio_line_level(self->line));
  lua_pushlstring(L, &letter, 1);
  return 1;
}

/* line:pwm(period, high) → true: 1 for `high` ns of each `period`. */
static int line_pwm(lua_State *L) {
  struct line_box *self = check_line(L, 1);
  int64_t period = luaL_checkinteger(L, 2), high = luaL_checkinteger(L, 3);
  gpio_pace_sync(self->box);
  return push_done(L, self->box, gpio_line_pwm(self->line, period, high));
}

/* line:stick(level or nil): a fault, its net is stuck at 0 or 1; nil ends it. */
static int line_stick(lua_State *L) {
  struct line_box *self = check_line(L, 1);
  enum gpio_level level = lua_isnoneornil(L, 2) ? GPIO_Z : gpio_level_check(L, 2);
  gpio_pace_sync(self->box);
  gpio_line_stick(self->line, level);
  return push_done(L, self->box, GPIO_OK);
}

/* --- The circuit ----------------------------------------------------------------------------- */

/* line:label(name or nil) → true: what its net is called. */
static int line_label(lua_State *L) {
  struct line_box *self = check_line(L, 1);
  return gpio_push_status(L, self->box->board,
                          gpio_line_label(self->line, luaL_optstring(L, 2, NULL)));
}

static void set_string(lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_settings(lua_State *L, const struct gpio_settings *settings) {
  set_string(L, "direction", directions[settings->direction]);
  set_string(L, "bias", biases[settings->bias]);
  set_string(L, "drive", drives[settings->drive]);
  lua_pushboolean(L, settings->active_low);
  lua_setfield(L, -2, "active_low");
  lua_pushinteger(L, settings->debounce_period);
  lua_setfield(L, -2, "debounce_period");
}

/* line:info() → {name, net, id, floating_reads, consumer, output (as written last), direction,
 * bias, drive, active_low, debounce_period (ns)} */
static int line_info(lua_State *L) {
  const struct line_box *self = check_line(L, 1);
  const char output[] = {gpio_level_letter(self->line->output), '\0'};
  lua_createtable(L, 0, 11);
  set_string(L, "name", self->line->name);
  set_string(L, "output", output);
  set_string(L, "net", gpio_net_name(self->line->net));
  set_string(L, "consumer", self->line->consumer);
  lua_pushinteger(L, self->line->id);
  lua_setfield(L, -2, "id");
  lua_pushinteger(L, (lua_Integer)self->line->floating_reads);
  lua_setfield(L, -2, "floating_reads");
  set_settings(L, &self->line->settings);
  return 1;
}

/* line:connect(line) → wire */
static int line_connect(lua_State *L) {
  struct line_box *self = check_line(L, 1), *other = check_line(L, 2);
  struct wire_box *wire = lua_newuserdatauv(L, sizeof *wire, 1);
  *wire = (struct wire_box){NULL, self->box};
  luaL_setmetatable(L, WIRE);
  lua_getiuservalue(L, 1, 1);
  lua_setiuservalue(L, -2, 1);
  gpio_pace_sync(self->box);
  enum gpio_status status = gpio_wire_connect(self->line, other->line, &wire->wire);
  if (status != GPIO_OK)
    return gpio_push_status(L, self->box->board, status);
  gpio_pace_arrange(self->box);
  return 1;
}

/* wire:cut() → true. Twice is harmless; a wire that is dropped stays. */
static int wire_cut(lua_State *L) {
  struct wire_box *self = luaL_checkudata(L, 1, WIRE);
  if (!self->wire || !self->box->board) {
    lua_pushboolean(L, 1);
    return 1;
  }
  gpio_pace_sync(self->box);
  enum gpio_status status = gpio_wire_cut(self->wire);
  if (status == GPIO_OK)
    self->wire = NULL;
  return push_done(L, self->box, status);
}

static const luaL_Reg line_methods[] = {
    {"configure", line_configure},
    {"request", line_request},
    {"release", line_release},
    {"get", line_get},
    {"set", line_set},
    {"toggle", line_toggle},
    {"level", line_level},
    {"pwm", line_pwm},
    {"stick", line_stick},
    {"label", line_label},
    {"info", line_info},
    {"connect", line_connect},
    {NULL, NULL},
};

static const luaL_Reg wire_methods[] = {
    {"cut", wire_cut},
    {NULL, NULL},
};

void gpio_line_lua_open(lua_State *L) {
  type_open(L, LINE, line_methods);
  type_open(L, WIRE, wire_methods);
}
