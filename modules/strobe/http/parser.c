#include "modules/strobe/http/parser.h"

#include "modules/strobe/http/guard.h"

#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

enum stage {
  AT_START,    /* no byte of a message yet */
  AT_HEAD,     /* gathering it */
  AT_DECISION, /* the head was told; what follows is up to the caller */
  AT_BODY,
  AT_MESSAGE_END,
  AT_END
};

/* What a step of reading came to. */
enum step { GO_ON, NEED_INPUT, EVENT };

/* What one plain chunk needs outside its data: two line ends and eight digits. */
enum { FRAMING_OF_CHUNK = 12 };

struct http_parser {
  enum http_kind kind;
  enum stage stage;
  struct http_guard guard;
  struct buffer gathered; /* the head, as it comes */
  struct http_head head;
  llhttp_t llhttp;
  /* What the callbacks saw. */
  bool too_many_fields, head_done, message_done, chunk_begun;
  struct http_text body;
  /* Of a body. */
  bool until_end;      /* the link's end is its end */
  uint64_t chunk_left; /* bytes of the chunk */
  size_t framing;      /* bytes outside the chunks */
};

static const struct http_fault out_of_memory = {503, "out of memory"};
static const struct http_fault long_line = {414, "first line longer than 16 KiB"};
static const struct http_fault long_head = {431, "head longer than 16 KiB"};
static const struct http_fault many_fields = {431, "more than 100 fields"};
static const struct http_fault long_framing = {431, "more than 16 KiB outside the chunks"};
static const struct http_fault cut_short = {400, "message cut short"};

/* --- Events --------------------------------------------------------------------------------- */

static enum step tell(struct http_parser *parser, struct http_event *event,
                      enum http_event_kind kind) {
  *event = (struct http_event){.kind = kind, .head = &parser->head};
  return EVENT;
}

static enum step fail(struct http_parser *parser, struct http_event *event,
                      const struct http_fault *fault) {
  bool in_head = parser->stage == AT_HEAD;
  *event = (struct http_event){.kind = HTTP_GOT_FAILURE,
                               .status = fault->status,
                               .bytes = fault->text,
                               .size = strlen(fault->text),
                               .head = in_head ? NULL : &parser->head};
  parser->stage = AT_END;
  return EVENT;
}

/* --- What llhttp tells ---------------------------------------------------------------------- */

static struct http_parser *parser_of(llhttp_t *llhttp) {
  return llhttp->data;
}

/* llhttp was given the whole head at once, so what it tells in pieces is contiguous. */
static void extend(const struct http_parser *parser, struct http_slice *slice, const char *at,
                   size_t size) {
  if (slice->size == 0)
    slice->start = (uint16_t)(at - parser->head.bytes);
  slice->size = (uint16_t)(slice->size + size);
}

static int on_url(llhttp_t *llhttp, const char *at, size_t size) {
  struct http_parser *parser = parser_of(llhttp);
  extend(parser, &parser->head.target, at, size);
  return 0;
}

/* Trailers come by the same callbacks; they must never look like fields of the head. */
static int on_header_field(llhttp_t *llhttp, const char *at, size_t size) {
  struct http_parser *parser = parser_of(llhttp);
  if (parser->head_done)
    return 0;
  parser->too_many_fields = parser->head.field_count == HTTP_FIELDS_MAX;
  if (parser->too_many_fields)
    return -1;
  extend(parser, &parser->head.fields[parser->head.field_count].name, at, size);
  return 0;
}

static int on_header_field_complete(llhttp_t *llhttp) {
  struct http_parser *parser = parser_of(llhttp);
  if (!parser->head_done)
    parser->head.field_count++;
  return 0;
}

static int on_header_value(llhttp_t *llhttp, const char *at, size_t size) {
  struct http_parser *parser = parser_of(llhttp);
  if (!parser->head_done)
    extend(parser, &parser->head.fields[parser->head.field_count - 1].value, at, size);
  return 0;
}

static int on_headers_complete(llhttp_t *llhttp) {
  parser_of(llhttp)->head_done = true;
  return HPE_PAUSED;
}

static int on_body(llhttp_t *llhttp, const char *at, size_t size) {
  parser_of(llhttp)->body = (struct http_text){at, size};
  return 0;
}

static int on_chunk_header(llhttp_t *llhttp) {
  parser_of(llhttp)->chunk_begun = true;
  return HPE_PAUSED;
}

/* Without a pause here, llhttp would go on with a head that has not passed the guard. */
static int on_message_complete(llhttp_t *llhttp) {
  parser_of(llhttp)->message_done = true;
  return HPE_PAUSED;
}

static const llhttp_settings_t callbacks = {
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_field_complete = on_header_field_complete,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_chunk_header = on_chunk_header,
    .on_message_complete = on_message_complete,
};

/* Lets llhttp read until it pauses; stores how far it came. False when it refuses. */
static bool run(struct http_parser *parser, const char *bytes, size_t size, size_t *used) {
  llhttp_t *llhttp = &parser->llhttp;
  llhttp_resume(llhttp);
  llhttp_errno_t error = llhttp_execute(llhttp, bytes, size);
  *used = error == HPE_OK ? size : (size_t)(llhttp_get_error_pos(llhttp) - bytes);
  return error == HPE_OK || error == HPE_PAUSED;
}

static struct http_fault llhttp_fault(const struct http_parser *parser) {
  const char *reason = llhttp_get_error_reason(&parser->llhttp);
  return (struct http_fault){400, reason && reason[0] ? reason : "malformed message"};
}

/* --- The head ------------------------------------------------------------------------------- */

static enum step begin(struct http_parser *parser, const struct http_input *input) {
  if (input->size == 0)
    return NEED_INPUT;
  buffer_take(&parser->gathered, buffer_size(&parser->gathered));
  http_guard_init(&parser->guard, parser->kind == HTTP_REQUESTS ? 1 : 0);
  parser->head = (struct http_head){.size = 0};
  parser->head_done = parser->message_done = parser->chunk_begun = parser->until_end = false;
  parser->chunk_left = parser->framing = 0;
  llhttp_init(&parser->llhttp, parser->kind == HTTP_REQUESTS ? HTTP_REQUEST : HTTP_RESPONSE,
              &callbacks);
  parser->llhttp.data = parser;
  parser->stage = AT_HEAD;
  return GO_ON;
}

/* These end with their head, whatever that says (RFC 9112, section 6.3). */
static bool has_no_body(unsigned status) {
  return status / 100 == 1 || status == 204 || status == 304;
}

/* How long the body is, and whether the link lives on behind it. */
static void settle(struct http_parser *parser) {
  struct http_head *head = &parser->head;
  unsigned flags = parser->llhttp.flags;
  parser->until_end = parser->kind == HTTP_RESPONSES && !(flags & F_SKIPBODY) && !head->chunked &&
                      !head->has_length;
  bool stays = head->minor > 0 || flags & F_CONNECTION_KEEP_ALIVE;
  head->keep_alive = stays && !(flags & F_CONNECTION_CLOSE) && !parser->until_end;
}

static void take_over(struct http_parser *parser) {
  struct http_head *head = &parser->head;
  llhttp_t *llhttp = &parser->llhttp;
  head->has_length = llhttp->flags & F_CONTENT_LENGTH;
  head->content_length = llhttp->content_length;
  head->upgrade = llhttp->upgrade;
  if (parser->kind == HTTP_RESPONSES && has_no_body(head->status))
    llhttp->flags |= F_SKIPBODY;
  settle(parser);
}

static enum step parse_head(struct http_parser *parser, struct http_event *event) {
  struct http_head *head = &parser->head;
  const struct http_fault *fault = NULL;
  size_t used;
  head->bytes = buffer_front(&parser->gathered) + parser->guard.skipped;
  head->size = buffer_size(&parser->gathered) - parser->guard.skipped;
  if (parser->kind == HTTP_REQUESTS)
    fault = http_head_check_method(head);
  if (fault)
    return fail(parser, event, fault);
  if (!run(parser, head->bytes, head->size, &used) || used != head->size || !parser->head_done) {
    struct http_fault refused = llhttp_fault(parser);
    return fail(parser, event, parser->too_many_fields ? &many_fields : &refused);
  }
  head->status = parser->llhttp.status_code;
  fault = http_head_check(head, parser->kind);
  if (fault)
    return fail(parser, event, fault);
  take_over(parser);
  parser->stage = AT_DECISION;
  return tell(parser, event, HTTP_GOT_HEAD);
}

static enum step read_head(struct http_parser *parser, struct http_input *input,
                           struct http_event *event) {
  size_t room = HTTP_HEAD_MAX - parser->guard.seen, used;
  enum http_guard_result result =
      http_guard_feed(&parser->guard, input->bytes, input->size < room ? input->size : room, &used);
  if (!buffer_append(&parser->gathered, input->bytes, used))
    return fail(parser, event, &out_of_memory);
  input->bytes += used;
  input->size -= used;
  if (result == HTTP_GUARD_REFUSED)
    return fail(parser, event, &(struct http_fault){400, http_guard_reason(&parser->guard)});
  if (result == HTTP_GUARD_WHOLE)
    return parse_head(parser, event);
  if (parser->guard.seen < HTTP_HEAD_MAX)
    return NEED_INPUT;
  return fail(parser, event, parser->guard.lines > 0 ? &long_head : &long_line);
}

/* --- The body ------------------------------------------------------------------------------- */

/* Another protocol was not taken: llhttp goes on, to the end of the message if there is no
 * body. */
static enum step leave_head(struct http_parser *parser, struct http_event *event) {
  size_t used;
  parser->llhttp.upgrade = 0;
  parser->stage = AT_BODY;
  if (!run(parser, parser->head.bytes + parser->head.size, 0, &used)) {
    struct http_fault refused = llhttp_fault(parser);
    return fail(parser, event, &refused);
  }
  if (parser->message_done)
    parser->stage = AT_MESSAGE_END;
  return GO_ON;
}

/* How much llhttp may see at once. Of a chunked body, either framing up to the limit or the
 * data of one chunk: so the limit is met at the same byte however the bytes come. */
static size_t bound(const struct http_parser *parser, size_t size) {
  uint64_t most = size;
  if (parser->head.chunked)
    most = parser->chunk_left > 0 ? parser->chunk_left : HTTP_FRAMING_MAX + 1 - parser->framing;
  return most < size ? (size_t)most : size;
}

/* Counts what was read of a chunked body. A plain chunk is free, so that a stream of small
 * ones may last. */
static void count(struct http_parser *parser, size_t used) {
  if (parser->chunk_left > 0)
    parser->chunk_left -= used;
  else
    parser->framing += used;
  if (!parser->chunk_begun || parser->framing > HTTP_FRAMING_MAX)
    return;
  parser->chunk_begun = false;
  parser->chunk_left = parser->llhttp.content_length;
  parser->framing -= parser->framing < FRAMING_OF_CHUNK ? parser->framing : FRAMING_OF_CHUNK;
}

static enum step read_body(struct http_parser *parser, struct http_input *input,
                           struct http_event *event) {
  size_t used;
  if (input->size == 0)
    return NEED_INPUT;
  parser->body = (struct http_text){NULL, 0};
  if (!run(parser, input->bytes, bound(parser, input->size), &used)) {
    struct http_fault refused = llhttp_fault(parser);
    return fail(parser, event, &refused);
  }
  input->bytes += used;
  input->size -= used;
  if (parser->head.chunked)
    count(parser, used);
  if (parser->framing > HTTP_FRAMING_MAX)
    return fail(parser, event, &long_framing);
  if (parser->message_done)
    parser->stage = AT_MESSAGE_END;
  if (parser->body.size == 0)
    return GO_ON;
  tell(parser, event, HTTP_GOT_BODY);
  event->bytes = parser->body.bytes;
  event->size = parser->body.size;
  return EVENT;
}

static enum step end_message(struct http_parser *parser, struct http_event *event) {
  parser->stage = parser->head.keep_alive ? AT_START : AT_END;
  return tell(parser, event, HTTP_GOT_END);
}

/* --- The interface -------------------------------------------------------------------------- */

struct http_parser *http_parser_new(enum http_kind kind) {
  struct http_parser *parser = calloc(1, sizeof *parser);
  if (!parser)
    return NULL;
  parser->kind = kind;
  buffer_init(&parser->gathered);
  return parser;
}

void http_parser_free(struct http_parser *parser) {
  if (!parser)
    return;
  buffer_free(&parser->gathered);
  free(parser);
}

static enum step step(struct http_parser *parser, struct http_input *input,
                      struct http_event *event) {
  switch (parser->stage) {
  case AT_START:
    return begin(parser, input);
  case AT_HEAD:
    return read_head(parser, input, event);
  case AT_DECISION:
    return leave_head(parser, event);
  case AT_BODY:
    return read_body(parser, input, event);
  case AT_MESSAGE_END:
    return end_message(parser, event);
  case AT_END:
    break;
  }
  return NEED_INPUT;
}

bool http_parser_next(struct http_parser *parser, struct http_input *input,
                      struct http_event *event) {
  enum step result;
  do
    result = step(parser, input, event);
  while (result == GO_ON);
  return result == EVENT;
}

void http_parser_skip_body(struct http_parser *parser) {
  if (parser->stage != AT_DECISION)
    return;
  parser->llhttp.flags |= F_SKIPBODY;
  settle(parser);
}

void http_parser_take(struct http_parser *parser) {
  parser->stage = AT_END;
}

bool http_parser_finish(struct http_parser *parser, struct http_event *event) {
  if (parser->stage == AT_END || http_parser_idle(parser))
    parser->stage = AT_END;
  else if (parser->stage == AT_BODY && parser->until_end)
    return end_message(parser, event) == EVENT;
  else
    return fail(parser, event, &cut_short) == EVENT;
  return false;
}

bool http_parser_idle(const struct http_parser *parser) {
  return parser->stage == AT_START ||
         (parser->stage == AT_HEAD && parser->guard.seen == parser->guard.skipped);
}
