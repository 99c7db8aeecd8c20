#include "core/io/transfer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Input and output are paused above the first and resumed below the second. */
enum { HIGH_WATER = 64 * 1024, LOW_WATER = 16 * 1024 };

/* --- libcurl's callbacks ---------------------------------------------------------- */

static size_t fail(struct transfer *transfer, enum transfer_failure failure) {
  transfer->failure = failure;
  return 0; /* less than what came: libcurl gives up */
}

static bool is_status_line(const char *line, size_t size) {
  return size >= 5 && memcmp(line, "HTTP/", 5) == 0;
}

/* 100 to 199: the real head comes after it. */
static bool is_interim(const struct buffer *head) {
  const char *space = memchr(buffer_front(head), ' ', buffer_size(head));
  size_t at = space ? (size_t)(space - buffer_front(head)) : 0;
  return space && at + 1 < buffer_size(head) && space[1] == '1';
}

static void end_head(struct transfer *transfer) {
  if (is_interim(&transfer->head)) {
    buffer_free(&transfer->head);
    return;
  }
  transfer->head_over = true;
  transfer->changed(transfer);
}

/* libcurl takes the last of several lengths; who stands between us and the server may have
 * taken another. RFC 9112, section 6.3 */
static bool contradicts(struct transfer *transfer, const char *line, size_t size) {
  static const char name[] = "content-length:";
  size_t from = sizeof name - 1;
  char digits[24] = "";
  if (size <= from || strncasecmp(line, name, from) != 0)
    return false;
  while (from < size && (line[from] == ' ' || line[from] == '\t'))
    from++;
  size_t most = sizeof digits - 1;
  memcpy(digits, line + from, size - from < most ? size - from : most);
  int64_t length = strtoll(digits, NULL, 10), before = transfer->length;
  transfer->length = length;
  return before >= 0 && before != length;
}

/* libcurl is lenient: a line that is folded, has no name, or hides a CR or a NUL is no field.
 * RFC 9112, section 5 */
static bool is_field(const char *line, size_t size) {
  while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
    size--;
  return size > 0 && !strchr(" \t:", line[0]) && memchr(line, ':', size) &&
         !memchr(line, '\r', size) && !memchr(line, '\0', size);
}

/* One line of a head, or of the trailers, which are dropped. */
static size_t on_header(char *line, size_t one, size_t size, void *arg) {
  struct transfer *transfer = arg;
  (void)one;
  if (transfer->head_over)
    return size;
  if (size <= 2 && (size == 0 || line[0] == '\r' || line[0] == '\n')) {
    end_head(transfer);
    return size;
  }
  if (is_status_line(line, size)) {
    buffer_free(&transfer->head);
    transfer->fields = 0;
    transfer->length = -1;
  } else if (!is_field(line, size)) {
    return fail(transfer, TRANSFER_BAD_HEAD);
  }
  if (contradicts(transfer, line, size))
    return fail(transfer, TRANSFER_TWO_LENGTHS);
  if (buffer_size(&transfer->head) + size > TRANSFER_HEAD_SIZE ||
      transfer->fields++ > TRANSFER_HEAD_FIELDS)
    return fail(transfer, TRANSFER_HEAD_TOO_LARGE);
  return buffer_append(&transfer->head, line, size) ? size : fail(transfer, TRANSFER_NO_MEMORY);
}

static size_t on_body(char *bytes, size_t one, size_t size, void *arg) {
  struct transfer *transfer = arg;
  (void)one;
  if (transfer->streams && buffer_size(&transfer->input) >= HIGH_WATER) {
    transfer->input_paused = true;
    return CURL_WRITEFUNC_PAUSE; /* the same bytes come again */
  }
  if (size > transfer->max_body - transfer->received)
    return fail(transfer, TRANSFER_BODY_TOO_LARGE);
  if (!buffer_append(&transfer->input, bytes, size))
    return fail(transfer, TRANSFER_NO_MEMORY);
  transfer->received += size;
  transfer->changed(transfer);
  return size;
}

static size_t on_upload(char *bytes, size_t one, size_t room, void *arg) {
  struct transfer *transfer = arg;
  size_t size = buffer_size(&transfer->output);
  if (size == 0 && !transfer->output_over) {
    transfer->output_paused = true;
    transfer->changed(transfer);
    return CURL_READFUNC_PAUSE;
  }
  room *= one;
  size = size < room ? size : room;
  memcpy(bytes, buffer_front(&transfer->output), size);
  buffer_take(&transfer->output, size);
  transfer->changed(transfer);
  return size;
}

static void on_done(struct curl_exchange *exchange, CURLcode result) {
  struct transfer *transfer = list_entry(exchange, struct transfer, exchange);
  transfer->over = true;
  transfer->result = result;
  if (result == CURLE_OK && !transfer->head_over) {
    transfer->result = result = CURLE_GOT_NOTHING;
    strcpy(transfer->why, "the connection ended before the response did");
  }
  if (!exchange->easy)
    transfer->failure = TRANSFER_CLOSED;
  else if (result != CURLE_OK && transfer->failure == TRANSFER_GOOD)
    transfer->failure = TRANSFER_FAILED;
  if (exchange->easy && result != CURLE_OK) {
    exchange->pool->curl.easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &transfer->os_error);
    exchange->pool->curl.easy_getinfo(exchange->easy, CURLINFO_HTTP_CONNECTCODE,
                                      &transfer->tunnel_status);
  }
  transfer->changed(transfer);
}

/* --- Starting ----------------------------------------------------------------------- */

bool transfer_open(struct transfer *transfer, struct curl_pool *pool) {
  buffer_init(&transfer->head);
  buffer_init(&transfer->input);
  buffer_init(&transfer->output);
  transfer->exchange.done = on_done;
  return curl_exchange_open(&transfer->exchange, pool);
}

bool transfer_add(struct transfer *transfer, enum transfer_list list, const char *text) {
  struct curl_slist *longer =
      transfer->exchange.pool->curl.slist_append(transfer->lists[list], text);
  if (longer)
    transfer->lists[list] = longer;
  return longer;
}

/* Options; the first failure stays. */

static void set_number(struct transfer *transfer, CURLoption option, long value) {
  if (transfer->result == CURLE_OK)
    transfer->result =
        transfer->exchange.pool->curl.easy_setopt(transfer->exchange.easy, option, value);
}

static void set_size(struct transfer *transfer, CURLoption option, curl_off_t value) {
  if (transfer->result == CURLE_OK)
    transfer->result =
        transfer->exchange.pool->curl.easy_setopt(transfer->exchange.easy, option, value);
}

static void set_pointer(struct transfer *transfer, CURLoption option, const void *value) {
  if (transfer->result == CURLE_OK)
    transfer->result =
        transfer->exchange.pool->curl.easy_setopt(transfer->exchange.easy, option, value);
}

static void set_callbacks(struct transfer *transfer) {
  const struct curl_library *curl = &transfer->exchange.pool->curl;
  CURL *easy = transfer->exchange.easy;
  curl->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl->easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  curl->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl->easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  curl->easy_setopt(easy, CURLOPT_READFUNCTION, on_upload);
  curl->easy_setopt(easy, CURLOPT_READDATA, transfer);
  curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->why);
}

static void set_body(struct transfer *transfer, const struct transfer_request *request) {
  if (request->upload) {
    set_number(transfer, CURLOPT_UPLOAD, 1);
    set_size(transfer, CURLOPT_INFILESIZE_LARGE, request->upload_size);
  } else if (request->body) {
    set_size(transfer, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
    set_pointer(transfer, CURLOPT_POSTFIELDS, request->body);
  }
  if (strcmp(request->method, "HEAD") == 0)
    set_number(transfer, CURLOPT_NOBODY, 1);
  else if (request->upload || request->body || strcmp(request->method, "GET") != 0)
    set_pointer(transfer, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_pem(struct transfer *transfer, const struct transfer_pem *pem, CURLoption file,
                    CURLoption blob) {
  if (pem->text) {
    struct curl_blob bytes = {(void *)pem->text, pem->size, CURL_BLOB_COPY};
    set_pointer(transfer, blob, &bytes);
  } else if (pem->file) {
    set_pointer(transfer, file, pem->file);
  }
}

static void set_tls(struct transfer *transfer, const struct transfer_request *request) {
  if (request->insecure) {
    set_number(transfer, CURLOPT_SSL_VERIFYPEER, 0);
    set_number(transfer, CURLOPT_SSL_VERIFYHOST, 0);
  }
  set_number(transfer, CURLOPT_SSLVERSION,
             request->tls13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2);
  if (request->ca.file || request->ca.text) { /* these, and not those of the system */
    set_pointer(transfer, CURLOPT_CAINFO, NULL);
    set_pointer(transfer, CURLOPT_CAPATH, NULL);
  }
  set_pem(transfer, &request->ca, CURLOPT_CAINFO, CURLOPT_CAINFO_BLOB);
  set_pem(transfer, &request->cert, CURLOPT_SSLCERT, CURLOPT_SSLCERT_BLOB);
  set_pem(transfer, &request->key, CURLOPT_SSLKEY, CURLOPT_SSLKEY_BLOB);
}

static void set_connection(struct transfer *transfer, const struct transfer_request *request) {
  set_pointer(transfer, CURLOPT_PROXY, request->proxy ? request->proxy : "");
  set_pointer(transfer, CURLOPT_NOPROXY, ""); /* who asks has decided that */
  set_number(transfer, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
  set_pointer(transfer, CURLOPT_UNIX_SOCKET_PATH, request->unix_path);
  set_pointer(transfer, CURLOPT_RESOLVE, transfer->lists[TRANSFER_RESOLVE]);
  set_pointer(transfer, CURLOPT_CONNECT_TO, transfer->lists[TRANSFER_CONNECT_TO]);
  set_number(transfer, CURLOPT_HTTP_VERSION,
             request->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
  set_number(transfer, CURLOPT_CONNECTTIMEOUT_MS,
             request->connect_timeout > 0 ? request->connect_timeout : INT_MAX);
  set_number(transfer, CURLOPT_TIMEOUT_MS, request->timeout);
}

bool transfer_start(struct transfer *transfer, const struct transfer_request *request) {
  transfer->streams = request->streams;
  transfer->max_body = request->max_body;
  set_callbacks(transfer);
  set_pointer(transfer, CURLOPT_URL, request->url);
  set_pointer(transfer, CURLOPT_HTTPHEADER, transfer->lists[TRANSFER_HEADERS]);
  set_pointer(transfer, CURLOPT_ACCEPT_ENCODING, "");
  set_pointer(transfer, CURLOPT_COOKIE, request->cookie);
  set_body(transfer, request);
  set_tls(transfer, request);
  set_connection(transfer, request);
  if (transfer->result == CURLE_OK && curl_exchange_start(&transfer->exchange) != CURLM_OK)
    transfer->result = CURLE_FAILED_INIT;
  if (transfer->result == CURLE_OK)
    return true;
  transfer->over = true;
  transfer->failure = TRANSFER_FAILED;
  return false;
}

/* --- Going on ------------------------------------------------------------------------ */

/* Tells libcurl which directions rest. */
static void resume(struct transfer *transfer) {
  curl_exchange_pause(&transfer->exchange, (transfer->input_paused ? CURLPAUSE_RECV : 0) |
                                               (transfer->output_paused ? CURLPAUSE_SEND : 0));
}

void transfer_take(struct transfer *transfer, size_t size) {
  buffer_take(&transfer->input, size);
  if (!transfer->input_paused || buffer_size(&transfer->input) > LOW_WATER)
    return;
  transfer->input_paused = false;
  resume(transfer);
}

static void resume_output(struct transfer *transfer) {
  if (!transfer->output_paused)
    return;
  transfer->output_paused = false;
  resume(transfer);
}

bool transfer_write(struct transfer *transfer, const char *bytes, size_t size) {
  if (size == 0 || transfer->over)
    return true;
  if (!buffer_append(&transfer->output, bytes, size))
    return false;
  resume_output(transfer);
  return true;
}

void transfer_finish(struct transfer *transfer) {
  transfer->output_over = true;
  resume_output(transfer);
}

bool transfer_wants_output(const struct transfer *transfer) {
  return transfer->over || buffer_size(&transfer->output) <= LOW_WATER;
}

void transfer_close(struct transfer *transfer) {
  struct curl_pool *pool = transfer->exchange.pool;
  if (!pool)
    return;
  curl_exchange_close(&transfer->exchange);
  for (int i = 0; i < TRANSFER_LISTS; i++) {
    pool->curl.slist_free_all(transfer->lists[i]);
    transfer->lists[i] = NULL;
  }
  buffer_free(&transfer->head);
  buffer_free(&transfer->input);
  buffer_free(&transfer->output);
  transfer->over = true;
}
