/* TLS as a stream of plaintext on top of one of ciphertext, which it consumes. */
#ifndef STROBE_IO_TLS_STREAM_H
#define STROBE_IO_TLS_STREAM_H

#include "core/io/stream.h"
#include "core/io/tls_context.h"
#include "core/io/tls_session.h"

struct tls {
  struct stream stream; /* first: this is a stream */
  struct consumer consumer;
  struct stream *below; /* NULL once that has closed */
  struct tls_session *session;
  struct buffer unsent; /* plaintext that waits for the end of the handshake */
  struct task *shaker;  /* waits for it too */
  bool pumping;         /* bytes are moved, now … */
  bool again;           /* … and more came meanwhile */
};

/* Makes one, the caller's. NULL and a text on failure. */
struct tls *tls_stream_open(struct tls_context *context, const struct tls_peer *peer,
                            struct tls_error *error);

/* The stream's userdata on top owns it from now on. [-0, +0, -] */
void tls_stream_own(lua_State *L, struct tls *tls);

/* Takes the stream of ciphertext over and begins the handshake. [-0, +0, v] */
void tls_stream_take(lua_State *L, int index, struct tls *tls);

/* The TLS of a stream, or NULL. */
struct tls *tls_stream_test(struct stream *stream);

#endif
