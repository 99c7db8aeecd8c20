/* strobe.core.http: the HTTP parser for Lua. */
#include "modules/strobe/http/parser_lua.h"

#include "core/task/error.h"
#include "core/task/type.h"
#include "modules/strobe/http/parser.h"

#include <ctype.h>
#include <lauxlib.h>
#include <string.h>
#include <uv.h>

#define PARSER "strobe.http.parser"

/* The box of a parser; its user value is the string that `input` is a part of. */
struct box {
  struct http_parser *parser;
  enum http_kind kind;
  struct http_input input;
};

static int parser_gc(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, PARSER);
  http_parser_free(box->parser);
  box->parser = NULL;
  return 0;
}

static struct box *check_box(lua_State *L) {
  struct box *box = luaL_checkudata(L, 1, PARSER);
  luaL_argcheck(L, box->parser, 1, "the parser was collected");
  return box;
}

/* Pushes a userdata that owns a parser; NULL when there is no memory. [-0, +1, m] */
static struct box *push_parser(lua_State *L, enum http_kind kind) {
  struct box *box = lua_newuserdatauv(L, sizeof *box, 1);
  *box = (struct box){.kind = kind, .input = {"", 0}};
  luaL_setmetatable(L, PARSER);
  box->parser = http_parser_new(kind);
  return box->parser ? box : NULL;
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
  lua_createtable(L, 0, 10);
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
  lua_pushboolean(L, head->keep_alive);
  lua_setfield(L, -2, "keep_alive");
  push_headers(L, head);
  lua_setfield(L, -2, "headers");
}

/* --- Events ----------------------------------------------------------------------------------- */

/* "failure", why, and the status to answer. [-0, +3, m] */
static int push_failure(lua_State *L, const struct http_event *event) {
  lua_pushliteral(L, "failure");
  lua_pushlstring(L, event->bytes, event->size);
  lua_pushinteger(L, event->status);
  return 3;
}

/* [-0, +1..3, m] */
static int push_event(lua_State *L, const struct box *box, const struct http_event *event) {
  switch (event->kind) {
  case HTTP_GOT_HEAD:
    lua_pushliteral(L, "head");
    push_head(L, event->head, box->kind);
    return 2;
  case HTTP_GOT_BODY:
    lua_pushliteral(L, "body");
    lua_pushlstring(L, event->bytes, event->size);
    return 2;
  case HTTP_GOT_END:
    lua_pushliteral(L, "end");
    return 1;
  case HTTP_GOT_FAILURE:
    break;
  }
  return push_failure(L, event);
}

/* parser:feed(bytes): what is to be read next, once all before was. */
static int parser_feed(lua_State *L) {
  struct box *box = check_box(L);
  luaL_checkstring(L, 2);
  luaL_argcheck(L, box->input.size == 0, 2, "not all was read of what came before");
  box->input.bytes = lua_tolstring(L, 2, &box->input.size);
  lua_settop(L, 2);
  lua_setiuservalue(L, 1, 1);
  return 0;
}

/* parser:next() → "head" and the head; "body" and some of its bytes; "end", of a message;
 * "failure", why, and the status to answer. Nothing when it has to be fed. */
static int parser_next(lua_State *L) {
  struct box *box = check_box(L);
  struct http_event event;
  if (!http_parser_next(box->parser, &box->input, &event))
    return 0;
  return push_event(L, box, &event);
}

/* parser:finish() → as next: the sender has ended its side. */
static int parser_finish(lua_State *L) {
  struct box *box = check_box(L);
  struct http_event event;
  if (!http_parser_finish(box->parser, &event))
    return 0;
  return push_event(L, box, &event);
}

/* parser:idle() → whether nothing of a message was read yet. */
static int parser_idle(lua_State *L) {
  lua_pushboolean(L, http_parser_idle(check_box(L)->parser));
  return 1;
}

/* parser:skip_body(): of the response whose head has just come, which answers a HEAD. */
static int parser_skip_body(lua_State *L) {
  http_parser_skip_body(check_box(L)->parser);
  return 0;
}

/* parser:take() → the bytes behind the head that has just come, which belong to another
 * protocol; nothing more is parsed. */
static int parser_take(lua_State *L) {
  struct box *box = check_box(L);
  lua_pushlstring(L, box->input.bytes, box->input.size);
  box->input.size = 0;
  http_parser_take(box->parser);
  return 1;
}

static const luaL_Reg parser_methods[] = {
    {"feed", parser_feed}, {"next", parser_next}, {"finish", parser_finish},
    {"idle", parser_idle}, {"take", parser_take}, {"skip_body", parser_skip_body},
    {"__gc", parser_gc},   {NULL, NULL},
};

/* --- The library ------------------------------------------------------------------------------ */

/* parser("requests" or "responses") → a parser; nil, message, code without memory. */
static int http_parser(lua_State *L) {
  static const char *const kinds[] = {"requests", "responses", NULL};
  enum http_kind kind = luaL_checkoption(L, 1, NULL, kinds) == 0 ? HTTP_REQUESTS : HTTP_RESPONSES;
  if (!push_parser(L, kind))
    return error_world(L, UV_ENOMEM, "HTTP parser");
  return 1;
}

/* parse_response(head) → {status, reason, version, headers, content_length, chunked, keep_alive};
 * nil and a message. Header names are in lower case; fields that came several times are joined. */
static int http_parse_response(lua_State *L) {
  struct http_input input;
  struct http_event event;
  input.bytes = luaL_checklstring(L, 1, &input.size);
  const struct box *box = push_parser(L, HTTP_RESPONSES);
  if (!box)
    return error_world(L, UV_ENOMEM, "HTTP parser");
  bool told = http_parser_next(box->parser, &input, &event);
  if (told && event.kind == HTTP_GOT_HEAD) {
    push_head(L, event.head, HTTP_RESPONSES);
    return 1;
  }
  lua_pushnil(L);
  lua_pushstring(L, told ? event.bytes : "the head has no end");
  return 2;
}

static const luaL_Reg functions[] = {
    {"parser", http_parser},
    {"parse_response", http_parse_response},
    {NULL, NULL},
};

int luaopen_strobe_core_http(lua_State *L) {
  type_open(L, PARSER, parser_methods);
  luaL_newlib(L, functions);
  return 1;
}
