#include "modules/strobe/http/answer_lua.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct text {
  const char *bytes;
  size_t size;
};

/* Cuts a line off the front, without its end. False when there is none. */
static bool next_line(struct text *rest, struct text *line) {
  const char *end = rest->size > 0 ? memchr(rest->bytes, '\n', rest->size) : NULL;
  if (!end)
    return false;
  *line = (struct text){rest->bytes, (size_t)(end - rest->bytes)};
  rest->size -= line->size + 1;
  rest->bytes = end + 1;
  while (line->size > 0 && isspace((unsigned char)line->bytes[line->size - 1]))
    line->size--;
  return true;
}

/* Cuts off what comes before the first `mark`, and the blanks behind that. */
static struct text cut(struct text *rest, char mark) {
  const char *end = rest->size > 0 ? memchr(rest->bytes, mark, rest->size) : NULL;
  struct text front = {rest->bytes, end ? (size_t)(end - rest->bytes) : rest->size};
  rest->bytes += front.size;
  rest->size -= front.size;
  if (end) {
    rest->bytes++;
    rest->size--;
  }
  while (rest->size > 0 && (*rest->bytes == ' ' || *rest->bytes == '\t')) {
    rest->bytes++;
    rest->size--;
  }
  return front;
}

/* [-0, +1, m] */
static void push_lower(lua_State *L, struct text text) {
  luaL_Buffer buffer;
  char *bytes = luaL_buffinitsize(L, &buffer, text.size);
  for (size_t i = 0; i < text.size; i++)
    bytes[i] = (char)tolower((unsigned char)text.bytes[i]);
  luaL_pushresultsize(&buffer, text.size);
}

/* Adds a field to the table on top, joined to one that was there before. [-0, +0, m] */
static void add_field(lua_State *L, struct text line) {
  push_lower(L, cut(&line, ':'));
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TSTRING) {
    lua_pushliteral(L, ", ");
    lua_pushlstring(L, line.bytes, line.size);
    lua_concat(L, 3);
  } else {
    lua_pop(L, 1);
    lua_pushlstring(L, line.bytes, line.size);
  }
  lua_rawset(L, -3);
}

int answer_push(lua_State *L, const char *head, size_t size) {
  struct text rest = {head, size}, line;
  if (!next_line(&rest, &line))
    return 0;
  cut(&line, '/');
  struct text version = cut(&line, ' '), status = cut(&line, ' ');
  char digits[4] = "";
  memcpy(digits, status.bytes, status.size < 3 ? status.size : 3);
  lua_pushinteger(L, (lua_Integer)strtol(digits, NULL, 10));
  lua_pushlstring(L, line.bytes, line.size);
  lua_pushlstring(L, version.bytes, version.size);
  lua_newtable(L);
  while (next_line(&rest, &line))
    add_field(L, line);
  lua_pushlstring(L, head, size);
  return 5;
}
