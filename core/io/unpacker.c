#include "core/io/parcel.h"
#include "core/io/reference.h"

#include <lauxlib.h>
#include <stdint.h>
#include <string.h>

enum { FIRST_FRAMES = 16 };

/* An object which is being filled; its key may be above it. */
struct frame {
  int object;
  enum { LIST, KEY, FIELD, UPVALUE } awaits; /* what the value that comes next is */
  lua_Integer next;                          /* integer key or upvalue */
  lua_Integer upvalues;
};

struct unpacker {
  lua_State *L;
  const char *at, *end;
  int objects; /* on the stack: number → object, or nil when none is met twice */
  int store;   /* on the stack: a userdata with the frames, or nil */
  lua_Integer count;
  struct frame *frames;
  int depth, capacity;
  struct frame first[FIRST_FRAMES];
};

static uint64_t get_size(struct unpacker *u) {
  uint64_t size = 0;
  for (int shift = 0;; shift += 7) {
    unsigned char byte = (unsigned char)*u->at++;
    size |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80)
      return size;
  }
}

static void get_bytes(struct unpacker *u, void *to, size_t size) {
  memcpy(to, u->at, size);
  u->at += size;
}

static void get_string(struct unpacker *u) {
  size_t size = get_size(u);
  lua_pushlstring(u->L, u->at, size);
  u->at += size;
}

static void grow_frames(struct unpacker *u) {
  lua_State *L = u->L;
  int capacity = 2 * u->capacity;
  struct frame *frames = lua_newuserdatauv(L, (size_t)capacity * sizeof *frames, 0);
  memcpy(frames, u->frames, (size_t)u->depth * sizeof *frames);
  lua_replace(L, u->store);
  u->frames = frames;
  u->capacity = capacity;
}

/* A frame for the object on top, which gets its number. */
static struct frame *push_frame(struct unpacker *u) {
  u->count++;
  if (!lua_isnil(u->L, u->objects)) {
    lua_pushvalue(u->L, -1);
    lua_rawseti(u->L, u->objects, u->count);
  }
  luaL_checkstack(u->L, 10, "tables lie too deep in each other");
  if (u->depth == u->capacity)
    grow_frames(u);
  struct frame *frame = &u->frames[u->depth++];
  *frame = (struct frame){.object = lua_gettop(u->L), .awaits = LIST, .next = 1};
  return frame;
}

static void get_number(struct unpacker *u, enum parcel_tag tag) {
  lua_Integer integer;
  lua_Number number;
  if (tag == PARCEL_INTEGER) {
    get_bytes(u, &integer, sizeof integer);
    lua_pushinteger(u->L, integer);
  } else {
    get_bytes(u, &number, sizeof number);
    lua_pushnumber(u->L, number);
  }
}

static void get_reference(struct unpacker *u) {
  get_string(u);
  if (strcmp(lua_tostring(u->L, -1), LUA_GNAME) == 0 && lua_rawlen(u->L, -1) == 2) {
    lua_pop(u->L, 1);
    lua_pushglobaltable(u->L);
  } else {
    reference_resolve(u->L);
  }
}

static int least(uint64_t size) {
  return size < INT32_MAX / 2 ? (int)size : INT32_MAX / 2;
}

static void begin_table(struct unpacker *u) {
  uint32_t fields;
  uint64_t list = get_size(u);
  get_bytes(u, &fields, sizeof fields);
  lua_createtable(u->L, least(list), least(fields));
  if (*u->at++ == PARCEL_REFERENCE) {
    get_reference(u);
    lua_setmetatable(u->L, -2);
  }
  push_frame(u);
}

static void begin_function(struct unpacker *u) {
  size_t size = get_size(u);
  if (luaL_loadbufferx(u->L, u->at, size, "=parcel", "b") != LUA_OK)
    lua_error(u->L);
  u->at += size;
  lua_Integer upvalues = (lua_Integer)get_size(u);
  struct frame *frame = push_frame(u);
  frame->awaits = UPVALUE;
  frame->upvalues = upvalues;
}

/* Pushes the value that begins with the tag. True when a frame is to fill it. */
static bool get_value(struct unpacker *u, enum parcel_tag tag) {
  lua_State *L = u->L;
  switch (tag) {
  case PARCEL_FALSE:
  case PARCEL_TRUE:
    lua_pushboolean(L, tag == PARCEL_TRUE);
    return false;
  case PARCEL_NULL:
    lua_pushlightuserdata(L, NULL);
    return false;
  case PARCEL_INTEGER:
  case PARCEL_FLOAT:
    get_number(u, tag);
    return false;
  case PARCEL_STRING:
    get_string(u);
    return false;
  case PARCEL_REFERENCE:
    get_reference(u);
    return false;
  case PARCEL_OBJECT:
    lua_rawgeti(L, u->objects, (lua_Integer)get_size(u));
    return false;
  case PARCEL_TABLE:
    begin_table(u);
    return true;
  case PARCEL_FUNCTION:
    begin_function(u);
    return true;
  default:
    lua_pushnil(L);
    return false;
  }
}

/* The value on top is whole: gives it to the object it belongs to. [-1, +0, m] */
static void accept(struct unpacker *u) {
  lua_State *L = u->L;
  struct frame *frame = &u->frames[u->depth - 1];
  switch (frame->awaits) {
  case LIST:
    lua_rawseti(L, frame->object, frame->next++);
    break;
  case KEY: /* it stays until its value is there */
    frame->awaits = FIELD;
    break;
  case FIELD:
    lua_rawset(L, frame->object);
    frame->awaits = LIST;
    break;
  case UPVALUE:
    lua_setupvalue(L, frame->object, (int)frame->next++);
  }
}

static void join(struct unpacker *u, struct frame *frame) {
  lua_Integer where = (lua_Integer)get_size(u);
  lua_rawgeti(u->L, u->objects, where >> 8);
  lua_upvaluejoin(u->L, frame->object, (int)frame->next++, -1, (int)(where & 0xff));
  lua_pop(u->L, 1);
}

/* One step with the innermost object. */
static void step(struct unpacker *u) {
  struct frame *frame = &u->frames[u->depth - 1];
  enum parcel_tag tag = PARCEL_END;
  if (frame->awaits != UPVALUE || frame->next <= frame->upvalues)
    tag = (enum parcel_tag) * u->at++;
  if (tag == PARCEL_JOIN) {
    join(u, frame);
  } else if (tag == PARCEL_KEY) {
    frame->awaits = KEY;
  } else if (tag == PARCEL_END) {
    if (--u->depth > 0)
      accept(u);
  } else if (!get_value(u, tag)) {
    accept(u);
  }
}

int parcel_unpack(lua_State *L, const char *bytes, size_t size) {
  int top = lua_gettop(L), count = 0;
  struct unpacker u = {.L = L, .at = bytes, .end = bytes + size};
  luaL_checkstack(L, 12, "no room to unpack values");
  lua_pushnil(L);
  u.store = lua_gettop(L);
  if (*u.at++)
    lua_newtable(L);
  else
    lua_pushnil(L);
  u.objects = lua_gettop(L);
  u.frames = u.first;
  u.capacity = FIRST_FRAMES;
  for (; u.at < u.end; count++) {
    luaL_checkstack(L, 4, "too many values");
    if (get_value(&u, (enum parcel_tag) * u.at++))
      while (u.depth > 0)
        step(&u);
  }
  lua_remove(L, top + 2);
  lua_remove(L, top + 1);
  return count;
}
