#include "core/host/loader.h"

#include "core/host/embedded.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *path, const void *file) {
  return strcmp(path, ((const struct embedded_file *)file)->path);
}

static const struct embedded_file *find(const char *path) {
  return bsearch(path, embedded_files, embedded_file_count, sizeof *embedded_files, compare);
}

int loader_embedded(lua_State *L) {
  if (!lua_isnoneornil(L, 1)) {
    const struct embedded_file *file = find(luaL_checkstring(L, 1));
    if (!file)
      return 0;
    lua_pushlstring(L, (const char *)file->text, file->size);
    return 1;
  }
  lua_createtable(L, (int)embedded_file_count, 0);
  for (size_t i = 0; i < embedded_file_count; i++) {
    lua_pushstring(L, embedded_files[i].path);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* Pushes "modules/a/b" for "a.b". [-0, +1, m] */
static void push_path(lua_State *L, const char *name) {
  luaL_gsub(L, name, ".", "/");
  lua_pushfstring(L, "modules/%s", lua_tostring(L, -1));
  lua_remove(L, -2);
}

/* Pushes the loaded chunk and its path; false when there is no such file. */
static bool load_embedded(lua_State *L, const char *path) {
  const struct embedded_file *file = find(path);
  if (!file)
    return false;
  const char *chunk = lua_pushfstring(L, "@strobe:%s", path);
  if (luaL_loadbufferx(L, (const char *)file->text, file->size, chunk, "t") != LUA_OK)
    lua_error(L);
  lua_remove(L, -2);
  lua_pushstring(L, path);
  return true;
}

static int search_embedded(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  push_path(L, name);
  const char *path = lua_tostring(L, -1);
  if (load_embedded(L, lua_pushfstring(L, "%s.lua", path)) ||
      load_embedded(L, lua_pushfstring(L, "%s/init.lua", path)))
    return 2;
  lua_pushfstring(L, "no file '%s.lua' inside strobe", path);
  return 1;
}

/* With STROBE_MODULES=DIR the package.path searcher finds them there. */
static void use_folder(lua_State *L, const char *folder) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "path");
  lua_pushfstring(L, "%s/?.lua;%s/?/init.lua;%s", folder, folder, lua_tostring(L, -1));
  lua_setfield(L, -3, "path");
  lua_pop(L, 2);
}

static void add_searcher(lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  for (lua_Integer i = (lua_Integer)lua_rawlen(L, -1); i >= 2; i--) {
    lua_rawgeti(L, -1, i);
    lua_rawseti(L, -2, i + 1);
  }
  lua_pushcfunction(L, search_embedded);
  lua_rawseti(L, -2, 2);
  lua_pop(L, 2);
}

void loader_open(lua_State *L) {
  const char *folder = getenv("STROBE_MODULES");
  if (folder && *folder)
    use_folder(L, folder);
  else
    add_searcher(L);
}
