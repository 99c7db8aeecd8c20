/* A TectonicDB of generation A that always has an update: it answers PING,
 * SUBSCRIBE, UNSUBSCRIBE and the empty line (a poll) at once, the last with one
 * fixed tick. A thread for each connection. Prints `PORT n` and serves until it
 * is ended, at most ten minutes.
 *
 * usage: poll_server */
#include "report.h"
#include "socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIFETIME = 600, LINE = 512, HEADER = 9 };

static const char update[] = "{\"ts\":1505177459.658,\"seq\":139010,\"is_trade\":true,"
                             "\"is_bid\":true,\"price\":0.0703629,\"size\":7.6506424}";

struct session {
  int client;
  size_t size; /* of what came and is not answered */
  char text[LINE];
};

/* A reply: success byte, length as 64 bits big-endian, body. */
static bool reply(int client, bool success, const char *body) {
  size_t length = strlen(body);
  unsigned char frame[HEADER + 2 * LINE] = {success};
  for (int i = 0; i < 8; i++)
    frame[1 + i] = (unsigned char)((uint64_t)length >> (56 - 8 * i));
  memcpy(frame + HEADER, body, length + 1);
  ssize_t size = (ssize_t)(HEADER + length);
  return send(client, frame, (size_t)size, MSG_NOSIGNAL) == size;
}

static bool reply_about(int client, const char *what, const char *name) {
  char body[2 * LINE];
  snprintf(body, sizeof body, "%s %s", what, name);
  return reply(client, true, body);
}

static bool answer(int client, const char *line) {
  static const char subscribe[] = "SUBSCRIBE ";
  if (*line == '\0')
    return reply(client, true, update);
  if (strcmp(line, "PING") == 0)
    return reply(client, true, "PONG");
  if (strncmp(line, subscribe, sizeof subscribe - 1) == 0)
    return reply_about(client, "Subscribed to", line + sizeof subscribe - 1);
  if (strcmp(line, "UNSUBSCRIBE") == 0)
    return reply_about(client, "Unsubscribed from", "book");
  return reply(client, false, "ERR: Unknown command.\n\n");
}

/* Answers the whole lines that have come and keeps the rest. */
static bool answer_lines(struct session *session) {
  char *line = session->text, *end = session->text + session->size, *stop;
  while ((stop = memchr(line, '\n', (size_t)(end - line)))) {
    *stop = '\0';
    if (!answer(session->client, line))
      return false;
    line = stop + 1;
  }
  session->size = (size_t)(end - line);
  memmove(session->text, line, session->size);
  return session->size < LINE;
}

static void *serve(void *arg) {
  struct session *session = arg;
  ssize_t n;
  while ((n = recv(session->client, session->text + session->size, LINE - session->size, 0)) > 0) {
    session->size += (size_t)n;
    if (!answer_lines(session))
      break;
  }
  close(session->client);
  free(session);
  return NULL;
}

static void start_session(int client) {
  struct session *session = calloc(1, sizeof *session);
  pthread_t thread;
  int yes = 1;
  if (!session)
    report_failure("session");
  session->client = client;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (pthread_create(&thread, NULL, serve, session) != 0)
    report_failure("thread");
  pthread_detach(thread);
}

int main(void) {
  alarm(LIFETIME);
  int server = socket_listen();
  for (;;) {
    int client = accept(server, NULL, NULL);
    if (client < 0)
      report_failure("accept");
    start_session(client);
  }
}
