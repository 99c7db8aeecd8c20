/* A stream of bytes, both ways, with backpressure: what a connection is to Lua.
 *
 * What came in waits in `input`; a reader that finds too little there parks.
 * Bytes go out through the transport (a socket, the other end of a pipe, …),
 * which keeps what it cannot pass on yet and says so by `queued`.
 *
 * One task may read and one may drain at a time. A stream is owned by its
 * userdata; a transport that needs it longer frees it when it has closed. A
 * protocol on top of it, as TLS is, takes it out of its userdata and consumes what
 * comes in where it comes in, without a task.
 */
#ifndef STROBE_IO_STREAM_H
#define STROBE_IO_STREAM_H

#include "core/base/buffer.h"
#include "core/task/wait.h"

struct stream;

struct transport {
  const char *name;
  /* Passes bytes on or queues them. 0 or a negative libuv error. */
  int (*write)(struct stream *stream, const char *bytes, size_t size);
  /* Bytes passed to write that are not on their way yet. */
  size_t (*queued)(const struct stream *stream);
  /* The reader has made room: go on filling `input`. */
  void (*resume)(struct stream *stream);
  /* No more bytes will be written: tells the peer when the queue is empty. */
  int (*shutdown)(struct stream *stream);
  /* Closes, after the queue is empty unless `at_once`; then calls stream_closed. */
  void (*close)(struct stream *stream, bool at_once);
  /* The userdata is gone and the stream has closed. */
  void (*free)(struct stream *stream);
  /* More about `error`, for people; NULL when there is none, as may be this itself. */
  const char *(*reason)(const struct stream *stream);
};

/* A protocol on top of a stream. None of these runs Lua. */
struct consumer {
  /* `input` has grown, or no more will come: `ended`, `error`. */
  void (*input)(struct consumer *consumer);
  /* Less is queued. */
  void (*written)(struct consumer *consumer);
  /* The stream has closed, and is freed after this. */
  void (*closed)(struct consumer *consumer);
};

struct stream {
  const struct transport *transport;
  struct consumer *consumer; /* NULL: tasks read it */
  struct stream *below;      /* what it stands on, as TLS does, or NULL */
  struct scheduler *scheduler;
  struct buffer input;
  size_t limit;    /* `input` is filled up to here, or to `needed` */
  size_t patience; /* what may be queued before a writer waits */
  size_t needed;   /* bytes the parked reader waits for */
  size_t scanned;  /* bytes of `input` known to hold no separator */
  int64_t timeout; /* of one read or drain, in nanoseconds; 0 = none */
  struct task *reader, *drainer;
  struct list closers; /* jobs of tasks in wait_closed */
  int error;           /* a negative libuv error of reading or writing, or 0 */
  int lost;            /* the same, when queued bytes were given up by closing */
  bool stills_time;    /* virtual time stands still while a task waits for its bytes */
  bool ended;          /* the peer will send no more */
  bool shut;           /* we will */
  bool closing, closed, orphan;
};

/* Pushes the userdata of a stream that is still to be made; first of all, since it
 * may raise. [-0, +1, m] */
void stream_push(lua_State *L);

/* Makes `stream` usable; the userdata on top owns it from now on. [-0, +0, -] */
void stream_own(lua_State *L, struct stream *stream, const struct transport *transport);

struct stream *stream_check(lua_State *L, int index);

/* The stream at index 1, for a method that goes on, which has checked it before. [-0, +0, v] */
struct stream *stream_at_one(lua_State *L);

/* A task parks to read or to drain; it leaves, or is woken. Always in pairs. */
void stream_wait_begins(const struct stream *stream);
void stream_wait_ends(const struct stream *stream);

/* Pushes nil, why, its code, for stream->error. [-0, +3, m] */
int stream_push_error(lua_State *L, const struct stream *stream, const char *what);

/* Takes the stream at the index, which no task uses now, out of its userdata: it is
 * the consumer's, which is to close it. [-0, +0, v] */
struct stream *stream_take(lua_State *L, int index, struct consumer *consumer);

/* For consumers: takes `size` bytes off the input, and has it filled again. */
void stream_consume(struct stream *stream, size_t size);

/* For consumers: closes what was taken, see transport->close. */
void stream_drop(struct stream *stream, bool at_once);

/* For transports: bytes came; the end came; it failed; there is room again; it
 * has closed. None of them runs Lua. */
void stream_input(struct stream *stream, const char *bytes, size_t size);
void stream_end(struct stream *stream);
void stream_fail(struct stream *stream, int error);
void stream_written(struct stream *stream);
void stream_closed(struct stream *stream);

/* How much is read without being asked for, and is queued before a writer waits. */
enum { STREAM_HIGH_WATER = 64 * 1024, STREAM_LOW_WATER = 16 * 1024 };

/* Whether `input` should be filled further. */
bool stream_wants_input(const struct stream *stream);

#endif
