/* An HTTP server that answers every request at once, by the same 13 bytes. It looks for
 * the empty line and nothing else. A thread for each connection. Prints `PORT n` and
 * serves until it is ended, at most ten minutes.
 *
 * usage: http_server */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 64, LIFETIME = 600, HEAD = 4096 };

static const char response[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n"
    "\r\nHello, world!";

static _Noreturn void fail(const char *what) {
  perror(what);
  exit(1);
}

static void *serve(void *arg) {
  int client = (int)(intptr_t)arg;
  char head[HEAD + 1];
  size_t size = 0;
  ssize_t n;
  while ((n = recv(client, head + size, HEAD - size, 0)) > 0) {
    size += (size_t)n;
    head[size] = '\0';
    if (!strstr(head, "\r\n\r\n"))
      continue;
    size = 0;
    if (send(client, response, sizeof response - 1, MSG_NOSIGNAL) < 0)
      break;
  }
  close(client);
  return NULL;
}

static void start_serving(int client) {
  pthread_t thread;
  int yes = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)client) != 0)
    fail("http_server: thread");
  pthread_detach(thread);
}

static int listen_anywhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t size = sizeof address;
  int server = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(server, (struct sockaddr *)&address, size) < 0 || listen(server, BACKLOG) < 0)
    fail("http_server: listen");
  getsockname(server, (struct sockaddr *)&address, &size);
  printf("PORT %d\n", ntohs(address.sin_port));
  fflush(stdout);
  return server;
}

int main(void) {
  alarm(LIFETIME);
  int server = listen_anywhere();
  for (;;) {
    int client = accept(server, NULL, NULL);
    if (client < 0)
      fail("http_server: accept");
    start_serving(client);
  }
}
