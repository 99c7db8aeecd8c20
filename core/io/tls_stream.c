#include "core/io/tls_stream.h"

#include <stdlib.h>

static struct tls *tls_of(struct stream *stream) {
  return list_entry(stream, struct tls, stream);
}

static const struct tls *tls_of_const(const struct stream *stream) {
  return list_entry(stream, struct tls, stream);
}

/* --- Moving bytes --------------------------------------------------------------- */

static void send_output(struct tls *tls) {
  const char *bytes;
  size_t size;
  while (tls->below && (size = tls_session_output(tls->session, &bytes)) > 0) {
    int status = tls->below->transport->write(tls->below, bytes, size);
    tls_session_sent(tls->session, size);
    if (status < 0)
      stream_fail(tls->below, status);
  }
}

/* Decrypts as long as somebody wants it. */
static void read_plaintext(struct tls *tls) {
  char *scratch = tls->stream.scheduler->loop->scratch;
  size_t size;
  while (stream_wants_input(&tls->stream) &&
         (size = tls_session_read(tls->session, scratch, LOOP_SCRATCH)) > 0)
    stream_input(&tls->stream, scratch, size);
}

static bool wants_ciphertext(const struct tls *tls) {
  return tls_session_state(tls->session) == TLS_HANDSHAKING || stream_wants_input(&tls->stream);
}

static void take_input(struct tls *tls) {
  struct buffer *input = &tls->below->input;
  size_t size = buffer_size(input);
  tls_session_receive(tls->session, buffer_front(input), size);
  if (tls->below->ended) /* all that came is lent now: what is read next tells the end */
    tls_session_end(tls->session);
  if (tls_session_state(tls->session) == TLS_HANDSHAKING)
    tls_session_handshake(tls->session);
  read_plaintext(tls);
  tls_session_keep(tls->session);
  if (tls->below)
    stream_consume(tls->below, size);
}

/* What was written before the handshake was over. */
static void send_unsent(struct tls *tls) {
  size_t size;
  while (tls->below && buffer_size(&tls->unsent) > 0 &&
         (size = tls_session_write(tls->session, buffer_front(&tls->unsent),
                                   buffer_size(&tls->unsent))) > 0) {
    buffer_take(&tls->unsent, size);
    send_output(tls);
  }
}

/* Says that no more will come, once all that came is read. */
static void tell_end(struct tls *tls) {
  static const int errors[] = {[TLS_FAILURE_PROTOCOL] = UV_EPROTO,
                               [TLS_FAILURE_CERTIFICATE] = UV_EPROTO,
                               [TLS_FAILURE_TRUNCATED] = UV_EOF,
                               [TLS_FAILURE_MEMORY] = UV_ENOMEM};
  struct stream *stream = &tls->stream;
  enum tls_state state = tls_session_state(tls->session);
  if (stream->error || stream->ended)
    return;
  if (tls->below && tls->below->error)
    stream_fail(stream, tls->below->error);
  else if (state == TLS_FAILED)
    stream_fail(stream, errors[tls_session_failure(tls->session)]);
  else if (state == TLS_CLOSED)
    stream_end(stream);
}

static void wake_shaker(struct tls *tls) {
  struct task *task = tls->shaker;
  if (!task)
    return;
  tls->shaker = NULL;
  wait_wake(task);
}

static void finish_shutdown(struct tls *tls) {
  if (!tls->stream.shut || !tls->below || tls->below->shut ||
      tls_session_state(tls->session) == TLS_HANDSHAKING)
    return;
  tls_session_shutdown(tls->session);
  send_output(tls);
  if (!tls->below)
    return;
  tls->below->shut = true;
  tls->below->transport->shutdown(tls->below);
}

static void move(struct tls *tls) {
  if (tls->below && wants_ciphertext(tls))
    take_input(tls);
  send_output(tls);
  send_unsent(tls);
  finish_shutdown(tls);
}

/* Moves what can be moved in both directions. Where the transport below is a pipe,
 * its other end may answer while we are at it: then it is done again. */
static void pump(struct tls *tls) {
  tls->again = true;
  if (tls->pumping)
    return;
  tls->pumping = true;
  while (tls->again) {
    tls->again = false;
    move(tls);
  }
  tls->pumping = false;
  if (tls_session_state(tls->session) != TLS_HANDSHAKING || !tls->below || tls->below->error)
    wake_shaker(tls);
  tell_end(tls);
}

/* --- What the stream below tells ------------------------------------------------ */

static struct tls *tls_of_consumer(struct consumer *consumer) {
  return list_entry(consumer, struct tls, consumer);
}

static void on_input(struct consumer *consumer) {
  pump(tls_of_consumer(consumer));
}

static void on_written(struct consumer *consumer) {
  stream_written(&tls_of_consumer(consumer)->stream);
}

static void on_closed(struct consumer *consumer) {
  struct tls *tls = tls_of_consumer(consumer);
  tls->below = tls->stream.below = NULL;
  wake_shaker(tls);
  stream_closed(&tls->stream);
}

/* --- As a transport --------------------------------------------------------------- */

static int tls_write(struct stream *stream, const char *bytes, size_t size) {
  struct tls *tls = tls_of(stream);
  size_t done = 0, part;
  if (!tls->below || tls_session_state(tls->session) == TLS_FAILED)
    return UV_EPIPE;
  bool outer = tls->pumping;
  tls->pumping = true;
  while (buffer_size(&tls->unsent) == 0 && done < size && tls->below &&
         (part = tls_session_write(tls->session, bytes + done, size - done)) > 0) {
    done += part;
    send_output(tls);
  }
  bool kept = buffer_append(&tls->unsent, bytes + done, size - done);
  tls->pumping = outer;
  if (tls->again)
    pump(tls);
  return kept ? 0 : UV_ENOMEM;
}

static size_t tls_queued(const struct stream *stream) {
  const struct tls *tls = tls_of_const(stream);
  size_t below = tls->below ? tls->below->transport->queued(tls->below) : 0;
  return below + buffer_size(&tls->unsent);
}

static void tls_resume(struct stream *stream) {
  pump(tls_of(stream));
}

static int tls_shutdown(struct stream *stream) {
  pump(tls_of(stream)); /* `shut` is set: it goes out after the rest */
  return 0;
}

static void tls_close(struct stream *stream, bool at_once) {
  struct tls *tls = tls_of(stream);
  if (!tls->below)
    return;
  if (!at_once && tls_session_state(tls->session) != TLS_HANDSHAKING) {
    tls_session_shutdown(tls->session);
    send_output(tls);
  }
  if (tls->below)
    stream_drop(tls->below, at_once);
}

static void tls_free(struct stream *stream) {
  struct tls *tls = tls_of(stream);
  tls_session_close(tls->session);
  buffer_free(&tls->unsent);
  free(tls);
}

static const char *tls_reason(const struct stream *stream) {
  const char *text = tls_session_error(tls_of_const(stream)->session);
  return text[0] ? text : NULL;
}

static const struct transport transport = {
    .name = "tls",
    .write = tls_write,
    .queued = tls_queued,
    .resume = tls_resume,
    .shutdown = tls_shutdown,
    .close = tls_close,
    .free = tls_free,
    .reason = tls_reason,
};

/* --- Opening ---------------------------------------------------------------------- */

struct tls *tls_stream_test(struct stream *stream) {
  return stream->transport == &transport ? tls_of(stream) : NULL;
}

struct tls *tls_stream_open(struct tls_context *context, const struct tls_peer *peer,
                            struct tls_error *error) {
  struct tls *tls = calloc(1, sizeof *tls);
  if (!tls)
    return NULL;
  buffer_init(&tls->unsent);
  tls->consumer = (struct consumer){on_input, on_written, on_closed};
  tls->session = tls_session_open(context, peer, error);
  if (tls->session)
    return tls;
  free(tls);
  return NULL;
}

void tls_stream_own(lua_State *L, struct tls *tls) {
  stream_own(L, &tls->stream, &transport);
  tls->stream.closed = true; /* as long as there is nothing below */
}

void tls_stream_take(lua_State *L, int index, struct tls *tls) {
  tls->below = stream_take(L, index, &tls->consumer);
  tls->stream.below = tls->below;
  tls->stream.closed = false;
  pump(tls);
}
