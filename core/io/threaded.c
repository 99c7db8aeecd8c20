#include "core/io/threaded.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024 };

struct threaded {
  struct stream stream; /* first: it is a stream */
  struct closer closer;
  uv_fs_t request;
  bool reading; /* the request is at work */
  int fd;       /* ours: a duplicate, with the place in the file that all share */
  enum direction direction;
  char bytes[]; /* CHUNK of them, for reading */
};

static struct threaded *threaded_of(struct stream *stream) {
  return list_entry(stream, struct threaded, stream);
}

/* --- Closing ------------------------------------------------------------------ */

/* The stream may be gone afterwards. */
static void close_now(struct threaded *threaded) {
  if (threaded->fd < 0)
    return;
  close(threaded->fd);
  threaded->fd = -1;
  list_remove(&threaded->closer.link);
  stream_closed(&threaded->stream);
}

static void threaded_close(struct stream *stream, bool at_once) {
  struct threaded *threaded = threaded_of(stream);
  (void)at_once;
  if (!threaded->reading) /* else its end closes */
    close_now(threaded);
}

static void close_at_exit(struct closer *closer) {
  struct threaded *threaded = list_entry(closer, struct threaded, closer);
  threaded->stream.closing = true;
  threaded_close(&threaded->stream, true);
}

static void threaded_free(struct stream *stream) {
  free(threaded_of(stream));
}

/* --- Reading ------------------------------------------------------------------ */

static void threaded_resume(struct stream *stream);

static void on_read(uv_fs_t *request) {
  struct threaded *threaded = request->data;
  struct stream *stream = &threaded->stream;
  ssize_t count = request->result;
  uv_fs_req_cleanup(request);
  threaded->reading = false;
  stream->scheduler->loop->activity++;
  if (stream->closing) {
    close_now(threaded);
    return;
  }
  if (count > 0)
    stream_input(stream, threaded->bytes, (size_t)count);
  else if (count == 0)
    stream_end(stream);
  else
    stream_fail(stream, (int)count);
  if (stream_wants_input(stream))
    threaded_resume(stream);
}

static void threaded_resume(struct stream *stream) {
  struct threaded *threaded = threaded_of(stream);
  if (threaded->reading || stream->closing || threaded->direction != DIRECTION_IN)
    return;
  uv_buf_t buffer = uv_buf_init(threaded->bytes, CHUNK);
  threaded->request.data = threaded;
  int status = uv_fs_read(&stream->scheduler->loop->uv, &threaded->request, threaded->fd, &buffer,
                          1, -1, on_read);
  if (status < 0)
    stream_fail(stream, status);
  else
    threaded->reading = true;
}

/* --- Writing ------------------------------------------------------------------ */

static int threaded_write(struct stream *stream, const char *bytes, size_t size) {
  struct threaded *threaded = threaded_of(stream);
  if (threaded->direction != DIRECTION_OUT)
    return UV_EBADF;
  for (size_t done = 0; done < size;) {
    ssize_t count = write(threaded->fd, bytes + done, size - done);
    if (count < 0 && errno != EINTR)
      return uv_translate_sys_error(errno);
    done += count > 0 ? (size_t)count : 0;
  }
  return 0;
}

static size_t threaded_queued(const struct stream *stream) {
  (void)stream;
  return 0;
}

static int threaded_shutdown(struct stream *stream) {
  stream->closing = true;
  threaded_close(stream, false);
  return 0;
}

static const struct transport transport = {
    .name = "file",
    .write = threaded_write,
    .queued = threaded_queued,
    .resume = threaded_resume,
    .shutdown = threaded_shutdown,
    .close = threaded_close,
    .free = threaded_free,
};

int threaded_open(lua_State *L, int fd, enum direction direction) {
  struct threaded *threaded = calloc(1, sizeof *threaded + (direction == DIRECTION_IN ? CHUNK : 0));
  if (!threaded)
    return UV_ENOMEM;
  threaded->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* never in the place of 0, 1 or 2 */
  if (threaded->fd < 0) {
    free(threaded);
    return uv_translate_sys_error(errno);
  }
  threaded->direction = direction;
  stream_own(L, &threaded->stream, &transport);
  threaded->stream.stills_time = true;
  threaded->closer.close = close_at_exit;
  list_append(&threaded->stream.scheduler->loop->closers, &threaded->closer.link);
  return 0;
}
