#include "core/io/polled.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum manner {
  MANNER_OWN,    /* opened once more: it does not block */
  MANNER_SOCKET, /* told each time not to block */
  MANNER_SHARED  /* blocks, unless poll(2) has said that it will not */
};

struct polled {
  struct stream stream; /* first: it is a stream */
  struct closer closer;
  uv_poll_t poll;
  struct buffer output;
  int fd; /* ours: a duplicate, or opened once more */
  enum manner manner;
  enum direction direction;
  bool polling;
};

static struct polled *polled_of(struct stream *stream) {
  return list_entry(stream, struct polled, stream);
}

/* --- Transfers, none of which blocks ------------------------------------------ */

static int poll_events(const struct polled *polled) {
  return polled->direction == DIRECTION_IN ? POLLIN : POLLOUT;
}

/* Also when a transfer would fail at once. */
static bool is_ready(const struct polled *polled, int timeout) {
  struct pollfd asked = {.fd = polled->fd, .events = (short)poll_events(polled)};
  return poll(&asked, 1, timeout) > 0;
}

static bool may_transfer(const struct polled *polled) {
  return polled->manner != MANNER_SHARED || is_ready(polled, 0);
}

/* Bytes, 0 at the end, or a negative libuv error: UV_EAGAIN when there are none yet. */
static ssize_t take(const struct polled *polled, char *bytes, size_t size) {
  if (!may_transfer(polled))
    return UV_EAGAIN;
  ssize_t count;
  do
    count = polled->manner == MANNER_SOCKET ? recv(polled->fd, bytes, size, MSG_DONTWAIT)
                                            : read(polled->fd, bytes, size);
  while (count < 0 && errno == EINTR);
  return count < 0 ? uv_translate_sys_error(errno) : count;
}

/* Bytes that were taken, or a negative libuv error: UV_EAGAIN when there is no room. */
static ssize_t give(const struct polled *polled, const char *bytes, size_t size) {
  if (!may_transfer(polled))
    return UV_EAGAIN;
  /* A pipe that is ready has room for so much; more would block. */
  if (polled->manner == MANNER_SHARED && size > PIPE_BUF)
    size = PIPE_BUF;
  ssize_t count;
  do
    count = polled->manner == MANNER_SOCKET
                ? send(polled->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL)
                : write(polled->fd, bytes, size);
  while (count < 0 && errno == EINTR);
  return count < 0 ? uv_translate_sys_error(errno) : count;
}

/* --- Polling ------------------------------------------------------------------ */

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct polled *polled) {
  if (polled->polling || uv_is_closing((uv_handle_t *)&polled->poll))
    return;
  int events = polled->direction == DIRECTION_IN ? UV_READABLE : UV_WRITABLE;
  int status = uv_poll_start(&polled->poll, events, on_poll);
  if (status < 0)
    stream_fail(&polled->stream, status);
  else
    polled->polling = true;
}

static void ignore(struct polled *polled) {
  if (!polled->polling)
    return;
  polled->polling = false;
  uv_poll_stop(&polled->poll);
}

/* `status`: why libuv does not poll any more, unless the transfer itself tells. */
static void read_on(struct polled *polled, int status) {
  struct stream *stream = &polled->stream;
  if (stream_wants_input(stream)) {
    char *scratch = stream->scheduler->loop->scratch;
    ssize_t count = take(polled, scratch, LOOP_SCRATCH);
    if (count == UV_EAGAIN && status < 0)
      count = status;
    if (count > 0)
      stream_input(stream, scratch, (size_t)count);
    else if (count == 0)
      stream_end(stream);
    else if (count != UV_EAGAIN)
      stream_fail(stream, (int)count);
  }
  if (stream_wants_input(stream))
    watch(polled);
  else
    ignore(polled);
}

static void close_now(struct polled *polled);

/* Passes on what there is room for. 0 or a negative libuv error. */
static int pass_on(struct polled *polled) {
  ssize_t count = 0;
  while (buffer_size(&polled->output) > 0) {
    count = give(polled, buffer_front(&polled->output), buffer_size(&polled->output));
    if (count < 0)
      break;
    buffer_take(&polled->output, (size_t)count);
  }
  return count < 0 && count != UV_EAGAIN ? (int)count : 0;
}

static void lose_output(struct polled *polled, int error) {
  buffer_free(&polled->output);
  stream_fail(&polled->stream, error);
}

static void write_on(struct polled *polled, int status) {
  int error = pass_on(polled);
  bool stuck = buffer_size(&polled->output) > 0;
  if (error == 0 && stuck)
    error = status;
  if (error < 0)
    lose_output(polled, error);
  stream_written(&polled->stream);
  if (error == 0 && stuck)
    return;
  ignore(polled);
  if (polled->stream.closing)
    close_now(polled);
}

static void on_poll(uv_poll_t *poll, int status, int events) {
  struct polled *polled = poll->data;
  (void)events;
  polled->stream.scheduler->loop->activity++;
  if (status < 0)
    polled->polling = false; /* libuv has stopped by itself */
  if (polled->direction == DIRECTION_IN)
    read_on(polled, status);
  else
    write_on(polled, status);
}

/* --- The transport ------------------------------------------------------------ */

static int polled_write(struct stream *stream, const char *bytes, size_t size) {
  struct polled *polled = polled_of(stream);
  if (polled->direction != DIRECTION_OUT)
    return UV_EBADF;
  size_t done = 0;
  while (buffer_size(&polled->output) == 0 && done < size) {
    ssize_t count = give(polled, bytes + done, size - done);
    if (count == UV_EAGAIN)
      break;
    if (count < 0)
      return (int)count;
    done += (size_t)count;
  }
  if (done == size)
    return 0;
  if (!buffer_append(&polled->output, bytes + done, size - done))
    return UV_ENOMEM;
  watch(polled);
  return 0;
}

static size_t polled_queued(const struct stream *stream) {
  return buffer_size(&list_entry(stream, const struct polled, stream)->output);
}

static void polled_resume(struct stream *stream) {
  struct polled *polled = polled_of(stream);
  if (polled->direction == DIRECTION_IN)
    watch(polled);
}

static void on_close(uv_handle_t *handle) {
  struct polled *polled = handle->data;
  if (polled->manner == MANNER_SOCKET && polled->stream.shut)
    shutdown(polled->fd, SHUT_WR); /* closing a duplicate says nothing to the peer */
  close(polled->fd);
  buffer_free(&polled->output);
  list_remove(&polled->closer.link);
  polled->stream.scheduler->loop->activity++;
  stream_closed(&polled->stream);
}

static void close_now(struct polled *polled) {
  if (!uv_is_closing((uv_handle_t *)&polled->poll))
    uv_close((uv_handle_t *)&polled->poll, on_close);
}

static void polled_close(struct stream *stream, bool at_once) {
  struct polled *polled = polled_of(stream);
  if (at_once || polled->stream.error || buffer_size(&polled->output) == 0)
    close_now(polled);
}

/* The end of a pipe is told by closing it. */
static int polled_shutdown(struct stream *stream) {
  stream->closing = true;
  polled_close(stream, false);
  return 0;
}

static void close_at_exit(struct closer *closer) {
  struct polled *polled = list_entry(closer, struct polled, closer);
  polled->stream.closing = true;
  close_now(polled);
}

static void polled_free(struct stream *stream) {
  free(polled_of(stream));
}

static const struct transport transport = {
    .name = "pipe",
    .write = polled_write,
    .queued = polled_queued,
    .resume = polled_resume,
    .shutdown = polled_shutdown,
    .close = polled_close,
    .free = polled_free,
};

int polled_flush(struct stream *stream) {
  if (stream->transport != &transport || stream->closed)
    return 0;
  struct polled *polled = polled_of(stream);
  int error = 0;
  while (error == 0 && buffer_size(&polled->output) > 0) {
    is_ready(polled, -1);
    error = pass_on(polled);
  }
  if (error < 0)
    lose_output(polled, error);
  return error;
}

/* --- Opening ------------------------------------------------------------------ */

/* The same pipe or terminal, opened once more; below 0 when that cannot be. */
static int open_again(int fd, enum direction direction) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int access = direction == DIRECTION_IN ? O_RDONLY : O_WRONLY;
  return open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* A named pipe that is opened when all its writers have gone never tells the end by poll(2). */
static bool has_hung_up(int fd) {
  struct pollfd asked = {.fd = fd, .events = POLLIN};
  return poll(&asked, 1, 0) > 0 && (asked.revents & POLLHUP);
}

/* Sets `manner` and `fd`. 0 or a negative libuv error. */
static int choose_manner(struct polled *polled, int fd) {
  struct stat stat;
  if (fstat(fd, &stat) < 0)
    return uv_translate_sys_error(errno);
  polled->manner = S_ISSOCK(stat.st_mode) ? MANNER_SOCKET : MANNER_SHARED;
  polled->fd = -1;
  if (S_ISFIFO(stat.st_mode) || isatty(fd))
    polled->fd = open_again(fd, polled->direction);
  if (polled->fd >= 0 && polled->direction == DIRECTION_IN && has_hung_up(fd)) {
    close(polled->fd);
    polled->fd = -1;
  }
  if (polled->fd >= 0)
    polled->manner = MANNER_OWN;
  else
    polled->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* never in the place of 0, 1 or 2 */
  return polled->fd < 0 ? uv_translate_sys_error(errno) : 0;
}

/* uv_poll_init takes it that nobody shares the descriptor. */
static int init_poll(struct polled *polled, uv_loop_t *loop) {
  int flags = fcntl(polled->fd, F_GETFL);
  int status = uv_poll_init(loop, &polled->poll, polled->fd);
  if (polled->manner != MANNER_OWN)
    fcntl(polled->fd, F_SETFL, flags);
  return status;
}

/* 0 or a negative libuv error; then nothing stays open. */
static int open_descriptor(struct polled *polled, int fd, uv_loop_t *loop) {
  int status = choose_manner(polled, fd);
  if (status < 0)
    return status;
  status = init_poll(polled, loop);
  if (status < 0)
    close(polled->fd);
  return status;
}

int polled_open(lua_State *L, int fd, enum direction direction) {
  struct polled *polled = calloc(1, sizeof *polled);
  if (!polled)
    return UV_ENOMEM;
  polled->direction = direction;
  struct loop *loop = scheduler_of(L)->loop;
  int status = open_descriptor(polled, fd, &loop->uv);
  if (status < 0) {
    free(polled);
    return status;
  }
  buffer_init(&polled->output);
  polled->poll.data = polled;
  stream_own(L, &polled->stream, &transport);
  polled->stream.limit = 0; /* others may want what comes behind: nothing is read ahead */
  /* Our own tasks may be at the other end of all others, and sleep. */
  polled->stream.stills_time = fd <= STDERR_FILENO;
  polled->closer.close = close_at_exit;
  list_append(&loop->closers, &polled->closer.link);
  return 0;
}
