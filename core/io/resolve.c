#include "core/io/resolve.h"

#include "core/task/error.h"
#include "core/task/wait.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Lives from the question to libuv's answer, even if the task has left. */
struct question {
  uv_getaddrinfo_t request;
  struct scheduler *scheduler;
  struct task *task;
  int status;
  struct addrinfo *answer;
};

int resolve_numeric(const char *address, int port, struct sockaddr_storage *name) {
  memset(name, 0, sizeof *name);
  if (uv_ip4_addr(address, port, (struct sockaddr_in *)name) == 0)
    return 0;
  return uv_ip6_addr(address, port, (struct sockaddr_in6 *)name);
}

static void question_free(struct question *question) {
  uv_freeaddrinfo(question->answer);
  free(question);
}

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *answer) {
  struct question *question = list_entry(request, struct question, request);
  question->scheduler->loop->questions--;
  question->status = status;
  question->answer = answer;
  question->scheduler->loop->activity++;
  if (question->task)
    wait_wake(question->task);
  else
    question_free(question);
}

static enum wait_cancel cancel_question(lua_State *L, struct task *task) {
  struct question *question = task->wait_object;
  (void)L;
  question->task = NULL; /* the answer frees it */
  task->wait_object = NULL;
  uv_cancel((uv_req_t *)&question->request);
  return WAIT_LEFT;
}

static const struct wait_kind resolving = {"resolve", cancel_question, NULL};

/* Pushes the list of numeric addresses. [-0, +1, m] */
static int push_addresses(lua_State *L, const struct addrinfo *answer) {
  char address[64];
  lua_Integer n = 0;
  lua_newtable(L);
  for (; answer; answer = answer->ai_next) {
    if (uv_ip_name(answer->ai_addr, address, sizeof address) < 0)
      continue;
    lua_pushstring(L, address);
    lua_rawseti(L, -2, ++n);
  }
  return 1;
}

/* The list is built under pcall: the answer must be freed even when there is no
 * memory for it. */
static int build(lua_State *L) {
  return push_addresses(L, lua_touserdata(L, 1));
}

/* A system without /etc/hosts does not know it; RFC 6761, section 6.3, says what it
 * is all the same. */
static bool is_localhost(const char *host) {
  return strcasecmp(host, "localhost") == 0;
}

/* Pushes a list of one address. [-0, +1, m] */
static int push_one(lua_State *L, const char *address) {
  lua_createtable(L, 1, 0);
  lua_pushstring(L, address);
  lua_rawseti(L, -2, 1);
  return 1;
}

/* Pushes what the answer says and frees it. */
static int push_answer(lua_State *L, struct question *question) {
  int failure = question->status;
  lua_pushcfunction(L, build);
  lua_pushlightuserdata(L, question->answer);
  int built = lua_pcall(L, 1, 1, 0);
  question_free(question);
  if (built != LUA_OK)
    return lua_error(L);
  if (failure < 0 && is_localhost(lua_tostring(L, 1)))
    return push_one(L, "127.0.0.1");
  if (failure < 0)
    return error_world(L, failure, "resolve %s", lua_tostring(L, 1));
  return 1;
}

static int resolve_over(lua_State *L, int status, lua_KContext context) {
  struct task *task = scheduler_of(L)->current;
  struct question *question = task->wait_object;
  (void)status, (void)context;
  if (!task->raise_cancelled)
    return push_answer(L, question);
  if (question) /* answered, then cancelled */
    question_free(question);
  wait_resumed(L);
  return 0; /* not reached: it raises */
}

/* resolve(host) → list of numeric addresses, or nil, message, code. Waits. */
static int resolve(lua_State *L) {
  const char *host = luaL_checkstring(L, 1);
  struct sockaddr_storage name;
  lua_settop(L, 1);
  if (resolve_numeric(host, 0, &name) == 0)
    return push_one(L, host);
  struct task *task = wait_enter(L);
  struct question *question = calloc(1, sizeof *question);
  if (!question)
    return error_world(L, UV_ENOMEM, "resolve %s", host);
  question->scheduler = scheduler_of(L);
  question->task = task;
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
  int status = uv_getaddrinfo(&question->scheduler->loop->uv, &question->request, on_answer, host,
                              NULL, &hints);
  if (status < 0) {
    free(question);
    return error_world(L, status, "resolve %s", host);
  }
  question->scheduler->loop->questions++;
  return wait_park(L, task, &resolving, question, resolve_over);
}

static const luaL_Reg functions[] = {
    {"resolve", resolve},
    {NULL, NULL},
};

int luaopen_strobe_core_resolve(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
