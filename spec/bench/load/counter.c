#include "counter.h"

#include "report.h"
#include "websocket.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void counter_write(char *message, int client, long number) {
  char text[COUNTER_MESSAGE + 1];
  int size = snprintf(text, sizeof text, "%010ld %08d ", number, client);
  memset(text + size, '.', sizeof text - (size_t)size);
  memcpy(message, text, COUNTER_MESSAGE);
}

void counter_exchange(int fd, int client, long number) {
  char sent[COUNTER_MESSAGE], back[COUNTER_MESSAGE];
  uint8_t first;
  counter_write(sent, client, number);
  websocket_send(fd, WEBSOCKET_TEXT, sent, sizeof sent);
  size_t size = websocket_receive(fd, &first, back, sizeof back);
  errno = 0;
  if (first != WEBSOCKET_TEXT || size != sizeof back || memcmp(sent, back, size) != 0)
    report_failure("the echo of message %ld of client %d", number, client);
}

void counter_ask(int fd, const char *question, char answer[COUNTER_ANSWER]) {
  uint8_t first;
  websocket_send(fd, WEBSOCKET_TEXT, question, strlen(question));
  size_t size = websocket_receive(fd, &first, answer, COUNTER_ANSWER - 1);
  answer[size] = '\0';
  errno = 0;
  if (first != WEBSOCKET_TEXT)
    report_failure("the answer to %s", question);
}

struct counter counter_counts(int fd) {
  struct counter counter;
  char answer[COUNTER_ANSWER];
  counter_ask(fd, "?counts", answer);
  errno = 0;
  if (sscanf(answer, "%ld %ld %ld", &counter.messages, &counter.sum, &counter.wrong) != 3)
    report_failure("the answer to ?counts: %s", answer);
  return counter;
}

double counter_heap(int fd) {
  char answer[COUNTER_ANSWER];
  double bytes;
  counter_ask(fd, "?heap", answer);
  errno = 0;
  if (sscanf(answer, "%lf", &bytes) != 1)
    report_failure("the answer to ?heap: %s", answer);
  return bytes;
}
