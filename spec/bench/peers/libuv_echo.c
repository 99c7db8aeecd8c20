/* TCP echo server on 127.0.0.1 in plain C on libuv: what the loop itself costs.
 * Prints `PORT n` and serves until it is ended, at most ten minutes.
 *
 * A connection has one buffer. What was read is written at once; what the
 * kernel does not take keeps the reading stopped until it is written. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

enum { BACKLOG = 128, LIFETIME = 600, CHUNK = 65536 };

struct connection {
  uv_tcp_t tcp;
  uv_write_t write;
  char chunk[CHUNK];
};

static void check(int status, const char *what) {
  if (status >= 0)
    return;
  fprintf(stderr, "%s: %s\n", what, uv_strerror(status));
  exit(1);
}

static void closed(uv_handle_t *handle) {
  free(handle->data);
}

static void hang_up(struct connection *connection) {
  if (!uv_is_closing((uv_handle_t *)&connection->tcp))
    uv_close((uv_handle_t *)&connection->tcp, closed);
}

static void lend_chunk(uv_handle_t *handle, size_t size, uv_buf_t *buf) {
  struct connection *connection = handle->data;
  (void)size;
  *buf = uv_buf_init(connection->chunk, CHUNK);
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void written(uv_write_t *write, int status) {
  struct connection *connection = write->handle->data;
  if (status < 0)
    hang_up(connection);
  else
    uv_read_start(write->handle, lend_chunk, received);
}

static void received(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  struct connection *connection = stream->data;
  if (n < 0) {
    hang_up(connection);
    return;
  }
  uv_buf_t rest = uv_buf_init(buf->base, (unsigned)n);
  int sent = uv_try_write(stream, &rest, 1);
  if (sent == n)
    return;
  if (sent > 0) {
    rest.base += sent;
    rest.len -= (size_t)sent;
  }
  uv_read_stop(stream);
  if (uv_write(&connection->write, stream, &rest, 1, written) < 0)
    hang_up(connection);
}

static void connected(uv_stream_t *server, int status) {
  check(status, "listen");
  struct connection *connection = malloc(sizeof *connection);
  if (!connection)
    check(UV_ENOMEM, "connection");
  uv_tcp_init(server->loop, &connection->tcp);
  connection->tcp.data = connection;
  check(uv_accept(server, (uv_stream_t *)&connection->tcp), "accept");
  uv_tcp_nodelay(&connection->tcp, 1);
  uv_read_start((uv_stream_t *)&connection->tcp, lend_chunk, received);
}

int main(void) {
  uv_loop_t *loop = uv_default_loop();
  uv_tcp_t server;
  struct sockaddr_in address;
  int size = sizeof address;
  alarm(LIFETIME);
  uv_tcp_init(loop, &server);
  uv_ip4_addr("127.0.0.1", 0, &address);
  check(uv_tcp_bind(&server, (const struct sockaddr *)&address, 0), "bind");
  check(uv_listen((uv_stream_t *)&server, BACKLOG, connected), "listen");
  uv_tcp_getsockname(&server, (struct sockaddr *)&address, &size);
  printf("PORT %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return uv_run(loop, UV_RUN_DEFAULT);
}
