#include "core/task/traceback.h"

#include <lauxlib.h>
#include <string.h>

/* Of a deep stack the first and the last levels are told. */
enum { FIRST_LEVELS = 10, LAST_LEVELS = 11 };

static int last_level(lua_State *L) {
  lua_Debug info;
  int low = 1, high = 1;
  while (lua_getstack(L, high, &info)) {
    low = high;
    high *= 2;
  }
  while (low < high) {
    int middle = (low + high) / 2;
    if (lua_getstack(L, middle, &info))
      low = middle + 1;
    else
      high = middle;
  }
  return high - 1;
}

/* Pushes "FILE:LINE: in function 'name'" and the like. [-0, +1, m] */
static void push_level(lua_State *L, const lua_Debug *info) {
  if (info->currentline > 0)
    lua_pushfstring(L, "\n\t%s:%d: in ", info->short_src, info->currentline);
  else
    lua_pushfstring(L, "\n\t%s: in ", info->short_src);
  if (*info->namewhat)
    lua_pushfstring(L, "%s '%s'", info->namewhat, info->name);
  else if (*info->what == 'm')
    lua_pushliteral(L, "main chunk");
  else if (*info->what == 'C')
    lua_pushliteral(L, "?");
  else
    lua_pushfstring(L, "function <%s:%d>", info->short_src, info->linedefined);
  lua_pushstring(L, info->istailcall ? "\n\t(...tail calls...)" : "");
  lua_concat(L, 3);
}

void traceback_push(lua_State *L, int level) {
  luaL_Buffer text;
  lua_Debug info;
  int last = last_level(L);
  int skipped = last - level > FIRST_LEVELS + LAST_LEVELS ? level + FIRST_LEVELS : -1;
  luaL_buffinit(L, &text);
  luaL_addstring(&text, "stack traceback:");
  while (lua_getstack(L, level, &info)) {
    if (level == skipped) {
      int count = last - level - LAST_LEVELS + 1;
      lua_pushfstring(L, "\n\t...\t(skipping %d levels)", count);
      level += count;
    } else {
      lua_getinfo(L, "Slnt", &info);
      push_level(L, &info);
      level++;
    }
    luaL_addvalue(&text);
  }
  luaL_pushresult(&text);
}

bool traceback_is_ours(const char *source) {
  return strncmp(source, "strobe:", 7) == 0 ||
         (strstr(source, "modules/strobe/") && !strstr(source, "spec/modules/strobe/"));
}
