#include "modules/strobe/ws/link_lua.h"

#include <stdlib.h>
#include <string.h>

/* Frames are written at once above the first; a ping above the second must wait. */
enum { MOST_CORKED = 64 * 1024, MOST_UNSENT = 64 * 1024 };

static struct loop *loop_of(const struct ws_link *link) {
  return link->scheduler->loop;
}

static struct ws_link *link_of(struct consumer *consumer) {
  return list_entry(consumer, struct ws_link, consumer);
}

static int64_t now(const struct ws_link *link) {
  return clock_now(&loop_of(link)->clock);
}

/* It stays the receiver until it runs, so that nobody takes the message before. */
static void wake_receiver(struct ws_link *link) {
  if (link->receiver && link->receiver->wait)
    wait_wake(link->receiver);
}

static void wake_all(struct list *waiters) {
  struct list *job;
  while ((job = list_shift(waiters)))
    wait_wake(list_entry(job, struct task, job.link));
}

/* --- Sending ------------------------------------------------------------------ */

static void end(struct ws_link *link);
static void finish_ending(struct ws_link *link);
static void room_made(struct ws_link *link);

int ws_link_failure(const struct ws_link *link) {
  return link->stream && link->state < WS_ENDED ? link->stream->error : UV_EPIPE;
}

static void write_output(struct ws_link *link, const struct buffer *output) {
  struct stream *stream = link->stream;
  int status = stream->transport->write(stream, buffer_front(output), buffer_size(output));
  if (status < 0 && link->stream)
    stream_fail(stream, status);
}

/* Whoever gets the bytes may come back here at once, with others. */
static void flush(struct ws_link *link) {
  struct buffer output = link->output;
  list_remove(&link->flush.link);
  buffer_init(&link->output);
  if (link->stream && !link->stream->error && buffer_size(&output) > 0)
    write_output(link, &output);
  buffer_free(&output);
  room_made(link);
}

static void flush_job(struct job *job) {
  struct ws_link *link = list_entry(job, struct ws_link, flush);
  flush(link);
  if (link->stream && link->state == WS_ENDED)
    finish_ending(link);
}

static void flush_soon(struct ws_link *link) {
  if (!list_linked(&link->flush.link))
    loop_ready(loop_of(link), &link->flush);
}

/* Something was put into `output`, by a task: from inside a callback nothing is written,
 * for a peer in memory may answer at once, into the bytes that are read. */
static void cork(struct ws_link *link) {
  if (buffer_size(&link->output) >= MOST_CORKED)
    flush(link);
}

size_t ws_link_queued(const struct ws_link *link) {
  size_t below = link->stream ? link->stream->transport->queued(link->stream) : 0;
  return below + buffer_size(&link->output);
}

static int append(struct ws_link *link, unsigned first, const char *payload, size_t size) {
  uint8_t key[WS_KEY_SIZE];
  bool masks = link->codec.options.role == WS_CLIENT;
  int failure = link->sent_close ? UV_EPIPE : ws_link_failure(link);
  if (failure < 0)
    return failure;
  if (masks && !ws_key_next(link->keys, key))
    return UV_EIO;
  if (!ws_frame_append(&link->output, first, masks ? key : NULL, payload, size))
    return UV_ENOMEM;
  flush_soon(link);
  return 0;
}

/* Whether a message that is, or begins, as large as that is worth it. */
static bool compresses(const struct ws_link *link, size_t size) {
  return link->compression && size >= link->compression->threshold;
}

/* RSV1 is in the first frame of a message only. */
static int append_compressed(struct ws_link *link, unsigned first, const char *payload,
                             size_t size) {
  struct buffer deflated;
  int status = UV_ENOMEM;
  unsigned mark = (first & WS_OPCODE) == WS_CONTINUATION ? 0 : WS_RSV1;
  buffer_init(&deflated);
  if (ws_deflate(&link->compression->deflater, payload, size, first & WS_FIN, &deflated) ==
      WS_DEFLATE_GOOD)
    status = append(link, first | mark, buffer_front(&deflated), buffer_size(&deflated));
  buffer_free(&deflated);
  return status;
}

int ws_link_send(struct ws_link *link, unsigned opcode, const char *payload, size_t size) {
  bool message = !ws_is_control(opcode);
  if (message && link->fragmented)
    return UV_EBUSY;
  int status = message && compresses(link, size)
                   ? append_compressed(link, WS_FIN | opcode, payload, size)
                   : append(link, WS_FIN | opcode, payload, size);
  if (status == 0)
    cork(link);
  return status;
}

static unsigned first_of_fragment(struct ws_link *link, bool text, bool last) {
  unsigned opcode = link->fragmented ? WS_CONTINUATION : text ? WS_TEXT : WS_BINARY;
  return opcode | (last ? WS_FIN : 0);
}

int ws_link_send_fragment(struct ws_link *link, bool text, const char *payload, size_t size,
                          bool last) {
  unsigned first = first_of_fragment(link, text, last);
  if (!link->fragmented) {
    link->deflates = compresses(link, size);
    link->sent = (struct ws_utf8){0};
  }
  if (text &&
      (!ws_utf8_feed(&link->sent, payload, size) || (last && !ws_utf8_complete(&link->sent))))
    return UV_EILSEQ;
  int status = link->deflates ? append_compressed(link, first, payload, size)
                              : append(link, first, payload, size);
  if (status < 0)
    return status;
  link->fragmented = !last;
  cork(link);
  return 0;
}

/* The compressed frame, where it is worth it. */
static const struct buffer *choose_frame(struct ws_link *link, struct ws_encoded *encoded) {
  if (!compresses(link, ws_encoded_size(encoded)))
    return &encoded->plain;
  struct ws_deflater_options options = link->compression->deflater.options;
  options.takeover = false;
  const struct buffer *frame = ws_encoded_deflate(encoded, &options);
  if (!frame || buffer_size(frame) >= buffer_size(&encoded->plain))
    return &encoded->plain;
  ws_deflater_forget(&link->compression->deflater);
  return frame;
}

int ws_link_send_encoded(struct ws_link *link, struct ws_encoded *encoded) {
  int failure = link->sent_close ? UV_EPIPE : ws_link_failure(link);
  if (failure < 0)
    return failure;
  if (link->fragmented)
    return UV_EBUSY;
  const struct buffer *frame = choose_frame(link, encoded);
  if (!buffer_append(&link->output, buffer_front(frame), buffer_size(frame)))
    return UV_ENOMEM;
  flush_soon(link);
  cork(link);
  return 0;
}

/* Without memory for the reason there is none. */
static void remember(struct ws_ending *ending, unsigned code, const char *reason, size_t size) {
  size_t kept = reason ? ws_utf8_cut(reason, size, WS_REASON_MAX) : 0;
  free(ending->reason);
  ending->code = (uint16_t)code;
  ending->reason = kept > 0 ? malloc(kept) : NULL;
  ending->reason_size = ending->reason ? (uint16_t)kept : 0;
  if (ending->reason)
    memcpy(ending->reason, reason, kept);
}

static void closing_is_late(struct timer *timer) {
  ws_link_abort(list_entry(timer, struct ws_link, closing));
}

static void begin_closing(struct ws_link *link) {
  struct loop *loop = loop_of(link);
  if (link->state == WS_OPEN)
    link->state = WS_CLOSING;
  timer_stop(&loop->timers, &link->keepalive);
  if (timer_running(&link->closing) || link->close_timeout == 0)
    return;
  link->closing.fire = closing_is_late;
  if (!timer_start(&loop->timers, &link->closing, now(link) + link->close_timeout))
    ws_link_abort(link);
}

static bool append_close(struct ws_link *link, unsigned code, const char *reason, size_t size) {
  uint8_t key[WS_KEY_SIZE];
  bool masks = link->codec.options.role == WS_CLIENT;
  return (!masks || ws_key_next(link->keys, key)) &&
         ws_close_append(&link->output, masks ? key : NULL, code, reason, size);
}

void ws_link_close(struct ws_link *link, unsigned code, const char *reason, size_t size) {
  if (!link->stream || link->sent_close || link->state >= WS_ENDED)
    return;
  bool sent = append_close(link, code, reason, size);
  link->sent_close = true;
  remember(&link->ours, code, reason, size);
  flush_soon(link);
  begin_closing(link);
  if (link->got_close || !sent)
    end(link);
}

/* --- Ending ------------------------------------------------------------------- */

static bool peer_has_ended(const struct ws_link *link) {
  return link->stream->ended || link->stream->error;
}

/* Nothing more is to be said: what was goes out, then the peer's end is awaited. */
static void end(struct ws_link *link) {
  if (link->state >= WS_ENDED)
    return;
  begin_closing(link);
  if (link->state >= WS_ENDED)
    return;
  link->state = WS_ENDED;
  flush_soon(link);
  wake_receiver(link);
  wake_all(&link->drainers);
}

static void finish_ending(struct ws_link *link) {
  struct stream *stream = link->stream;
  if (peer_has_ended(link)) {
    stream_drop(stream, stream->error != 0);
  } else if (!stream->shut) {
    stream->shut = true;
    if (stream->transport->shutdown(stream) < 0 && link->stream)
      stream_drop(stream, true);
  }
}

static void stop_timers(struct ws_link *link) {
  struct heap *timers = &loop_of(link)->timers;
  timer_stop(timers, &link->closing);
  timer_stop(timers, &link->keepalive);
}

void ws_link_abort(struct ws_link *link) {
  if (!link->stream)
    return;
  if (link->state < WS_ENDED)
    link->state = WS_ENDED;
  stop_timers(link);
  list_remove(&link->flush.link);
  buffer_free(&link->output);
  stream_drop(link->stream, true);
}

static void fail(struct ws_link *link, unsigned code, const char *reason, size_t size) {
  if (link->ours.code == 0)
    ws_link_close(link, code, reason, size);
  end(link);
}

static void free_if_done(struct ws_link *link) {
  if (!link->orphan || link->stream)
    return;
  ws_inbox_free(&link->inbox);
  free(link->ours.reason);
  free(link->theirs.reason);
  buffer_free(&link->output);
  ws_codec_free(&link->codec);
  if (link->compression) {
    ws_deflater_free(&link->compression->deflater);
    ws_inflater_free(&link->compression->inflater);
    free(link->compression);
  }
  free(link);
}

static void on_closed(struct consumer *consumer) {
  struct ws_link *link = link_of(consumer);
  stop_timers(link);
  list_remove(&link->flush.link);
  buffer_free(&link->output);
  link->stream = NULL;
  link->state = WS_CLOSED;
  if (!link->got_close && link->ours.code == 0)
    remember(&link->ours, WS_ABNORMAL, NULL, 0);
  wake_receiver(link);
  wake_all(&link->drainers);
  wake_all(&link->closers);
  free_if_done(link);
}

void ws_link_release(struct ws_link *link) {
  link->orphan = true;
  if (link->stream)
    ws_link_abort(link);
  else
    free_if_done(link);
}

/* --- Receiving ---------------------------------------------------------------- */

/* The inbox may be full, if has_room does not mind. */
static void keep_message(struct ws_link *link, const struct ws_event *event, const char *bytes,
                         size_t size) {
  static const char why[] = "no memory for a message";
  bool kept = link->codec.options.streaming
                  ? ws_inbox_put_piece(&link->inbox, bytes, size, event->text, event->last)
                  : ws_inbox_put(&link->inbox, bytes, size, event->text);
  if (!kept)
    fail(link, WS_SERVER_FAULT, why, sizeof why - 1);
  else if (link->inbox.count > 0)
    wake_receiver(link);
}

static void fail_inflating(struct ws_link *link, enum ws_deflate_result result) {
  static const char broken[] = "the compressed data is broken", big[] = "the message is too big",
                    memory[] = "no memory for a message";
  if (result == WS_DEFLATE_BROKEN)
    fail(link, WS_BAD_DATA, broken, sizeof broken - 1);
  else if (result == WS_DEFLATE_TOO_BIG)
    fail(link, WS_TOO_BIG, big, sizeof big - 1);
  else
    fail(link, WS_SERVER_FAULT, memory, sizeof memory - 1);
}

/* The text is UTF-8 up to here. */
static bool is_text(struct ws_utf8 *utf8, const struct ws_event *event,
                    const struct buffer *inflated) {
  if (event->first)
    *utf8 = (struct ws_utf8){0};
  return ws_utf8_feed(utf8, buffer_front(inflated), buffer_size(inflated)) &&
         (!event->last || ws_utf8_complete(utf8));
}

/* The codec leaves to us what it cannot know of a compressed message. */
static void take_compressed(struct ws_link *link, const struct ws_event *event) {
  static const char no_text[] = "the text is not UTF-8";
  struct buffer inflated;
  buffer_init(&inflated);
  enum ws_deflate_result result =
      ws_inflate(&link->compression->inflater, event->bytes, event->size, event->last, &inflated);
  if (result != WS_DEFLATE_GOOD)
    fail_inflating(link, result);
  else if (event->text && !is_text(&link->compression->utf8, event, &inflated))
    fail(link, WS_BAD_DATA, no_text, sizeof no_text - 1);
  else
    keep_message(link, event, buffer_front(&inflated), buffer_size(&inflated));
  buffer_free(&inflated);
}

static void take_message(struct ws_link *link, const struct ws_event *event) {
  if (event->compressed)
    take_compressed(link, event);
  else
    keep_message(link, event, event->bytes, event->size);
}

/* A peer that does not read gets the newest answer only. */
static void take_ping(struct ws_link *link, const struct ws_event *event) {
  link->pong_owed = ws_link_queued(link) > MOST_UNSENT;
  if (link->pong_owed) {
    link->pong_size = (uint8_t)event->size;
    memcpy(link->pong, event->bytes, event->size);
  } else {
    append(link, WS_FIN | WS_PONG, event->bytes, event->size);
  }
}

static void take_pong(struct ws_link *link, const struct ws_event *event) {
  if (link->pinged == 0 || event->size != sizeof link->pings ||
      memcmp(event->bytes, &link->pings, event->size) != 0)
    return;
  link->latency = link->heard - link->pinged;
  link->pinged = 0;
}

static void take_close(struct ws_link *link, const struct ws_event *event) {
  link->got_close = true;
  remember(&link->theirs, event->code, event->bytes, event->size);
  if (link->sent_close)
    end(link);
  else
    ws_link_close(link, event->code, NULL, 0);
}

static void take_event(struct ws_link *link, const struct ws_event *event) {
  switch (event->kind) {
  case WS_GOT_MESSAGE:
    take_message(link, event);
    break;
  case WS_GOT_PING:
    take_ping(link, event);
    break;
  case WS_GOT_PONG:
    take_pong(link, event);
    break;
  case WS_GOT_CLOSE:
    take_close(link, event);
    break;
  case WS_GOT_FAILURE:
    fail(link, event->code, event->bytes, event->size);
    break;
  }
}

/* Whether to read on. Who has sent a Close and waits for the peer's must not be held up
 * by messages that nobody takes. */
static bool has_room(const struct ws_link *link) {
  return !ws_inbox_full(&link->inbox) || link->discards;
}

static void read_frames(struct ws_link *link) {
  struct buffer *buffer = &link->stream->input;
  struct ws_input input = {buffer->bytes, buffer_size(buffer)};
  struct ws_event event;
  if (input.bytes)
    input.bytes += buffer->start;
  size_t size = input.size;
  link->reading = true;
  while (has_room(link) && link->state < WS_ENDED && ws_codec_next(&link->codec, &input, &event))
    take_event(link, &event);
  link->reading = false;
  if (link->stream)
    stream_consume(link->stream, size - input.size);
}

static void discard(struct ws_link *link) {
  stream_consume(link->stream, buffer_size(&link->stream->input));
}

/* No more will come. */
static void peer_ended(struct ws_link *link) {
  int error = link->stream->error;
  const char *why = error ? uv_strerror(error) : "";
  if (!link->got_close && link->ours.code == 0)
    remember(&link->ours, WS_ABNORMAL, why, strlen(why));
  if (link->state == WS_ENDED)
    flush_soon(link);
  end(link);
}

void ws_link_read(struct ws_link *link) {
  if (!link->stream || link->reading)
    return;
  if (link->state < WS_ENDED)
    read_frames(link);
  if (link->stream && link->state >= WS_ENDED)
    discard(link);
  if (link->stream && peer_has_ended(link) && buffer_size(&link->stream->input) == 0)
    peer_ended(link);
}

void ws_link_stream(struct ws_link *link) {
  ws_codec_stream(&link->codec, true);
  ws_link_read(link);
}

void ws_link_discard(struct ws_link *link) {
  link->discards = true;
  ws_link_read(link);
}

struct ws_message *ws_link_take(struct ws_link *link) {
  if (ws_inbox_full(&link->inbox) && link->probing)
    link->heard = now(link); /* we have not listened: silence counts from now */
  return ws_inbox_take(&link->inbox);
}

/* --- Opening ------------------------------------------------------------------ */

static void on_input(struct consumer *consumer) {
  struct ws_link *link = link_of(consumer);
  link->heard = now(link);
  ws_link_read(link);
  if (ws_link_failure(link) < 0)
    wake_all(&link->drainers);
}

/* Less is queued. */
static void room_made(struct ws_link *link) {
  if (link->pong_owed && ws_link_queued(link) <= MOST_UNSENT) {
    link->pong_owed = false;
    append(link, WS_FIN | WS_PONG, link->pong, link->pong_size);
  }
  if (ws_link_queued(link) <= WS_LOW_WATER)
    wake_all(&link->drainers);
}

static void on_written(struct consumer *consumer) {
  room_made(link_of(consumer));
}

void ws_link_open(lua_State *L, int index, struct ws_link *link, const struct ws_options *options) {
  link->consumer = (struct consumer){on_input, on_written, on_closed};
  link->scheduler = scheduler_of(L);
  link->flush.run = flush_job;
  link->latency = -1;
  list_init(&link->flush.link);
  list_init(&link->drainers);
  list_init(&link->closers);
  buffer_init(&link->output);
  ws_codec_init(&link->codec, options);
  link->heard = now(link);
  link->stream = stream_take(L, index, &link->consumer);
}

/* --- Keepalive ---------------------------------------------------------------- */

static void start_keepalive(struct ws_link *link, int64_t period) {
  if (!timer_start(&loop_of(link)->timers, &link->keepalive, now(link) + period))
    ws_link_abort(link);
}

/* It goes out at once: a loop that is blocked by the next task must not find later that
 * the peer has not answered. */
static void send_ping(struct ws_link *link) {
  link->pings++;
  link->pinged = now(link);
  append(link, WS_FIN | WS_PING, (const char *)&link->pings, sizeof link->pings);
  flush(link);
  if (link->state != WS_OPEN)
    return;
  link->probing = link->ping_timeout > 0;
  start_keepalive(link, link->probing ? link->ping_timeout : link->ping_interval);
}

/* Any byte counts as life. With a full queue it is us who do not listen. */
static bool peer_is_silent(const struct ws_link *link) {
  return link->heard < link->pinged && has_room(link);
}

static void keepalive_due(struct timer *timer) {
  static const char why[] = "keepalive: no answer to a ping in time";
  struct ws_link *link = list_entry(timer, struct ws_link, keepalive);
  int64_t rest = link->probing ? link->ping_interval - link->ping_timeout : 0;
  if (link->probing && peer_is_silent(link)) {
    fail(link, WS_SERVER_FAULT, why, sizeof why - 1);
    return;
  }
  link->probing = false;
  if (rest > 0)
    start_keepalive(link, rest);
  else
    send_ping(link);
}

void ws_link_keep_alive(struct ws_link *link) {
  timer_stop(&loop_of(link)->timers, &link->keepalive);
  link->probing = false;
  if (link->ping_interval == 0 || link->state != WS_OPEN)
    return;
  link->keepalive.fire = keepalive_due;
  start_keepalive(link, link->ping_interval);
}
