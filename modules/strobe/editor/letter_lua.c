#include "modules/strobe/editor/letter_lua.h"

#include <lauxlib.h>
#include <locale.h>
#include <wctype.h>

#define TYPE "strobe.letters"

struct letters {
  locale_t locale; /* that of no language, whatever the process's own is */
};

/* Systems without C.UTF-8 know the case of ASCII only: that of "C". */
static int letters_open(lua_State *L) {
  struct letters *letters = lua_newuserdatauv(L, sizeof *letters, 0);
  *letters = (struct letters){.locale = (locale_t)0};
  luaL_setmetatable(L, TYPE);
  letters->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  if (!letters->locale)
    letters->locale = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
  if (!letters->locale)
    return luaL_error(L, "not enough memory for a locale");
  return 1;
}

static int letters_close(lua_State *L) {
  struct letters *letters = luaL_checkudata(L, 1, TYPE);
  if (letters->locale)
    freelocale(letters->locale);
  letters->locale = (locale_t)0;
  return 0;
}

static int change(lua_State *L, wint_t (*to)(wint_t, locale_t)) {
  lua_Integer code = luaL_checkinteger(L, 1);
  luaL_argcheck(L, code >= 0 && code <= 0x10ffff, 1, "a code point expected");
  const struct letters *letters = lua_touserdata(L, lua_upvalueindex(1));
  lua_pushinteger(L, to((wint_t)code, letters->locale));
  return 1;
}

/* upper(code) → code: the upper case of a code point, which is itself if it has none. */
static int letter_upper(lua_State *L) {
  return change(L, towupper_l);
}

/* lower(code) → code */
static int letter_lower(lua_State *L) {
  return change(L, towlower_l);
}

static const luaL_Reg methods[] = {
    {"__gc", letters_close},
    {NULL, NULL},
};

static const luaL_Reg functions[] = {
    {"upper", letter_upper},
    {"lower", letter_lower},
    {NULL, NULL},
};

int luaopen_strobe_core_letter(lua_State *L) {
  luaL_newmetatable(L, TYPE);
  luaL_setfuncs(L, methods, 0);
  lua_pop(L, 1);
  luaL_newlibtable(L, functions);
  letters_open(L);
  luaL_setfuncs(L, functions, 1);
  return 1;
}
