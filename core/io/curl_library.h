/* libcurl, found when it is first needed.
 *
 * It brings some thirty libraries with it: linked, they would cost every start 2.6 ms
 * and 4 MB. A program that speaks no HTTP as a client loads none of them, and runs
 * where there is no libcurl.
 */
#ifndef STROBE_IO_CURL_LIBRARY_H
#define STROBE_IO_CURL_LIBRARY_H

#include <curl/curl.h>
#include <stddef.h>

/* What we call of it. */
#define CURL_FUNCTIONS(_)                                                                          \
  _(global_init)                                                                                   \
  _(global_cleanup)                                                                                \
  _(easy_init)                                                                                     \
  _(easy_cleanup)                                                                                  \
  _(easy_reset)                                                                                    \
  _(easy_setopt)                                                                                   \
  _(easy_getinfo)                                                                                  \
  _(easy_pause)                                                                                    \
  _(easy_strerror)                                                                                 \
  _(slist_append)                                                                                  \
  _(slist_free_all)                                                                                \
  _(share_init)                                                                                    \
  _(share_setopt)                                                                                  \
  _(share_cleanup)                                                                                 \
  _(multi_init)                                                                                    \
  _(multi_cleanup)                                                                                 \
  _(multi_setopt)                                                                                  \
  _(multi_add_handle)                                                                              \
  _(multi_remove_handle)                                                                           \
  _(multi_socket_action)                                                                           \
  _(multi_info_read)                                                                               \
  _(multi_strerror)

struct curl_library {
#define CURL_MEMBER(name) __typeof__(curl_##name) *(name);
  CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
};

/* 0, or a negative libuv error with why. It is never unloaded: what it brings does not
 * survive that. */
int curl_library_load(struct curl_library *library, char *why, size_t size);

#endif
