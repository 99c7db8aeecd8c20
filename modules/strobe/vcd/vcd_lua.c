/* strobe.core.vcd: traces for Lua. */
#include "modules/strobe/vcd/vcd_lua.h"

#include "core/task/error.h"
#include "core/task/type.h"
#include "modules/strobe/vcd/reader.h"
#include "modules/strobe/vcd/writer.h"

#include <lauxlib.h>
#include <uv.h>

#define WRITER "strobe.vcd.writer"
#define READER "strobe.vcd.reader"

/* --- The writer ------------------------------------------------------------------------------- */

struct writer_box {
  struct vcd_writer *writer;
  struct buffer out;
};

static int writer_gc(lua_State *L) {
  struct writer_box *box = luaL_checkudata(L, 1, WRITER);
  vcd_writer_free(box->writer);
  buffer_free(&box->out);
  box->writer = NULL;
  return 0;
}

static struct writer_box *check_writer(lua_State *L) {
  struct writer_box *box = luaL_checkudata(L, 1, WRITER);
  luaL_argcheck(L, box->writer, 1, "the writer was collected");
  return box;
}

/* How many bytes are to be taken, or why not: the world's failures are returned, mistakes
 * raised. */
static int push_status(lua_State *L, const struct writer_box *box, enum vcd_status status) {
  if (status == VCD_NO_MEMORY)
    return error_world(L, UV_ENOMEM, "VCD");
  if (status == VCD_TOO_MANY)
    return error_world(L, UV_E2BIG, "VCD: %s", vcd_status_text(status));
  if (status != VCD_OK)
    return luaL_error(L, "vcd: %s", vcd_status_text(status));
  lua_pushinteger(L, (lua_Integer)buffer_size(&box->out));
  return 1;
}

/* writer:scope(name), writer:upscope() */
static int writer_scope(lua_State *L) {
  struct writer_box *box = check_writer(L);
  size_t size;
  const char *name = luaL_checklstring(L, 2, &size);
  return push_status(L, box, vcd_writer_scope(box->writer, name, size));
}

static int writer_upscope(lua_State *L) {
  struct writer_box *box = check_writer(L);
  return push_status(L, box, vcd_writer_upscope(box->writer));
}

/* writer:var(name, type, width, initial, same) → its index */
static int writer_var(lua_State *L) {
  static const char *const types[] = {"wire", "real", "string", "event", NULL};
  struct writer_box *box = check_writer(L);
  struct vcd_var var = {.name = luaL_checklstring(L, 2, &var.name_size)};
  var.type = (enum vcd_type)luaL_checkoption(L, 3, "wire", types);
  lua_Integer width = luaL_optinteger(L, 4, 1);
  luaL_argcheck(L, width > 0 && width <= VCD_WIDTH_MAX, 4, "no width");
  var.width = (uint32_t)width;
  var.initial = luaL_optstring(L, 5, "x")[0];
  uint32_t same = (uint32_t)luaL_optinteger(L, 6, 0);
  uint32_t index;
  if (!lua_isnoneornil(L, 6))
    var.same = &same;
  enum vcd_status status = vcd_writer_var(box->writer, &var, &index);
  if (status != VCD_OK)
    return push_status(L, box, status);
  lua_pushinteger(L, index);
  return 1;
}

static enum vcd_status change_wire(lua_State *L, struct vcd_writer *writer, int64_t time,
                                   uint32_t var) {
  size_t size;
  switch (lua_type(L, 4)) {
  case LUA_TBOOLEAN:
    return vcd_writer_wire(writer, time, var, lua_toboolean(L, 4) ? '1' : '0');
  case LUA_TNUMBER:
    return vcd_writer_number(writer, time, var, (uint64_t)luaL_checkinteger(L, 4));
  default:
    break;
  }
  const char *bits = luaL_checklstring(L, 4, &size);
  if (size == 1)
    return vcd_writer_wire(writer, time, var, bits[0]);
  return vcd_writer_vector(writer, time, var, bits, size);
}

/* writer:change(time_ns, var, value) → how many bytes are to be taken */
static int writer_change(lua_State *L) {
  struct writer_box *box = check_writer(L);
  int64_t time = luaL_checkinteger(L, 2);
  uint32_t var = (uint32_t)luaL_checkinteger(L, 3);
  enum vcd_type type;
  uint32_t width;
  size_t size;
  luaL_argcheck(L, vcd_writer_type(box->writer, var, &type, &width), 3, "no variable");
  switch (type) {
  case VCD_WIRE:
    return push_status(L, box, change_wire(L, box->writer, time, var));
  case VCD_REAL:
    return push_status(L, box, vcd_writer_real(box->writer, time, var, luaL_checknumber(L, 4)));
  case VCD_STRING: {
    const char *text = luaL_checklstring(L, 4, &size);
    return push_status(L, box, vcd_writer_text(box->writer, time, var, text, size));
  }
  case VCD_EVENT:
    break;
  }
  return push_status(L, box, vcd_writer_tick(box->writer, time, var));
}

/* Those which take a time. */
static int at_time(lua_State *L, enum vcd_status (*call)(struct vcd_writer *, int64_t)) {
  struct writer_box *box = check_writer(L);
  return push_status(L, box, call(box->writer, luaL_checkinteger(L, 2)));
}

static int writer_begin(lua_State *L) {
  return at_time(L, vcd_writer_begin);
}

static int writer_pause(lua_State *L) {
  return at_time(L, vcd_writer_pause);
}

static int writer_resume(lua_State *L) {
  return at_time(L, vcd_writer_resume);
}

static int writer_finish(lua_State *L) {
  return at_time(L, vcd_writer_end);
}

static int writer_settle(lua_State *L) {
  struct writer_box *box = check_writer(L);
  return push_status(L, box, vcd_writer_settle(box->writer));
}

/* writer:take() → the bytes that were written since the last time */
static int writer_take(lua_State *L) {
  struct writer_box *box = check_writer(L);
  size_t size = buffer_size(&box->out);
  lua_pushlstring(L, buffer_front(&box->out), size);
  box->out.start = box->out.end = 0;
  return 1;
}

/* writer:time() → the time of the last change */
static int writer_time(lua_State *L) {
  lua_pushinteger(L, vcd_writer_time(check_writer(L)->writer));
  return 1;
}

static void set_integer(lua_State *L, const char *name, uint64_t value) {
  lua_pushinteger(L, (lua_Integer)value);
  lua_setfield(L, -2, name);
}

int vcd_lua_push_counters(lua_State *L, const struct vcd_writer *writer) {
  struct vcd_counters counters = vcd_writer_counters(writer);
  lua_createtable(L, 0, 5);
  set_integer(L, "bytes", counters.bytes);
  set_integer(L, "changes", counters.changes);
  set_integer(L, "merged", counters.merged);
  set_integer(L, "dropped", counters.dropped);
  lua_pushboolean(L, vcd_writer_cut(writer));
  lua_setfield(L, -2, "cut");
  return 1;
}

/* writer:counters() → {bytes, changes, merged, dropped, cut} */
static int writer_counters(lua_State *L) {
  return vcd_lua_push_counters(L, check_writer(L)->writer);
}

static const luaL_Reg writer_methods[] = {
    {"scope", writer_scope},   {"upscope", writer_upscope},
    {"var", writer_var},       {"begin", writer_begin},
    {"change", writer_change}, {"pause", writer_pause},
    {"resume", writer_resume}, {"settle", writer_settle},
    {"finish", writer_finish}, {"counters", writer_counters},
    {"time", writer_time},     {"take", writer_take},
    {"__gc", writer_gc},       {NULL, NULL},
};

/* The string or nil of a field; it stays on the stack. [-0, +1, e] */
static const char *text_field(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  return luaL_optstring(L, -1, NULL);
}

static lua_Integer integer_field(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  lua_Integer value = luaL_optinteger(L, -1, 0);
  luaL_argcheck(L, value >= 0, 1, "a limit below 0");
  return value;
}

static bool flag_field(lua_State *L, const char *name) {
  lua_getfield(L, 1, name);
  return lua_toboolean(L, -1);
}

/* writer{unit_ns, date, version, comment, max_bytes, max_changes, hide_reals, hide_strings,
 * all_changes} → a writer; nil, message, code without memory. */
static int vcd_new_writer(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  struct vcd_options options = {
      .date = text_field(L, "date"),
      .version = text_field(L, "version"),
      .comment = text_field(L, "comment"),
      .unit_ns = integer_field(L, "unit_ns"),
      .max_bytes = (uint64_t)integer_field(L, "max_bytes"),
      .max_changes = (uint64_t)integer_field(L, "max_changes"),
      .hide_reals = flag_field(L, "hide_reals"),
      .hide_strings = flag_field(L, "hide_strings"),
      .all_changes = flag_field(L, "all_changes"),
  };
  struct writer_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  *box = (struct writer_box){.writer = NULL};
  luaL_setmetatable(L, WRITER);
  box->writer = vcd_writer_new(&options, &box->out);
  return box->writer ? 1 : error_world(L, UV_ENOMEM, "VCD");
}

/* --- The reader ------------------------------------------------------------------------------- */

/* Its user value is the string that `input` is a part of. */
struct reader_box {
  struct vcd_reader *reader;
  struct vcd_input input;
};

static int reader_gc(lua_State *L) {
  struct reader_box *box = luaL_checkudata(L, 1, READER);
  vcd_reader_free(box->reader);
  box->reader = NULL;
  return 0;
}

static struct reader_box *check_reader(lua_State *L) {
  struct reader_box *box = luaL_checkudata(L, 1, READER);
  luaL_argcheck(L, box->reader, 1, "the reader was collected");
  return box;
}

/* Raises what lua_pushlstring raises. [-0, +1, m] */
static void push_value(lua_State *L, const struct vcd_event *event) {
  if (event->class == VCD_NUMBER)
    lua_pushnumber(L, event->number);
  else if (event->class == VCD_HAPPENING)
    lua_pushboolean(L, 1);
  else
    lua_pushlstring(L, event->text, event->size);
}

/* {name, type, width, code, class, msb, lsb}. [-0, +1, m] */
static void push_var(lua_State *L, const struct vcd_event *event) {
  static const char *const classes[] = {"bits", "real", "string", "event"};
  lua_createtable(L, 0, 7);
  lua_pushlstring(L, event->text, event->size);
  lua_setfield(L, -2, "name");
  lua_pushlstring(L, event->kind_text, event->kind_size);
  lua_setfield(L, -2, "type");
  lua_pushstring(L, classes[event->class]);
  lua_setfield(L, -2, "class");
  set_integer(L, "width", event->width);
  set_integer(L, "code", event->code);
  if (!event->ranged)
    return;
  lua_pushinteger(L, event->msb);
  lua_setfield(L, -2, "msb");
  lua_pushinteger(L, event->lsb);
  lua_setfield(L, -2, "lsb");
}

/* "change", time, code, value; "time", time; "failure", why, line, column; "timescale", count,
 * exponent; "var" and a table; else a word and a text. [-0, +1..4, m] */
static int push_event(lua_State *L, const struct vcd_event *event) {
  static const char *const words[] = {"date",  "version", "comment", "timescale",
                                      "scope", "upscope", "var",     "definitions",
                                      "time",  "change",  "failure"};
  lua_pushstring(L, words[event->kind]);
  switch (event->kind) {
  case VCD_GOT_CHANGE:
    lua_pushinteger(L, (lua_Integer)event->time);
    lua_pushinteger(L, event->code);
    push_value(L, event);
    return 4;
  case VCD_GOT_TIME:
    lua_pushinteger(L, (lua_Integer)event->time);
    return 2;
  case VCD_GOT_VAR:
    push_var(L, event);
    return 2;
  case VCD_GOT_TIMESCALE:
    lua_pushinteger(L, (lua_Integer)event->number);
    lua_pushinteger(L, event->exponent);
    return 3;
  default:
    break;
  }
  lua_pushlstring(L, event->text ? event->text : "", event->size);
  if (event->kind != VCD_GOT_FAILURE)
    return 2;
  lua_pushinteger(L, (lua_Integer)event->line);
  lua_pushinteger(L, (lua_Integer)event->column);
  return 4;
}

/* reader:feed(bytes): what is to be read next, once all before was. */
static int reader_feed(lua_State *L) {
  struct reader_box *box = check_reader(L);
  luaL_checkstring(L, 2);
  luaL_argcheck(L, box->input.size == 0, 2, "not all was read of what came before");
  box->input.bytes = lua_tolstring(L, 2, &box->input.size);
  lua_settop(L, 2);
  lua_setiuservalue(L, 1, 1);
  return 0;
}

/* reader:next() → an event; nothing when it has to be fed. */
static int reader_next(lua_State *L) {
  struct reader_box *box = check_reader(L);
  struct vcd_event event;
  return vcd_reader_next(box->reader, &box->input, &event) ? push_event(L, &event) : 0;
}

/* reader:finish() → as next, at the end of the file. */
static int reader_finish(lua_State *L) {
  struct reader_box *box = check_reader(L);
  struct vcd_event event;
  return vcd_reader_finish(box->reader, &event) ? push_event(L, &event) : 0;
}

static const luaL_Reg reader_methods[] = {
    {"feed", reader_feed}, {"next", reader_next}, {"finish", reader_finish},
    {"__gc", reader_gc},   {NULL, NULL},
};

/* reader() → a reader; nil, message, code without memory. */
static int vcd_new_reader(lua_State *L) {
  struct reader_box *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (struct reader_box){.input = {"", 0}};
  luaL_setmetatable(L, READER);
  box->reader = vcd_reader_new();
  return box->reader ? 1 : error_world(L, UV_ENOMEM, "VCD");
}

static const luaL_Reg functions[] = {
    {"writer", vcd_new_writer},
    {"reader", vcd_new_reader},
    {NULL, NULL},
};

int luaopen_strobe_core_vcd(lua_State *L) {
  type_open(L, WRITER, writer_methods);
  type_open(L, READER, reader_methods);
  luaL_newlib(L, functions);
  return 1;
}
