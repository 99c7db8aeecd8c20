#include "core/io/parcel.h"
#include "core/io/reference.h"

#include <ctype.h>
#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

/* How deep tables may lie in tables, and frames for which no memory is asked. */
enum { MOST_DEEP = 100000, FIRST_FRAMES = 16 };

/* Of a long path the first keys are told, and of a long key the first bytes. */
enum { MOST_KEYS = 12, MOST_KEY = 40 };

/* An object which is being packed. On the Lua stack a table has its key above it, and above that
 * a value, if it is the key which is packed. */
struct frame {
  int object; /* its place on the Lua stack */
  enum { TABLE, FUNCTION } kind;
  bool in_key;      /* the key, an object, was packed; its value is next */
  lua_Integer next; /* the integer key that needs no words; or the upvalue */
  uint32_t fields;
  size_t patch; /* where their number is to stand */
};

struct packer {
  lua_State *L;
  struct buffer *buffer;
  size_t limit;
  struct parcel_words words;
  int root;  /* the number of the value, from 1 */
  int seen;  /* on the stack: object → number, upvalue → where it was first */
  int store; /* on the stack: a userdata with the frames, or nil */
  int names; /* on the stack: of references, or nil */
  bool renewed;
  lua_Integer count;
  struct frame *frames;
  int depth, capacity;
  struct frame first[FIRST_FRAMES];
};

/* --- Refusals ------------------------------------------------------------------------------ */

static bool is_word(const char *text, size_t size) {
  if (size == 0 || size > MOST_KEY || isdigit((unsigned char)text[0]))
    return false;
  for (size_t i = 0; i < size; i++)
    if (!isalnum((unsigned char)text[i]) && text[i] != '_')
      return false;
  return true;
}

/* Appends .key or [key] for the key at the index to the path on top. [-1, +1, m] */
static void add_key(lua_State *L, int index) {
  size_t size;
  if (lua_type(L, index) == LUA_TSTRING) {
    const char *text = lua_tolstring(L, index, &size);
    if (is_word(text, size)) {
      lua_pushfstring(L, ".%s", text);
    } else {
      lua_pushlstring(L, text, size < MOST_KEY ? size : MOST_KEY);
      lua_pushfstring(L, "[\"%s%s\"]", lua_tostring(L, -1), size < MOST_KEY ? "" : "…");
      lua_remove(L, -2);
    }
  } else if (lua_type(L, index) == LUA_TTABLE || lua_type(L, index) == LUA_TFUNCTION) {
    lua_pushfstring(L, "[a %s]", luaL_typename(L, index));
  } else {
    lua_pushfstring(L, "[%s]", luaL_tolstring(L, index, NULL));
    lua_remove(L, -2);
  }
  lua_concat(L, 2);
}

/* Puts "upvalue 'name'" before the path on top. [-1, +1, m] */
static void add_upvalue(lua_State *L, const struct frame *frame) {
  const char *path = lua_tostring(L, -1);
  const char *name = lua_getupvalue(L, frame->object, (int)frame->next);
  if (*path)
    lua_pushfstring(L, "upvalue '%s' of %s", name, path);
  else
    lua_pushfstring(L, "upvalue '%s'", name);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

static void add_frame(lua_State *L, const struct frame *frame) {
  if (frame->kind == FUNCTION) {
    add_upvalue(L, frame);
  } else if (frame->in_key) {
    lua_pushfstring(L, "a key of %s", lua_tostring(L, -1));
    lua_remove(L, -2);
  } else {
    add_key(L, frame->object + 1);
  }
}

/* Pushes the words for the value that is packed now: "argument 2.book.cb". [-0, +1, m] */
static void push_path(const struct packer *p) {
  lua_State *L = p->L;
  luaL_checkstack(L, 10, "no room for an error");
  if (p->root <= p->words.functions)
    lua_pushliteral(L, "");
  else
    lua_pushfstring(L, "%s %d", p->words.word, p->root - p->words.functions);
  for (int i = 0; i < p->depth && i < MOST_KEYS; i++)
    add_frame(L, &p->frames[i]);
  if (p->depth > MOST_KEYS) {
    lua_pushliteral(L, "…");
    lua_concat(L, 2);
  }
  if (*lua_tostring(L, -1) == '\0') {
    lua_pop(L, 1);
    lua_pushliteral(L, "the function");
  }
}

/* Pushes "a function", "userdata (Task)". [-0, +1, m] */
static void push_kind(lua_State *L, int index) {
  int type = lua_type(L, index);
  const char *text = type == LUA_TUSERDATA        ? "userdata"
                     : type == LUA_TLIGHTUSERDATA ? "light userdata"
                     : type == LUA_TTHREAD        ? "a thread"
                     : type == LUA_TTABLE         ? "a table with a metatable"
                     : lua_iscfunction(L, index)  ? "a function of C"
                                                  : "a function";
  if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING)
    lua_pushfstring(L, "%s (%s)", text, lua_tostring(L, -1));
  else
    lua_pushstring(L, text);
}

/* The value at the index is refused. */
static int refuse(const struct packer *p, int index) {
  lua_State *L = p->L;
  index = lua_absindex(L, index);
  push_path(p);
  const char *path = lua_tostring(L, -1);
  push_kind(L, index);
  lua_pushfstring(L, "%s is %s, which no other thread can have", path, lua_tostring(L, -1));
  return lua_error(L);
}

static int refuse_size(const struct packer *p) {
  push_path(p);
  lua_pushfstring(p->L, "%s: more than %I bytes would have to be copied", lua_tostring(p->L, -1),
                  (LUAI_UACINT)p->limit);
  return lua_error(p->L);
}

/* --- Bytes --------------------------------------------------------------------------------- */

static void put(struct packer *p, const void *bytes, size_t size) {
  if (size > p->limit - buffer_size(p->buffer))
    refuse_size(p);
  if (!buffer_append(p->buffer, bytes, size))
    luaL_error(p->L, "not enough memory");
}

static void put_tag(struct packer *p, enum parcel_tag tag) {
  char byte = (char)tag;
  put(p, &byte, 1);
}

/* Seven bits a byte, the lowest first. */
static void put_size(struct packer *p, uint64_t size) {
  char bytes[10];
  size_t count = 0;
  for (; size >= 0x80; size >>= 7)
    bytes[count++] = (char)(size | 0x80);
  bytes[count++] = (char)size;
  put(p, bytes, count);
}

static void put_tagged(struct packer *p, enum parcel_tag tag, const void *value) {
  char bytes[9] = {(char)tag};
  memcpy(bytes + 1, value, 8);
  put(p, bytes, sizeof bytes);
}

static void put_number(struct packer *p, int index) {
  lua_Integer integer;
  lua_Number number;
  if (lua_isinteger(p->L, index)) {
    integer = lua_tointeger(p->L, index);
    put_tagged(p, PARCEL_INTEGER, &integer);
  } else {
    number = lua_tonumber(p->L, index);
    put_tagged(p, PARCEL_FLOAT, &number);
  }
}

static void put_string(struct packer *p, enum parcel_tag tag, int index) {
  size_t size;
  const char *text = lua_tolstring(p->L, index, &size);
  put_tag(p, tag);
  put_size(p, size);
  put(p, text, size);
}

/* --- Objects ------------------------------------------------------------------------------- */

static void grow_frames(struct packer *p) {
  lua_State *L = p->L;
  int capacity = 2 * p->capacity;
  struct frame *frames = lua_newuserdatauv(L, (size_t)capacity * sizeof *frames, 0);
  memcpy(frames, p->frames, (size_t)p->depth * sizeof *frames);
  lua_replace(L, p->store);
  p->frames = frames;
  p->capacity = capacity;
}

/* A frame for the object on top. */
static struct frame *push_frame(struct packer *p, int kind) {
  if (p->depth == MOST_DEEP) {
    p->depth = 0;
    push_path(p);
    luaL_error(p->L, "%s: tables lie more than %d deep in each other", lua_tostring(p->L, -1),
               MOST_DEEP);
  }
  luaL_checkstack(p->L, 10, "tables lie too deep in each other");
  if (p->depth == p->capacity)
    grow_frames(p);
  struct frame *frame = &p->frames[p->depth++];
  *frame = (struct frame){.object = lua_gettop(p->L), .kind = kind, .next = 1};
  return frame;
}

/* Gives the object on top a number. [-0, +0, m] */
static void number(struct packer *p) {
  lua_pushvalue(p->L, -1);
  lua_pushinteger(p->L, ++p->count);
  lua_rawset(p->L, p->seen);
}

/* Whether the object on top has one, which is put then. */
static bool put_seen(struct packer *p) {
  lua_State *L = p->L;
  if (lua_isnil(L, p->seen)) {
    lua_newtable(L);
    lua_replace(L, p->seen);
    return false;
  }
  lua_pushvalue(L, -1);
  bool seen = lua_rawget(L, p->seen) == LUA_TNUMBER;
  if (seen) {
    put_tag(p, PARCEL_OBJECT);
    put_size(p, (uint64_t)lua_tointeger(L, -1));
    p->buffer->bytes[p->buffer->start] = 1;
  }
  lua_pop(L, 1);
  return seen;
}

/* Puts the object at the index by its name, if it has one. */
static bool put_reference(struct packer *p, int index) {
  lua_State *L = p->L;
  lua_pushvalue(L, index);
  if (lua_isnil(L, p->names)) {
    reference_push_names(L);
    lua_replace(L, p->names);
  }
  bool found = lua_rawget(L, p->names) == LUA_TSTRING;
  if (found)
    put_string(p, PARCEL_REFERENCE, -1);
  lua_pop(L, 1);
  return found;
}

/* The same for one that cannot go otherwise. */
static bool put_only_reference(struct packer *p, int index) {
  if (put_reference(p, index))
    return true;
  if (p->renewed)
    return false;
  p->renewed = true;
  reference_push_new_names(p->L);
  lua_replace(p->L, p->names);
  return put_reference(p, index);
}

/* The metatable of the table on top, which must have a name. */
static void put_metatable(struct packer *p) {
  if (!lua_getmetatable(p->L, -1)) {
    put_tag(p, PARCEL_NIL);
    return;
  }
  if (!put_only_reference(p, -1)) {
    lua_pop(p->L, 1);
    refuse(p, -1);
  }
  lua_pop(p->L, 1);
}

/* Begins with the table on top. True if a frame goes on with it. */
static bool begin_table(struct packer *p) {
  lua_State *L = p->L;
  if (put_seen(p) || put_reference(p, -1))
    return false;
  number(p);
  put_tag(p, PARCEL_TABLE);
  put_size(p, lua_rawlen(L, -1));
  size_t patch = buffer_size(p->buffer);
  put(p, "\0\0\0\0", 4);
  put_metatable(p);
  push_frame(p, TABLE)->patch = patch;
  lua_pushnil(L);
  return true;
}

static int write_code(lua_State *L, const void *bytes, size_t size, void *to) {
  (void)L;
  return !buffer_append(to, bytes, size);
}

static void put_code(struct packer *p) {
  struct buffer code;
  buffer_init(&code);
  if (lua_dump(p->L, write_code, &code, 0) != 0) {
    buffer_free(&code);
    luaL_error(p->L, "not enough memory");
  }
  size_t size = buffer_size(&code);
  bool fits = size < p->limit && size + 16 < p->limit - buffer_size(p->buffer);
  bool room = fits && buffer_reserve(p->buffer, size + 16);
  if (room) {
    put_size(p, size);
    put(p, buffer_front(&code), size);
  }
  buffer_free(&code);
  if (!fits)
    refuse_size(p);
  if (!room)
    luaL_error(p->L, "not enough memory");
}

/* Begins with the function of Lua on top, which is no member of a module. */
static bool begin_function(struct packer *p) {
  lua_Debug info;
  number(p);
  put_tag(p, PARCEL_FUNCTION);
  put_code(p);
  lua_pushvalue(p->L, -1);
  lua_getinfo(p->L, ">u", &info);
  put_size(p, info.nups);
  push_frame(p, FUNCTION)->next = 0;
  return true;
}

/* Functions go as the first values and as upvalues only. */
static bool takes_function(const struct packer *p) {
  if (p->depth == 0)
    return p->root <= p->words.functions;
  return p->frames[p->depth - 1].kind == FUNCTION;
}

static bool put_function(struct packer *p) {
  if (!takes_function(p))
    refuse(p, -1);
  if (put_seen(p))
    return false;
  bool is_c = lua_iscfunction(p->L, -1);
  if (is_c ? put_only_reference(p, -1) : put_reference(p, -1))
    return false;
  if (is_c)
    refuse(p, -1);
  return begin_function(p);
}

static bool put_light(struct packer *p) {
  if (lua_touserdata(p->L, -1))
    refuse(p, -1);
  put_tag(p, PARCEL_NULL);
  return false;
}

/* Puts the value on top. It stays there if a frame goes on with it. [-(0|1), +0, e] */
static void put_value(struct packer *p) {
  lua_State *L = p->L;
  bool begun = false;
  switch (lua_type(L, -1)) {
  case LUA_TNIL:
    put_tag(p, PARCEL_NIL);
    break;
  case LUA_TBOOLEAN:
    put_tag(p, lua_toboolean(L, -1) ? PARCEL_TRUE : PARCEL_FALSE);
    break;
  case LUA_TNUMBER:
    put_number(p, -1);
    break;
  case LUA_TSTRING:
    put_string(p, PARCEL_STRING, -1);
    break;
  case LUA_TTABLE:
    begun = begin_table(p);
    break;
  case LUA_TFUNCTION:
    begun = put_function(p);
    break;
  case LUA_TLIGHTUSERDATA:
    begun = put_light(p);
    break;
  default:
    refuse(p, -1);
  }
  if (!begun)
    lua_pop(L, 1);
}

static void end_table(struct packer *p, const struct frame *frame) {
  char *bytes = p->buffer->bytes + p->buffer->start + frame->patch;
  memcpy(bytes, &frame->fields, sizeof frame->fields);
  put_tag(p, PARCEL_END);
  p->depth--;
  lua_pop(p->L, 1);
}

/* A key that is not the next integer; the value is on top. */
static void put_key(struct packer *p, struct frame *frame) {
  lua_State *L = p->L;
  frame->fields++;
  put_tag(p, PARCEL_KEY);
  frame->in_key = true;
  lua_pushvalue(L, -2);
  int depth = p->depth;
  put_value(p);
  if (p->depth > depth)
    return;
  p->frames[depth - 1].in_key = false;
  put_value(p);
}

static void step_table(struct packer *p, struct frame *frame) {
  lua_State *L = p->L;
  if (frame->in_key) {
    frame->in_key = false;
    put_value(p);
  } else if (!lua_next(L, frame->object)) {
    end_table(p, frame);
  } else if (lua_isinteger(L, -2) && lua_tointeger(L, -2) == frame->next) {
    frame->next++;
    put_value(p);
  } else {
    put_key(p, frame);
  }
}

/* Puts where the upvalue was met before; else notes that it is here. */
static bool put_join(struct packer *p, const struct frame *frame) {
  lua_State *L = p->L;
  void *id = lua_upvalueid(L, frame->object, (int)frame->next);
  if (lua_rawgetp(L, p->seen, id) == LUA_TNUMBER) {
    put_tag(p, PARCEL_JOIN);
    put_size(p, (uint64_t)lua_tointeger(L, -1));
    p->buffer->bytes[p->buffer->start] = 1;
    lua_pop(L, 1);
    return true;
  }
  lua_pushvalue(L, frame->object);
  lua_rawget(L, p->seen);
  lua_pushinteger(L, lua_tointeger(L, -1) << 8 | frame->next);
  lua_rawsetp(L, p->seen, id);
  lua_pop(L, 2);
  return false;
}

static void step_function(struct packer *p, struct frame *frame) {
  lua_State *L = p->L;
  const char *name = lua_getupvalue(L, frame->object, (int)++frame->next);
  if (!name) {
    p->depth--;
    lua_pop(L, 1);
  } else if (strcmp(name, "_ENV") == 0) {
    lua_pop(L, 1);
    lua_pushliteral(L, LUA_GNAME);
    put_string(p, PARCEL_REFERENCE, -1);
    lua_pop(L, 1);
  } else if (put_join(p, frame)) {
    lua_pop(L, 1);
  } else {
    put_value(p);
  }
}

void parcel_pack(lua_State *L, int first, struct parcel_words words, size_t limit,
                 struct buffer *buffer) {
  int top = lua_gettop(L);
  struct packer p = {.L = L, .buffer = buffer, .limit = limit, .words = words};
  luaL_checkstack(L, 12, "no room to pack values");
  lua_pushnil(L);
  p.seen = lua_gettop(L);
  lua_pushnil(L);
  p.store = lua_gettop(L);
  lua_pushnil(L);
  p.names = lua_gettop(L);
  p.frames = p.first;
  p.capacity = FIRST_FRAMES;
  put(&p, "", 1);
  for (int index = first; index <= top; index++) {
    p.root++;
    lua_pushvalue(L, index);
    put_value(&p);
    while (p.depth > 0) {
      struct frame *frame = &p.frames[p.depth - 1];
      if (frame->kind == TABLE)
        step_table(&p, frame);
      else
        step_function(&p, frame);
    }
  }
  lua_settop(L, top);
}
