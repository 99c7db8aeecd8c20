#include "core/host/libraries.h"

#include "core/host/loader.h"
#include "core/io/executor.h"
#include "core/io/inherited.h"
#include "core/io/pipe.h"
#include "core/io/process.h"
#include "core/io/resolve.h"
#include "core/io/server.h"
#include "core/io/socket.h"
#include "core/io/terminal.h"
#include "core/io/tls.h"
#include "core/task/allocation.h"
#include "core/task/context.h"
#include "core/task/coroutine.h"
#include "core/task/debugger.h"
#include "core/task/error.h"
#include "core/task/freeze.h"
#include "core/task/future.h"
#include "core/task/generator.h"
#include "core/task/handle.h"
#include "core/task/inspect.h"
#include "core/task/join.h"
#include "core/task/lot.h"
#include "core/task/shuffle.h"
#include "core/task/task.h"
#include "core/task/time.h"
#include "modules/strobe/broker/journal_lua.h"
#include "modules/strobe/editor/letter_lua.h"
#include "modules/strobe/gpio/board_lua.h"
#include "modules/strobe/http/parser_lua.h"
#include "modules/strobe/http/transfer_lua.h"
#include "modules/strobe/live/copy_lua.h"
#include "modules/strobe/vcd/vcd_lua.h"
#include "modules/strobe/ws/connection_lua.h"

#include <lualib.h>
#include <luv/luv.h>

static int open_executor(lua_State *L) {
  return executor_open(L, &host_of(L)->runtime);
}

static const luaL_Reg libraries[] = {
    {"strobe.core.allocation", luaopen_strobe_core_allocation},
    {"strobe.core.context", luaopen_strobe_core_context},
    {"strobe.core.copy", luaopen_strobe_core_copy},
    {"strobe.core.debugger", luaopen_strobe_core_debugger},
    {"strobe.core.error", luaopen_strobe_core_error},
    {"strobe.core.executor", open_executor},
    {"strobe.core.future", luaopen_strobe_core_future},
    {"strobe.core.generator", luaopen_strobe_core_generator},
    {"strobe.core.gpio", luaopen_strobe_core_gpio},
    {"strobe.core.handle", luaopen_strobe_core_handle},
    {"strobe.core.host", luaopen_strobe_core_host},
    {"strobe.core.http", luaopen_strobe_core_http},
    {"strobe.core.inherited", luaopen_strobe_core_inherited},
    {"strobe.core.inspect", luaopen_strobe_core_inspect},
    {"strobe.core.interrupt", luaopen_strobe_core_interrupt},
    {"strobe.core.join", luaopen_strobe_core_join},
    {"strobe.core.freeze", luaopen_strobe_core_freeze},
    {"strobe.core.journal", luaopen_strobe_core_journal},
    {"strobe.core.letter", luaopen_strobe_core_letter},
    {"strobe.core.lot", luaopen_strobe_core_lot},
    {"strobe.core.pipe", luaopen_strobe_core_pipe},
    {"strobe.core.process", luaopen_strobe_core_process},
    {"strobe.core.resolve", luaopen_strobe_core_resolve},
    {"strobe.core.server", luaopen_strobe_core_server},
    {"strobe.core.shuffle", luaopen_strobe_core_shuffle},
    {"strobe.core.socket", luaopen_strobe_core_socket},
    {"strobe.core.task", luaopen_strobe_core_task},
    {"strobe.core.terminal", luaopen_strobe_core_terminal},
    {"strobe.core.time", luaopen_strobe_core_time},
    {"strobe.core.tls", luaopen_strobe_core_tls},
    {"strobe.core.transfer", luaopen_strobe_core_transfer},
    {"strobe.core.vcd", luaopen_strobe_core_vcd},
    {"strobe.core.watchdog", luaopen_strobe_core_watchdog},
    {"strobe.core.ws", luaopen_strobe_core_ws},
    {NULL, NULL},
};

/* How luv calls Lua from a libuv callback. */
static int call_from_luv(lua_State *L, int arguments, int results, int flags) {
  int base = lua_gettop(L) - arguments - 1;
  struct scheduler *scheduler = scheduler_of(L);
  (void)flags;
  scheduler->loop->activity++;
  if (!(scheduler_read_beat(scheduler) & 1))
    scheduler->loop->stamp = clock_real_coarse(); /* the poll before it is not its time */
  int status = scheduler_call(L, arguments, results, "luv callback");
  return status == LUA_OK ? lua_gettop(L) - base : -status;
}

/* The loop runs already; a second run inside it would hang every task. */
static int refuse_run(lua_State *L) {
  return luaL_error(L, "luv.run: strobe runs the loop; a script just returns or waits");
}

static int open_luv(lua_State *L) {
  luv_set_loop(L, &host_of(L)->loop.uv);
  luv_set_callback(L, call_from_luv);
  luaL_requiref(L, "luv", luaopen_luv, 0);
  lua_pushcfunction(L, refuse_run);
  lua_setfield(L, -2, "run");
  return 1;
}

void libraries_open(struct host *host) {
  lua_State *L = host->L;
  luaL_openlibs(L);
  error_open(L);
  coroutine_open(L);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  luaL_setfuncs(L, libraries, 0);
  lua_pushcfunction(L, open_luv);
  lua_setfield(L, -2, "luv");
  lua_pop(L, 1);
  loader_open(L);
  /* Tasks must be possible before any module is required. */
  luaL_requiref(L, "strobe.core.future", luaopen_strobe_core_future, 0);
  luaL_requiref(L, "strobe.core.task", luaopen_strobe_core_task, 0);
  lua_pop(L, 2);
}
