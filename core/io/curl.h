/* A pool of HTTP connections: libcurl's multi handle on our loop.
 *
 * libcurl says which sockets it waits for and for how long; our uv_poll and uv_timer
 * handles tell it when something has come. An exchange is one request and its
 * response, an "easy handle" in libcurl's words. TLS sessions, and cookies if they are
 * wanted, are shared by the exchanges of a pool.
 *
 * No function of libcurl is called from within its callbacks. A uv_poll handle lives as
 * long as its socket does; while the connection is idle it is unreferenced, so that it
 * keeps nobody from ending. libcurl's timers are real time, whatever our clock shows.
 *
 * Knows no Lua.
 */
#ifndef STROBE_IO_CURL_H
#define STROBE_IO_CURL_H

#include "core/io/curl_library.h"
#include "core/loop/loop.h"

struct curl_pool;

struct curl_exchange {
  struct list link; /* in its pool */
  struct curl_pool *pool;
  CURL *easy;
  bool running;
  /* It is over: libcurl's result. Not called for an exchange that was ended here. */
  void (*done)(struct curl_exchange *exchange, CURLcode result);
};

enum { CURL_POOL_SPARE = 16 };

struct curl_poll;

struct curl_pool {
  struct curl_library curl;
  struct loop *loop;
  CURLM *multi;
  CURLSH *share;
  uv_timer_t timer;
  struct closer closer;
  struct list exchanges;
  CURL *spare[CURL_POOL_SPARE]; /* easy handles for reuse */
  int spare_count;
  struct curl_poll **polls; /* by file descriptor */
  size_t poll_room;
  bool cookies;
  bool closed, timer_closed, orphan;
};

struct curl_pool_options {
  long connections, per_host; /* at most; 0 = no limit */
  bool cookies;               /* are kept, and sent back */
};

/* A new pool; NULL, and why with a libuv error in *status. */
struct curl_pool *curl_pool_open(struct loop *loop, struct curl_pool_options options, int *status,
                                 char *why, size_t size);

/* Closes its connections; exchanges that run are over with CURLE_ABORTED_BY_CALLBACK.
 * Closing twice is harmless. */
void curl_pool_close(struct curl_pool *pool);

/* Its owner is gone: closes it, and frees it when libuv has. */
void curl_pool_release(struct curl_pool *pool);

/* Gives the exchange an easy handle of the pool, which must not be closed. False when
 * there is no memory. */
bool curl_exchange_open(struct curl_exchange *exchange, struct curl_pool *pool);

/* Begins; what was set must live until its end. */
CURLMcode curl_exchange_start(struct curl_exchange *exchange);

/* Sets which directions rest, see curl_easy_pause; it may call the exchange's callbacks, and
 * may be the end of it. */
void curl_exchange_pause(struct curl_exchange *exchange, int resting);

/* Ends it wherever it is, and gives the easy handle back. Twice is harmless. */
void curl_exchange_close(struct curl_exchange *exchange);

#endif
