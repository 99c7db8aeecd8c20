/* One end of a TLS connection: bytes in, bytes out. It has no transport of its own.
 *
 *   ciphertext in  → receive → handshake, read → plaintext out
 *   plaintext in   → write, shutdown → output, sent → ciphertext out
 *
 * After any call but the getters there may be output to send: handshake messages,
 * tickets, alerts. Nothing here waits or calls back, so all of it may run where
 * bytes arrive. The owner bounds both queues: it stops receiving while it reads
 * nothing, and stops writing while `output` does not shrink.
 *
 * A session that has failed stays so. Its output may still hold the alert which
 * tells the peer.
 */
#ifndef STROBE_IO_TLS_SESSION_H
#define STROBE_IO_TLS_SESSION_H

#include "core/base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

struct tls_context;
struct tls_error;
struct tls_session;

enum tls_state {
  TLS_HANDSHAKING,
  TLS_OPEN,
  TLS_CLOSED, /* the peer has said that it sends no more; we still may */
  TLS_FAILED,
};

enum tls_failure {
  TLS_FAILURE_NONE,
  TLS_FAILURE_PROTOCOL,
  TLS_FAILURE_CERTIFICATE, /* we refuse the peer's */
  TLS_FAILURE_TRUNCATED,   /* the transport ended, and the peer had not said so before */
  TLS_FAILURE_MEMORY,
};

enum tls_peer_text {
  TLS_PEER_SUBJECT,
  TLS_PEER_ISSUER,
  TLS_PEER_NAMES,       /* "DNS:example.org, IP:192.0.2.1" */
  TLS_PEER_FINGERPRINT, /* SHA-256 of the certificate, "AB:CD:…" */
  TLS_PEER_VALID_FROM,
  TLS_PEER_VALID_UNTIL,
};

/* For clients: whom we have connected to. */
struct tls_peer {
  const char *host;
  int port;
  const char *name; /* asked for, and to be in the certificate; NULL = `host` */
};

/* Opens and closes. `peer` is NULL for servers, and may be for clients that do not
 * verify. Sessions of clients try to resume. NULL and a text on failure. */
struct tls_session *tls_session_open(struct tls_context *context, const struct tls_peer *peer,
                                     struct tls_error *error);
void tls_session_close(struct tls_session *session); /* NULL is harmless */

/* Ciphertext has come. The bytes are lent, not copied, until `keep`, which must
 * follow after handshakes and reads, before they go. */
void tls_session_receive(struct tls_session *session, const char *bytes, size_t size);
void tls_session_keep(struct tls_session *session);

/* The transport will bring no more. What has come can still be read. */
void tls_session_end(struct tls_session *session);

/* Goes on with the handshake as far as it gets; a client's first call begins it. */
enum tls_state tls_session_handshake(struct tls_session *session);

/* Decrypts until `size` bytes are there or nothing is left to decrypt: 0 says that,
 * or that the state is no longer open. */
size_t tls_session_read(struct tls_session *session, char *bytes, size_t size);

/* Encrypts at most TLS_WRITE_MOST bytes and returns how many, so that the output
 * can be sent in between; 0 before the handshake is over, or when the session has
 * failed or was shut down. Each call makes records of its own: few large writes
 * are many times faster than many small ones. */
enum { TLS_WRITE_MOST = 64 * 1024 };
size_t tls_session_write(struct tls_session *session, const char *bytes, size_t size);

/* The ciphertext to be sent, good until the next call but this; some of it is on
 * its way. */
size_t tls_session_output(const struct tls_session *session, const char **bytes);
void tls_session_sent(struct tls_session *session, size_t size);

/* Tells the peer that we send no more. Reading goes on. Twice is harmless. */
void tls_session_shutdown(struct tls_session *session);

/* --- Getters -------------------------------------------------------------------- */

enum tls_state tls_session_state(const struct tls_session *session);

/* Bytes received which were not read yet, encrypted or not. */
size_t tls_session_pending(const struct tls_session *session);

enum tls_failure tls_session_failure(const struct tls_session *session);
const char *tls_session_error(const struct tls_session *session); /* "" while it is good */

/* After the handshake. NULL where there is none. */
const char *tls_session_version(const struct tls_session *session); /* "TLSv1.3" */
const char *tls_session_cipher(const struct tls_session *session);
const char *tls_session_alpn(const struct tls_session *session, size_t *size);
const char *tls_session_server_name(const struct tls_session *session); /* the one asked for */
bool tls_session_resumed(const struct tls_session *session);

/* Appends a text about the peer's certificate. False when there is none, or no
 * memory. What a name should not hold, like a comma, appears as "?". */
bool tls_session_peer(const struct tls_session *session, enum tls_peer_text what,
                      struct buffer *text);

#endif
