/* An HTTP transfer: one request and its response, with bounds and backpressure.
 *
 * What the response's head was lies in `head` as it came, its body in `input`, decoded.
 * A transfer that streams stops reading while much of it lies there, and one that
 * uploads stops while `output` is empty. A body above `max_body` bytes, counted as it is
 * decoded, ends the transfer. Whoever waits is told by `changed`, from within libcurl's
 * callbacks: it may only make something ready.
 *
 * Knows no Lua.
 */
#ifndef STROBE_IO_TRANSFER_H
#define STROBE_IO_TRANSFER_H

#include "core/base/buffer.h"
#include "core/io/curl.h"

#include <stdint.h>

/* A head's limits. */
enum { TRANSFER_HEAD_SIZE = 64 * 1024, TRANSFER_HEAD_FIELDS = 256 };

enum transfer_list { TRANSFER_HEADERS, TRANSFER_RESOLVE, TRANSFER_CONNECT_TO, TRANSFER_LISTS };

/* Each is a file's path, or PEM text, which wins. */
struct transfer_pem {
  const char *file;
  const char *text;
  size_t size;
};

/* Strings are copied but for the body, which must live as long as the transfer. */
struct transfer_request {
  const char *method, *url;
  const char *proxy;     /* "" or NULL = none */
  const char *unix_path; /* connect there instead, or NULL */
  const char *cookie;    /* sent beside those of the pool, or NULL */
  bool http2;            /* where TLS negotiates it */
  const char *body;      /* or NULL */
  size_t body_size;
  bool upload;         /* the body comes by transfer_write */
  int64_t upload_size; /* -1 = unknown: chunked */
  bool streams;        /* the body is taken piece by piece */
  uint64_t max_body;
  long connect_timeout, timeout; /* real milliseconds; 0 = none */
  bool insecure;                 /* any certificate is good */
  bool tls13;                    /* and nothing older */
  struct transfer_pem ca, cert, key;
};

enum transfer_failure {
  TRANSFER_GOOD,
  TRANSFER_FAILED, /* see `result` */
  TRANSFER_HEAD_TOO_LARGE,
  TRANSFER_TWO_LENGTHS, /* which differ: one of them is a lie */
  TRANSFER_BAD_HEAD,    /* a folded line, or none that is a field */
  TRANSFER_BODY_TOO_LARGE,
  TRANSFER_NO_MEMORY,
  TRANSFER_CLOSED, /* with its pool */
};

struct transfer {
  struct curl_exchange exchange;
  void (*changed)(struct transfer *transfer);
  struct curl_slist *lists[TRANSFER_LISTS];
  struct buffer head, input, output;
  uint64_t max_body, received;
  unsigned fields;
  int64_t length; /* of the head's Content-Length, or -1 */
  bool streams;
  bool head_over;     /* `head` is whole */
  bool over;          /* nothing more will come or go */
  bool input_paused;  /* until `input` is taken */
  bool output_paused; /* until `output` is filled */
  bool output_over;   /* `output` is the last of it */
  enum transfer_failure failure;
  CURLcode result;
  long os_error;      /* errno of a connection that failed, or 0 */
  long tunnel_status; /* what a proxy answered to CONNECT, or 0 */
  char why[CURL_ERROR_SIZE];
};

/* Zeroed before; may be closed from now on. False when there is no memory. */
bool transfer_open(struct transfer *transfer, struct curl_pool *pool);

/* Adds a text to a list, which is copied. False when there is no memory. */
bool transfer_add(struct transfer *transfer, enum transfer_list list, const char *text);

/* False when libcurl does not take the request: `result` and `why` tell. */
bool transfer_start(struct transfer *transfer, const struct transfer_request *request);

/* Takes `size` bytes off the input; reading goes on when there is room. */
void transfer_take(struct transfer *transfer, size_t size);

/* Bytes to upload. False when there is no memory. */
bool transfer_write(struct transfer *transfer, const char *bytes, size_t size);
void transfer_finish(struct transfer *transfer);

/* Whether it is time to write more. */
bool transfer_wants_output(const struct transfer *transfer);

/* Ends it wherever it is. Twice is harmless. */
void transfer_close(struct transfer *transfer);

#endif
