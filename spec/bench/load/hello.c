#include "hello.h"

#include "report.h"
#include "socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { HEAD = 4096, REQUEST = 256, PATH = 64 };

/* Byte by byte: what follows belongs to the body. */
static bool take_head(int fd, char head[HEAD]) {
  size_t size = 0;
  head[0] = '\0';
  while (size < 4 || memcmp(head + size - 4, "\r\n\r\n", 4) != 0) {
    if (size == HEAD - 1 || recv(fd, head + size, 1, 0) != 1)
      return false;
    head[++size] = '\0';
  }
  return true;
}

static size_t body_size(const char *head) {
  static const char name[] = "\r\nContent-Length:";
  const char *field = strcasestr(head, name);
  return field ? strtoul(field + sizeof name - 1, NULL, 10) : 0;
}

static bool take_body(int fd, size_t size, char body[HELLO_BODY]) {
  size_t kept = 0;
  char byte;
  while (size > 0) {
    bool fits = kept < HELLO_BODY - 1;
    ssize_t n = recv(fd, fits ? body + kept : &byte, 1, 0);
    if (n != 1)
      return false;
    kept += fits;
    size--;
  }
  body[kept] = '\0';
  return true;
}

int hello_take(int fd, char body[HELLO_BODY]) {
  char head[HEAD];
  int status;
  if (!take_head(fd, head) || sscanf(head, "HTTP/1.1 %d", &status) != 1)
    return 0;
  return take_body(fd, body_size(head), body) ? status : 0;
}

void hello_get(int fd, const char *path, char body[HELLO_BODY]) {
  char request[REQUEST];
  int size = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", path);
  socket_send(fd, request, (size_t)size);
  int status = hello_take(fd, body);
  if (status != 200)
    report_failure("the answer to GET %s: %d", path, status);
}

void hello_exchange(int fd, long number) {
  char path[PATH], expected[HELLO_BODY], body[HELLO_BODY];
  snprintf(path, sizeof path, "/%ld", number);
  snprintf(expected, sizeof expected, "hello %s", path);
  hello_get(fd, path, body);
  errno = 0;
  if (strcmp(body, expected) != 0)
    report_failure("the answer to GET %s: %s", path, body);
}

double hello_heap(int fd) {
  char body[HELLO_BODY];
  hello_get(fd, "/heap", body);
  return strtod(body, NULL);
}
