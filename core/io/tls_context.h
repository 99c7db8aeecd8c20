/* What TLS sessions have in common: certificates, keys, whom to trust, ALPN, and
 * the tickets by which a client resumes.
 *
 * Loading a bundle of CAs takes tens of milliseconds and reads files: a context is
 * made once per set of options, and shared by whoever acquires it. TLS 1.2 is the
 * least that is spoken; renegotiation and early data are off.
 *
 * Knows neither Lua nor libuv. For one thread.
 */
#ifndef STROBE_IO_TLS_CONTEXT_H
#define STROBE_IO_TLS_CONTEXT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* Why something could not be made, in words a person can act on. */
struct tls_error {
  char text[512];
};

enum tls_verify {
  TLS_VERIFY_DEFAULT,  /* a client demands a good certificate, a server asks for none */
  TLS_VERIFY_NONE,     /* anybody may be the peer */
  TLS_VERIFY_OPTIONAL, /* servers: the client may show none, but no bad one */
  TLS_VERIFY_REQUIRED,
};

enum tls_version { TLS_VERSION_ANY, TLS_VERSION_1_2, TLS_VERSION_1_3 };

/* All zero is a client that verifies against the CAs of the system. Each of the
 * three sources is a file's path or PEM text; the text wins. */
struct tls_options {
  bool server;
  enum tls_verify verify;
  const char *ca_file, *ca_pem;     /* instead of the CAs of the system */
  const char *cert_file, *cert_pem; /* the leaf first, then its chain */
  const char *key_file, *key_pem;   /* neither: the key lies beside the certificate */
  const char *password;             /* of an encrypted key, or NULL */
  const char *const *alpn;          /* the most wanted first, NULL last; NULL = no ALPN */
  enum tls_version min_version, max_version;
};

/* What a client may resume by, and with whom. */
struct tls_ticket {
  char *peer;
  SSL_SESSION *session;
};

enum { TLS_TICKETS = 64 };

struct tls_context {
  SSL_CTX *ssl;
  BIO_METHOD *bio; /* made and used by sessions */
  bool server, verify;
  unsigned references;
  unsigned char *alpn; /* as on the wire: each name after its length */
  unsigned alpn_size;
  struct tls_ticket tickets[TLS_TICKETS]; /* the oldest first */
  unsigned ticket_count;
};

/* Reads all files. NULL and a text when something is wrong with the options.
 * Strings are not kept. The one reference is the caller's. */
struct tls_context *tls_context_open(const struct tls_options *options, struct tls_error *error);

struct tls_context *tls_context_acquire(struct tls_context *context);
void tls_context_release(struct tls_context *context); /* NULL is harmless */

/* --- For sessions --------------------------------------------------------------- */

/* Keeps a ticket, whose reference becomes ours, for the next session to the same
 * peer. A peer has few, a context a bounded number: the oldest gives way. False
 * when it is not kept; the reference is still the caller's then. */
bool tls_context_keep_ticket(struct tls_context *context, const char *peer, SSL_SESSION *ticket);

/* A ticket for the peer, the caller's now, or NULL. One of TLS 1.3 is good for one
 * session (a second use would tell an observer who we are); older ones stay. */
SSL_SESSION *tls_context_take_ticket(struct tls_context *context, const char *peer);

#endif
