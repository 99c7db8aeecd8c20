#include "core/host/signal.h"

#include "core/host/watchdog.h"
#include "core/io/raw.h"
#include "core/task/interrupt.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define ON_SIGNAL "strobe.on_signal"

/* A handler gets nothing but a number. */
static struct host *the_host;
static pthread_t the_thread;
static volatile sig_atomic_t received;
static bool delivered;

static void leave_at_once(int number) {
  static const char text[] = "strobe: second signal: ended without cleaning up\n";
  raw_restore();
  ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
  (void)ignored;
  _exit(128 + number);
}

/* Any thread may get a signal of the process. */
static void take(int number) {
  if (!pthread_equal(pthread_self(), the_thread)) {
    pthread_kill(the_thread, number);
    return;
  }
  if (received)
    leave_at_once(number);
  if (number == SIGINT && escalation_press(&the_host->escalation)) {
    uv_async_send(&the_host->signal);
    return;
  }
  received = number;
  if (number != SIGINT)
    raw_restore();
  interrupt_request(&the_host->scheduler, INTERRUPT_SIGNAL);
  uv_async_send(&the_host->signal);
}

static void handle(int number) {
  int before = errno;
  take(number);
  errno = before;
}

static void notify(uv_async_t *async) {
  (void)async; /* it only has to end the poll */
  the_host->loop.activity++;
}

void signal_leave_at_once(int number) {
  leave_at_once(number);
}

void signal_deliver(struct host *host) {
  lua_State *L = host->L;
  if (!received || delivered)
    return;
  if (lua_getfield(L, LUA_REGISTRYINDEX, ON_SIGNAL) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    return;
  }
  delivered = true;
  lua_pushinteger(L, received);
  scheduler_call(L, 1, 0, "signal callback");
}

void signal_set(int number, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigfillset(&action.sa_mask); /* one handler at a time */
  sigaction(number, &action, NULL);
}

int signal_take(lua_State *L) {
  lua_Integer number = luaL_checkinteger(L, 1);
  if (number == SIGINT || number == SIGTERM)
    signal_set((int)number, handle);
  else if (number == SIGPIPE)
    signal_set(SIGPIPE, SIG_IGN);
  else
    watchdog_take((int)number);
  return 0;
}

static bool is_handled_by(int number, void (*handler)(int)) {
  struct sigaction now;
  return sigaction(number, NULL, &now) == 0 && now.sa_handler == handler;
}

int signal_end_by_hangup(lua_State *L) {
  (void)L;
  if (!is_handled_by(SIGHUP, SIG_IGN))
    signal_set(SIGHUP, handle);
  return 0;
}

int signal_open(struct host *host) {
  int status = uv_async_init(&host->loop.uv, &host->signal, notify);
  if (status < 0)
    return status;
  uv_unref((uv_handle_t *)&host->signal);
  the_host = host;
  the_thread = pthread_self();
  received = 0;
  delivered = false;
  signal_set(SIGINT, handle);
  signal_set(SIGTERM, handle);
  signal_set(SIGPIPE, SIG_IGN);
  return 0;
}

void signal_close(struct host *host) {
  (void)host;
  signal_set(SIGINT, SIG_DFL);
  signal_set(SIGTERM, SIG_DFL);
  if (is_handled_by(SIGHUP, handle))
    signal_set(SIGHUP, SIG_DFL);
  the_host = NULL;
}

int signal_on(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_settop(L, 1);
  lua_setfield(L, LUA_REGISTRYINDEX, ON_SIGNAL);
  return 0;
}
