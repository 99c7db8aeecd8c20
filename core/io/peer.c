#include "core/io/peer.h"

#include "core/io/resolve.h"

#include <netinet/in.h>
#include <string.h>

struct search {
  struct sockaddr_storage peer; /* of family 0: `path` */
  const char *path;
  bool found;
};

static bool same_address(const struct sockaddr_storage *peer, const struct sockaddr_storage *own) {
  if (peer->ss_family != own->ss_family)
    return false;
  if (peer->ss_family == AF_INET) {
    const struct sockaddr_in *a = (const void *)peer, *b = (const void *)own;
    return a->sin_port == b->sin_port &&
           (b->sin_addr.s_addr == a->sin_addr.s_addr || b->sin_addr.s_addr == htonl(INADDR_ANY));
  }
  const struct sockaddr_in6 *a = (const void *)peer, *b = (const void *)own;
  return a->sin6_port == b->sin6_port &&
         (memcmp(&a->sin6_addr, &b->sin6_addr, sizeof a->sin6_addr) == 0 ||
          IN6_IS_ADDR_UNSPECIFIED(&b->sin6_addr));
}

/* A listener, or a connection it has accepted: both are named as the peer is. */
static void look_at(uv_handle_t *handle, void *arg) {
  struct search *search = arg;
  if (search->found || uv_is_closing(handle))
    return;
  if (uv_handle_get_type(handle) == UV_TCP && !search->path) {
    struct sockaddr_storage own;
    int size = sizeof own;
    search->found = uv_tcp_getsockname((uv_tcp_t *)handle, (struct sockaddr *)&own, &size) == 0 &&
                    same_address(&search->peer, &own);
  } else if (uv_handle_get_type(handle) == UV_NAMED_PIPE && search->path) {
    char path[256];
    size_t size = sizeof path;
    search->found = uv_pipe_getsockname((uv_pipe_t *)handle, path, &size) == 0 &&
                    size == strlen(search->path) && memcmp(path, search->path, size) == 0;
  }
}

bool peer_is_here(struct loop *loop, const char *address, int port, const char *path) {
  struct search search = {.path = path};
  if (!path && resolve_numeric(address, port, &search.peer) < 0)
    return false;
  uv_walk(&loop->uv, look_at, &search);
  return search.found;
}
