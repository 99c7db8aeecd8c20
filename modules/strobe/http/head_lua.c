/* strobe.core.http: heads of HTTP messages for Lua. */
#include "modules/strobe/http/head_lua.h"

#include "core/task/type.h"
#include "modules/strobe/http/parser.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>

#define PARSER "strobe.http.parser"

static int parser_gc(lua_State *L) {
  struct http_parser **box = luaL_checkudata(L, 1, PARSER);
  http_parser_free(*box);
  *box = NULL;
  return 0;
}

static const luaL_Reg parser_methods[] = {
    {"__gc", parser_gc},
    {NULL, NULL},
};

/* Pushes a userdata that owns the parser. [-0, +1, m] */
static struct http_parser *push_parser(lua_State *L, enum http_kind kind) {
  struct http_parser **box = lua_newuserdatauv(L, sizeof(struct http_parser *), 0);
  *box = NULL;
  luaL_setmetatable(L, PARSER);
  *box = http_parser_new(kind);
  if (!*box)
    luaL_error(L, "not enough memory for an HTTP parser");
  return *box;
}

/* [-0, +1, m] */
static void push_text(lua_State *L, struct http_text text) {
  lua_pushlstring(L, text.bytes, text.size);
}

/* [-0, +1, m] */
static void push_lower(lua_State *L, struct http_text text) {
  luaL_Buffer buffer;
  char *bytes = luaL_buffinitsize(L, &buffer, text.size);
  for (size_t i = 0; i < text.size; i++)
    bytes[i] = (char)tolower((unsigned char)text.bytes[i]);
  luaL_pushresultsize(&buffer, text.size);
}

/* A field of the table on top, joined to one that was there before. [-0, +0, m] */
static void add_field(lua_State *L, const struct http_head *head, int field) {
  push_lower(L, http_field_name(head, field));
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TSTRING) {
    lua_pushliteral(L, ", ");
    push_text(L, http_field_value(head, field));
    lua_concat(L, 3);
  } else {
    lua_pop(L, 1);
    push_text(L, http_field_value(head, field));
  }
  lua_rawset(L, -3);
}

static void push_headers(lua_State *L, const struct http_head *head) {
  lua_createtable(L, 0, head->field_count);
  for (int i = 0; i < head->field_count; i++)
    add_field(L, head, i);
}

static void set_text(lua_State *L, const char *name, struct http_text text) {
  push_text(L, text);
  lua_setfield(L, -2, name);
}

/* [-0, +1, m] */
static void push_head(lua_State *L, const struct http_head *head, enum http_kind kind) {
  lua_createtable(L, 0, 6);
  if (kind == HTTP_REQUESTS) {
    set_text(L, "method", http_head_text(head, head->method));
    set_text(L, "target", http_head_text(head, head->target));
  } else {
    lua_pushinteger(L, head->status);
    lua_setfield(L, -2, "status");
    set_text(L, "reason", http_head_text(head, head->reason));
  }
  lua_pushstring(L, head->minor == 0 ? "1.0" : "1.1");
  lua_setfield(L, -2, "version");
  if (head->has_length) {
    lua_pushinteger(L, (lua_Integer)head->content_length);
    lua_setfield(L, -2, "content_length");
  }
  lua_pushboolean(L, head->chunked);
  lua_setfield(L, -2, "chunked");
  push_headers(L, head);
  lua_setfield(L, -2, "headers");
}

static int parse(lua_State *L, enum http_kind kind) {
  struct http_input input;
  struct http_event event;
  input.bytes = luaL_checklstring(L, 1, &input.size);
  struct http_parser *parser = push_parser(L, kind);
  if (!http_parser_next(parser, &input, &event)) {
    event.kind = HTTP_GOT_FAILURE;
    event.status = 400;
    event.bytes = "the head has no end";
    event.size = strlen(event.bytes);
  }
  if (event.kind == HTTP_GOT_HEAD) {
    push_head(L, event.head, kind);
    return 1;
  }
  lua_pushnil(L);
  lua_pushlstring(L, event.bytes, event.size);
  lua_pushinteger(L, event.status);
  return 3;
}

/* parse_request(head) → {method, target, version, headers, content_length, chunked}; nil,
 * message and the status to answer. Header names are in lower case; fields that came
 * several times are joined. */
static int http_parse_request(lua_State *L) {
  return parse(L, HTTP_REQUESTS);
}

/* parse_response(head) → {status, reason, version, headers, content_length, chunked}; nil
 * and a message. */
static int http_parse_response(lua_State *L) {
  return parse(L, HTTP_RESPONSES);
}

static const luaL_Reg functions[] = {
    {"parse_request", http_parse_request},
    {"parse_response", http_parse_response},
    {NULL, NULL},
};

int luaopen_strobe_core_http(lua_State *L) {
  type_open(L, PARSER, parser_methods);
  luaL_newlib(L, functions);
  return 1;
}
