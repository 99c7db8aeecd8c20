#include "core/io/curl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct curl_poll {
  uv_poll_t uv;
  struct curl_pool *pool;
  curl_socket_t socket;
  int events; /* what libuv watches for */
  bool idle;  /* libcurl does not wait for it now */
};

/* --- What libcurl is told ------------------------------------------------------- */

static void settle(struct curl_pool *pool) {
  int left;
  CURLMsg *message;
  while ((message = pool->curl.multi_info_read(pool->multi, &left))) {
    if (message->msg != CURLMSG_DONE)
      continue;
    CURLcode result = message->data.result;
    struct curl_exchange *exchange = NULL;
    pool->curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&exchange);
    pool->curl.multi_remove_handle(pool->multi, exchange->easy); /* the message is gone now */
    exchange->running = false;
    exchange->done(exchange, result);
  }
}

static void act(struct curl_pool *pool, curl_socket_t socket, int flags) {
  int running;
  pool->loop->activity++;
  pool->curl.multi_socket_action(pool->multi, socket, flags, &running);
  settle(pool);
}

static void on_poll(uv_poll_t *handle, int status, int events) {
  struct curl_poll *poll = handle->data;
  if (poll->idle) { /* the peer closes: libcurl sees that when it wants to use it */
    uv_poll_stop(handle);
    poll->events = 0;
    return;
  }
  int flags = status < 0 ? CURL_CSELECT_ERR : 0;
  if (events & UV_READABLE)
    flags |= CURL_CSELECT_IN;
  if (events & UV_WRITABLE)
    flags |= CURL_CSELECT_OUT;
  act(poll->pool, poll->socket, flags);
}

/* libuv fires timers before it polls: it must not wait then for what is here already. */
static void on_time(uv_timer_t *timer) {
  act(timer->data, CURL_SOCKET_TIMEOUT, 0);
  uv_stop(timer->loop);
}

/* --- What libcurl asks for ------------------------------------------------------ */

static int ask_for_time(CURLM *multi, long milliseconds, void *arg) {
  struct curl_pool *pool = arg;
  (void)multi;
  if (milliseconds < 0)
    return uv_timer_stop(&pool->timer);
  if (milliseconds > 0)
    uv_update_time(&pool->loop->uv);
  return uv_timer_start(&pool->timer, on_time, (uint64_t)milliseconds, 0);
}

static struct curl_poll *find_poll(const struct curl_pool *pool, curl_socket_t socket) {
  return (size_t)socket < pool->poll_room ? pool->polls[socket] : NULL;
}

static bool make_room(struct curl_pool *pool, curl_socket_t socket) {
  size_t room = pool->poll_room ? pool->poll_room : 64;
  while (room <= (size_t)socket)
    room *= 2;
  if (room == pool->poll_room)
    return true;
  struct curl_poll **polls = realloc(pool->polls, room * sizeof(struct curl_poll *));
  if (!polls)
    return false;
  memset(polls + pool->poll_room, 0, (room - pool->poll_room) * sizeof(struct curl_poll *));
  pool->polls = polls;
  pool->poll_room = room;
  return true;
}

static struct curl_poll *add_poll(struct curl_pool *pool, curl_socket_t socket) {
  struct curl_poll *poll = make_room(pool, socket) ? calloc(1, sizeof *poll) : NULL;
  if (!poll)
    return NULL;
  if (uv_poll_init_socket(&pool->loop->uv, &poll->uv, socket) < 0) {
    free(poll);
    return NULL;
  }
  poll->uv.data = poll;
  poll->pool = pool;
  poll->socket = socket;
  pool->polls[socket] = poll;
  return poll;
}

static void free_poll(uv_handle_t *handle) {
  free(handle->data);
}

static void close_poll(struct curl_poll *poll) {
  poll->pool->polls[poll->socket] = NULL;
  uv_close((uv_handle_t *)&poll->uv, free_poll);
}

/* The connection is idle, or about to be closed: it is watched on if that costs nothing. */
static void rest(struct curl_poll *poll) {
  poll->idle = true;
  uv_unref((uv_handle_t *)&poll->uv);
  if (poll->events == UV_READABLE)
    return;
  uv_poll_stop(&poll->uv);
  poll->events = 0;
}

static int watch(struct curl_poll *poll, int events) {
  poll->idle = false;
  uv_ref((uv_handle_t *)&poll->uv);
  if (poll->events == events)
    return 0;
  poll->events = events;
  return uv_poll_start(&poll->uv, events, on_poll);
}

static int ask_for_socket(CURL *easy, curl_socket_t socket, int what, void *arg, void *own) {
  struct curl_pool *pool = arg;
  struct curl_poll *poll = find_poll(pool, socket);
  (void)easy, (void)own;
  if (what == CURL_POLL_REMOVE) {
    if (poll)
      rest(poll);
    return 0;
  }
  if (!poll)
    poll = add_poll(pool, socket);
  int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
  return poll && watch(poll, events) == 0 ? 0 : -1;
}

/* As libcurl does it, but no child process inherits it. */
static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)arg, (void)purpose;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* libuv must have let go of a descriptor before it is closed. */
static int close_socket(void *arg, curl_socket_t socket) {
  struct curl_poll *poll = find_poll(arg, socket);
  if (poll)
    close_poll(poll);
  return close(socket);
}

/* --- Pools ------------------------------------------------------------------------ */

static void free_if_done(struct curl_pool *pool) {
  if (!pool->orphan || !pool->timer_closed)
    return;
  pool->curl.global_cleanup();
  free(pool->polls);
  free(pool);
}

static void on_timer_closed(uv_handle_t *handle) {
  struct curl_pool *pool = handle->data;
  pool->timer_closed = true;
  free_if_done(pool);
}

/* A pool may be closed while libcurl's handles are there in part. */
static void drop_handles(struct curl_pool *pool) {
  while (pool->spare_count > 0)
    pool->curl.easy_cleanup(pool->spare[--pool->spare_count]);
  if (pool->multi)
    pool->curl.multi_cleanup(pool->multi);
  if (pool->share)
    pool->curl.share_cleanup(pool->share);
  pool->multi = NULL;
  pool->share = NULL;
}

void curl_pool_close(struct curl_pool *pool) {
  if (pool->closed)
    return;
  pool->closed = true;
  list_remove(&pool->closer.link);
  struct list *link;
  while ((link = list_shift(&pool->exchanges))) {
    struct curl_exchange *exchange = list_entry(link, struct curl_exchange, link);
    bool was_running = exchange->running;
    curl_exchange_close(exchange);
    if (was_running)
      exchange->done(exchange, CURLE_ABORTED_BY_CALLBACK);
  }
  drop_handles(pool);
  for (size_t i = 0; i < pool->poll_room; i++) /* none, as libcurl has closed its sockets */
    if (pool->polls[i])
      close_poll(pool->polls[i]);
  uv_close((uv_handle_t *)&pool->timer, on_timer_closed);
}

void curl_pool_release(struct curl_pool *pool) {
  curl_pool_close(pool);
  pool->orphan = true;
  free_if_done(pool);
}

static void close_at_exit(struct closer *closer) {
  curl_pool_close(list_entry(closer, struct curl_pool, closer));
}

static bool make_handles(struct curl_pool *pool, struct curl_pool_options options) {
  const struct curl_library *curl = &pool->curl;
  pool->multi = curl->multi_init();
  pool->share = curl->share_init();
  if (!pool->multi || !pool->share)
    return false;
  if (options.cookies)
    curl->share_setopt(pool->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE);
  curl->share_setopt(pool->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  curl->multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, ask_for_socket);
  curl->multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
  curl->multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, ask_for_time);
  curl->multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
  curl->multi_setopt(pool->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, options.connections);
  curl->multi_setopt(pool->multi, CURLMOPT_MAX_HOST_CONNECTIONS, options.per_host);
  if (options.connections > 0)
    curl->multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, options.connections);
  return true;
}

struct curl_pool *curl_pool_open(struct loop *loop, struct curl_pool_options options, int *status,
                                 char *why, size_t size) {
  struct curl_pool *pool = calloc(1, sizeof *pool);
  *status = pool ? curl_library_load(&pool->curl, why, size) : UV_ENOMEM;
  if (*status < 0) {
    if (!pool)
      snprintf(why, size, "%s", uv_strerror(*status));
    free(pool);
    return NULL;
  }
  pool->loop = loop;
  pool->cookies = options.cookies;
  list_init(&pool->exchanges);
  pool->closer.close = close_at_exit;
  list_append(&loop->closers, &pool->closer.link);
  uv_timer_init(&loop->uv, &pool->timer);
  pool->timer.data = pool;
  if (make_handles(pool, options))
    return pool;
  curl_pool_release(pool);
  *status = UV_ENOMEM;
  snprintf(why, size, "%s", uv_strerror(*status));
  return NULL;
}

/* --- Exchanges --------------------------------------------------------------------- */

bool curl_exchange_open(struct curl_exchange *exchange, struct curl_pool *pool) {
  const struct curl_library *curl = &pool->curl;
  CURL *easy = pool->spare_count > 0 ? pool->spare[--pool->spare_count] : curl->easy_init();
  if (!easy)
    return false;
  exchange->pool = pool;
  exchange->easy = easy;
  exchange->running = false;
  list_append(&pool->exchanges, &exchange->link);
  curl->easy_setopt(easy, CURLOPT_PRIVATE, exchange);
  curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl->easy_setopt(easy, CURLOPT_SHARE, pool->share);
  if (pool->cookies) /* no file, but it turns them on */
    curl->easy_setopt(easy, CURLOPT_COOKIEFILE, "");
  curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl->easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
  curl->easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, pool);
  return true;
}

CURLMcode curl_exchange_start(struct curl_exchange *exchange) {
  CURLMcode code = exchange->pool->curl.multi_add_handle(exchange->pool->multi, exchange->easy);
  exchange->running = code == CURLM_OK;
  return code;
}

void curl_exchange_pause(struct curl_exchange *exchange, int resting) {
  struct curl_pool *pool = exchange->pool;
  if (!exchange->running)
    return;
  CURLcode result = pool->curl.easy_pause(exchange->easy, resting);
  if (result == CURLE_OK)
    return;
  /* What a callback refuses here comes back here, and nowhere else. */
  pool->curl.multi_remove_handle(pool->multi, exchange->easy);
  exchange->running = false;
  exchange->done(exchange, result);
}

void curl_exchange_close(struct curl_exchange *exchange) {
  struct curl_pool *pool = exchange->pool;
  CURL *easy = exchange->easy;
  if (!easy)
    return;
  if (exchange->running)
    pool->curl.multi_remove_handle(pool->multi, easy);
  exchange->running = false;
  exchange->easy = NULL;
  list_remove(&exchange->link);
  if (pool->cookies) /* a reset forgets to free this */
    pool->curl.easy_setopt(easy, CURLOPT_COOKIEFILE, NULL);
  pool->curl.easy_reset(easy);
  if (!pool->closed && pool->spare_count < CURL_POOL_SPARE)
    pool->spare[pool->spare_count++] = easy;
  else
    pool->curl.easy_cleanup(easy);
}
