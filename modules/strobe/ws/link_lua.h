/* A link: one WebSocket on top of a stream, from the end of the handshake to the end of
 * the connection. It knows no Lua values; connection_lua.c shows it to Lua.
 *
 * Messages that came wait in a bounded queue; when that is full the stream is not read
 * on. Pings are answered here, whatever the tasks do. What is sent in one turn of the
 * loop goes out in one piece ("corking").
 *
 * It ends in steps: open; closing, once a Close was sent or came; ended, when both were
 * or something failed: then nothing more is sent, and what comes is thrown away until
 * the peer has ended too, or `close_timeout` is over; closed.
 */
#ifndef STROBE_WS_LINK_LUA_H
#define STROBE_WS_LINK_LUA_H

#include "core/io/stream.h"
#include "modules/strobe/ws/close.h"
#include "modules/strobe/ws/codec.h"
#include "modules/strobe/ws/deflate.h"
#include "modules/strobe/ws/encoded.h"
#include "modules/strobe/ws/inbox.h"
#include "modules/strobe/ws/key.h"

/* Bytes that are to go: whoever sends waits above the first until there is the second. */
enum { WS_HIGH_WATER = 32 * 1024, WS_LOW_WATER = 8 * 1024 };

/* permessage-deflate, when both sides agreed on it. */
struct ws_compression {
  struct ws_deflater deflater;
  struct ws_inflater inflater;
  struct ws_utf8 utf8; /* of the text that is inflated */
  size_t threshold;    /* smaller messages are sent as they are */
};

enum ws_state { WS_OPEN, WS_CLOSING, WS_ENDED, WS_CLOSED };

/* How it ended, as the side that speaks of it saw it. */
struct ws_ending {
  uint16_t code; /* 0 as long as there is none */
  uint16_t reason_size;
  char *reason; /* allocated, or NULL */
};

struct ws_link {
  struct stream *stream; /* NULL once it has closed */
  struct consumer consumer;
  struct scheduler *scheduler;
  struct ws_keys *keys; /* of the loop; for clients */
  struct ws_codec codec;
  struct ws_compression *compression; /* the link's, or NULL */
  enum ws_state state;
  struct buffer output; /* frames of this turn */
  struct job flush;     /* … which it writes */
  struct ws_inbox inbox;
  struct task *receiver;
  bool fragmented;               /* a message is being sent in fragments, */
  bool deflates;                 /* … compressed, */
  struct ws_utf8 sent;           /* … a text up to here */
  struct list drainers, closers; /* jobs of tasks that wait for room, and for the end */
  struct timer closing;          /* ends what the peer does not */
  struct timer keepalive;
  int64_t close_timeout, ping_interval, ping_timeout; /* nanoseconds; 0 = never */
  int64_t heard;                                      /* loop time of the last byte */
  int64_t pinged;  /* … of the ping that is not answered yet, or 0 */
  int64_t latency; /* of the last answered one, or -1 */
  uint64_t pings;  /* sent by keepalive: their payload */
  bool probing;    /* keepalive waits for an answer, else for the time to ping */
  bool pong_owed;  /* the newest ping that could not be answered yet */
  uint8_t pong_size;
  char pong[WS_CONTROL_MAX];
  bool reading;  /* frames, now */
  bool discards; /* messages for which there is no room */
  bool sent_close, got_close, orphan;
  struct ws_ending ours, theirs;
};

/* Takes the stream over. The link is the caller's, in zeroed memory; also when this
 * raises, ws_link_release frees it. [-0, +0, v] */
void ws_link_open(lua_State *L, int index, struct ws_link *link, const struct ws_options *options);

/* Reads what is there, as far as there is room for messages: at first, and whenever one
 * was taken. */
void ws_link_read(struct ws_link *link);

/* Hands out pieces of messages as they come, from now on. */
void ws_link_stream(struct ws_link *link);

/* Throws away messages for which there is no room, from now on. */
void ws_link_discard(struct ws_link *link);

/* Why nothing can be sent: UV_EPIPE once it has ended, or what has broken the stream; 0. */
int ws_link_failure(const struct ws_link *link);

/* Sends a whole message or a control frame. 0, ws_link_failure, UV_EPIPE once a Close was
 * sent, UV_EBUSY inside a message of fragments, UV_ENOMEM, or UV_EIO without a key. */
int ws_link_send(struct ws_link *link, unsigned opcode, const char *payload, size_t size);

/* Sends a part of a message: until the last one, only control frames come between. As
 * ws_link_send; UV_EILSEQ for a text that is not UTF-8 up to here. */
int ws_link_send_fragment(struct ws_link *link, bool text, const char *payload, size_t size,
                          bool last);

/* Sends a message that was encoded before; for servers. As ws_link_send. */
int ws_link_send_encoded(struct ws_link *link, struct ws_encoded *encoded);

/* Sends a Close, if none was sent. Without memory for one it ends without. */
void ws_link_close(struct ws_link *link, unsigned code, const char *reason, size_t size);

/* The oldest message, which is the caller's to free; NULL when there is none. */
struct ws_message *ws_link_take(struct ws_link *link);

/* Bytes that were sent and are not on their way. */
size_t ws_link_queued(const struct ws_link *link);

/* Starts, or stops, looking after a silent peer. */
void ws_link_keep_alive(struct ws_link *link);

/* Closes at once. */
void ws_link_abort(struct ws_link *link);

/* Nobody needs it any more: it is freed when it has closed. */
void ws_link_release(struct ws_link *link);

#endif
