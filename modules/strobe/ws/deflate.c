#include "modules/strobe/ws/deflate.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* What zlib hands out at a time. On the stack, so there is no other memory to bound. */
enum { STEP = 16 * 1024 };

/* What ends every flush: the length of a stored block without bytes. */
enum { TAIL_SIZE = 4 };
static const char tail[TAIL_SIZE] = {0, 0, (char)0xff, (char)0xff};

/* zlib counts what it is given in an unsigned int. */
static uInt give(z_stream *stream, const char *bytes, size_t size) {
  uInt given = size < INT_MAX ? (uInt)size : INT_MAX;
  stream->next_in = (z_const Bytef *)bytes;
  stream->avail_in = given;
  return given;
}

static z_stream *stream_new(void) {
  return calloc(1, sizeof(z_stream));
}

/* --- To send ------------------------------------------------------------------------------ */

void ws_deflater_init(struct ws_deflater *deflater, const struct ws_deflater_options *options) {
  *deflater = (struct ws_deflater){.options = *options};
}

void ws_deflater_free(struct ws_deflater *deflater) {
  if (deflater->stream)
    deflateEnd(deflater->stream);
  free(deflater->stream);
  deflater->stream = NULL;
}

static bool deflater_open(struct ws_deflater *deflater) {
  const struct ws_deflater_options *options = &deflater->options;
  /* zlib takes a minus as "no header". */
  int bits = -(int)options->window_bits;
  z_stream *stream = stream_new();
  if (stream && deflateInit2(stream, options->level, Z_DEFLATED, bits, options->mem_level,
                             Z_DEFAULT_STRATEGY) == Z_OK) {
    deflater->stream = stream;
    return true;
  }
  free(stream);
  return false;
}

/* Deflates what zlib was given to its last bit. */
static bool deflate_flush(z_stream *stream, int flush, struct buffer *out) {
  char step[STEP];
  do {
    stream->next_out = (Bytef *)step;
    stream->avail_out = STEP;
    /* The only possible error, Z_BUF_ERROR, says that nothing was left to do. */
    deflate(stream, flush);
    if (!buffer_append(out, step, STEP - stream->avail_out))
      return false;
  } while (stream->avail_out == 0);
  return true;
}

static bool deflate_piece(struct ws_deflater *deflater, const char *bytes, size_t size, bool last,
                          struct buffer *out) {
  size_t before = buffer_size(out);
  do {
    uInt given = give(deflater->stream, bytes, size);
    if (!deflate_flush(deflater->stream, given < size ? Z_NO_FLUSH : Z_SYNC_FLUSH, out))
      return false;
    bytes += given;
    size -= given;
  } while (size > 0);
  if (!last)
    return true;
  /* A second flush, after nothing, is empty; it is then the block's first byte. */
  if (buffer_size(out) == before)
    return buffer_append(out, "", 1);
  out->end -= TAIL_SIZE;
  return true;
}

enum ws_deflate_result ws_deflate(struct ws_deflater *deflater, const char *bytes, size_t size,
                                  bool last, struct buffer *out) {
  if (!deflater->failed && (deflater->stream || deflater_open(deflater)) &&
      deflate_piece(deflater, bytes, size, last, out)) {
    if (last && !deflater->options.takeover)
      deflateReset(deflater->stream);
    return WS_DEFLATE_GOOD;
  }
  deflater->failed = true;
  ws_deflater_free(deflater);
  return WS_DEFLATE_NO_MEMORY;
}

void ws_deflater_forget(struct ws_deflater *deflater) {
  if (deflater->stream)
    deflateReset(deflater->stream);
}

/* --- To receive --------------------------------------------------------------------------- */

void ws_inflater_init(struct ws_inflater *inflater, unsigned window_bits, bool takeover,
                      size_t limit) {
  /* Peers whose zlib makes 9 of 8 exist. */
  if (window_bits < WS_WINDOW_DEFLATE_MIN)
    window_bits = WS_WINDOW_DEFLATE_MIN;
  *inflater = (struct ws_inflater){
      .window_bits = (uint8_t)window_bits, .takeover = takeover, .limit = limit};
}

void ws_inflater_free(struct ws_inflater *inflater) {
  if (inflater->stream)
    inflateEnd(inflater->stream);
  free(inflater->stream);
  inflater->stream = NULL;
}

static bool inflater_open(struct ws_inflater *inflater) {
  z_stream *stream = stream_new();
  if (stream && inflateInit2(stream, -(int)inflater->window_bits) == Z_OK) {
    inflater->stream = stream;
    return true;
  }
  free(stream);
  return false;
}

static enum ws_deflate_result result_of(int status) {
  return status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR ? WS_DEFLATE_GOOD
         : status == Z_MEM_ERROR                                           ? WS_DEFLATE_NO_MEMORY
                                                                           : WS_DEFLATE_BROKEN;
}

/* One step of output. A byte beyond the limit shows that there is more. */
static enum ws_deflate_result inflate_step(struct ws_inflater *inflater, struct buffer *out) {
  char step[STEP];
  z_stream *stream = inflater->stream;
  size_t left = inflater->limit - inflater->inflated;
  uInt room = left < STEP ? (uInt)left + 1 : STEP;
  stream->next_out = (Bytef *)step;
  stream->avail_out = room;
  int status = inflate(stream, Z_SYNC_FLUSH);
  size_t made = room - stream->avail_out;
  if (made > left)
    return WS_DEFLATE_TOO_BIG;
  inflater->inflated += made;
  if (!buffer_append(out, step, made))
    return WS_DEFLATE_NO_MEMORY;
  /* A block may say that it is the last one. More blocks follow all the same, and refer to
   * the bytes before it: the window stays. A peer may do so every two bytes, so no copy of
   * the window is made. */
  if (status == Z_STREAM_END)
    inflateResetKeep(stream);
  return result_of(status);
}

static enum ws_deflate_result inflate_all(struct ws_inflater *inflater, const char *bytes,
                                          size_t size, struct buffer *out) {
  enum ws_deflate_result result;
  z_stream *stream = inflater->stream;
  while (size > 0) {
    uInt given = give(stream, bytes, size);
    do
      result = inflate_step(inflater, out);
    while (result == WS_DEFLATE_GOOD && (stream->avail_in > 0 || stream->avail_out == 0));
    if (result != WS_DEFLATE_GOOD)
      return result;
    bytes += given;
    size -= given;
  }
  return WS_DEFLATE_GOOD;
}

/* Puts the tail back. A whole message stops just before the length of a stored block; zlib
 * takes the tail anywhere, and makes up bytes from it. Nor does a message of no bytes stop
 * there, which would spoil the next one. */
static enum ws_deflate_result inflate_tail(struct ws_inflater *inflater, struct buffer *out) {
  if (!inflateSyncPoint(inflater->stream))
    return WS_DEFLATE_BROKEN;
  enum ws_deflate_result result = inflate_all(inflater, tail, TAIL_SIZE, out);
  inflater->inflated = 0;
  if (!inflater->takeover)
    inflateReset(inflater->stream);
  return result;
}

static enum ws_deflate_result inflate_piece(struct ws_inflater *inflater, const char *bytes,
                                            size_t size, bool last, struct buffer *out) {
  if (inflater->failed)
    return WS_DEFLATE_BROKEN;
  if (!inflater->stream && !inflater_open(inflater))
    return WS_DEFLATE_NO_MEMORY;
  enum ws_deflate_result result = inflate_all(inflater, bytes, size, out);
  return result == WS_DEFLATE_GOOD && last ? inflate_tail(inflater, out) : result;
}

enum ws_deflate_result ws_inflate(struct ws_inflater *inflater, const char *bytes, size_t size,
                                  bool last, struct buffer *out) {
  enum ws_deflate_result result = inflate_piece(inflater, bytes, size, last, out);
  if (result != WS_DEFLATE_GOOD) {
    inflater->failed = true;
    ws_inflater_free(inflater);
  }
  return result;
}
