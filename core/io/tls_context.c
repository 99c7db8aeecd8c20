#include "core/io/tls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum { TICKETS_PER_PEER = 2 };

/* Where PEM comes from, in the user's words. */
struct source {
  const char *what, *file, *pem;
};

/* --- Errors --------------------------------------------------------------------- */

static const char *queue_reason(void) {
  unsigned long code = ERR_peek_error();
  if (code == 0)
    return NULL;
  if (ERR_SYSTEM_ERROR(code))
    return strerror(ERR_GET_REASON(code));
  return ERR_reason_error_string(code);
}

/* "WHAT FILE: problem (what OpenSSL says)"; false, for the caller to pass on. */
static bool refuse(struct tls_error *error, const struct source *source, const char *problem) {
  const char *reason = queue_reason();
  bool file = source->file && !source->pem;
  snprintf(error->text, sizeof error->text, "%s%s%s: %s%s%s%s", source->what, file ? " " : "",
           file ? source->file : "", problem, reason ? " (" : "", reason ? reason : "",
           reason ? ")" : "");
  ERR_clear_error();
  return false;
}

static bool refuse_option(struct tls_error *error, const char *option, const char *problem) {
  return refuse(error, &(struct source){option, NULL, NULL}, problem);
}

/* --- Reading PEM ---------------------------------------------------------------- */

static bool given(const struct source *source) {
  return source->file || source->pem;
}

static BIO *open_source(const struct source *source, struct tls_error *error) {
  BIO *bio = source->pem ? BIO_new_mem_buf(source->pem, -1) : BIO_new_file(source->file, "r");
  if (!bio)
    refuse(error, source, "cannot be read");
  return bio;
}

struct secret {
  const char *password;
  bool asked;
};

/* Without this, OpenSSL would ask at the terminal, and wait there. */
static int give_password(char *buffer, int size, int writing, void *data) {
  struct secret *secret = data;
  (void)writing;
  secret->asked = true;
  size_t length = secret->password ? strlen(secret->password) : 0;
  if (length == 0 || length > (size_t)size)
    return -1;
  memcpy(buffer, secret->password, length);
  return (int)length;
}

static void free_certificates(STACK_OF(X509) * certificates) {
  sk_X509_pop_free(certificates, X509_free);
}

static bool read_next(BIO *bio, STACK_OF(X509) * certificates) {
  struct secret none = {NULL, false};
  X509 *certificate = PEM_read_bio_X509(bio, NULL, give_password, &none);
  if (certificate && sk_X509_push(certificates, certificate) > 0)
    return true;
  X509_free(certificate);
  return false;
}

/* All certificates of a source, at least one; NULL and the error otherwise. */
static STACK_OF(X509) * read_certificates(const struct source *source, struct tls_error *error) {
  BIO *bio = open_source(source, error);
  if (!bio)
    return NULL;
  STACK_OF(X509) *certificates = sk_X509_new_null();
  while (certificates && read_next(bio, certificates))
    ;
  BIO_free(bio);
  bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (certificates && at_end && sk_X509_num(certificates) > 0) {
    ERR_clear_error();
    return certificates;
  }
  if (at_end)
    ERR_clear_error();
  refuse(error, source, at_end ? "there is no PEM certificate in it" : "a certificate is damaged");
  free_certificates(certificates);
  return NULL;
}

static EVP_PKEY *read_key(const struct source *source, const char *password,
                          struct tls_error *error) {
  struct secret secret = {password, false};
  BIO *bio = open_source(source, error);
  if (!bio)
    return NULL;
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_password, &secret);
  BIO_free(bio);
  if (!key)
    refuse(error, source,
           !secret.asked ? "there is no PEM private key in it"
           : password    ? "the password does not open it"
                         : "it is encrypted, and there is no password");
  ERR_clear_error();
  return key;
}

/* --- Whom to trust, who we are -------------------------------------------------- */

static bool trust_source(struct tls_context *context, const struct source *source,
                         struct tls_error *error) {
  STACK_OF(X509) *certificates = read_certificates(source, error);
  X509_STORE *store = SSL_CTX_get_cert_store(context->ssl);
  bool good = certificates != NULL;
  for (int i = 0; good && i < sk_X509_num(certificates); i++) {
    X509 *ca = sk_X509_value(certificates, i);
    /* A client chooses its certificate by the names the server trusts. */
    good = X509_STORE_add_cert(store, ca) == 1 &&
           (!context->server || SSL_CTX_add_client_CA(context->ssl, ca) == 1);
    if (!good)
      refuse(error, source, "a certificate cannot be trusted");
  }
  free_certificates(certificates);
  return good;
}

static int verify_mode(const struct tls_options *options) {
  switch (options->verify) {
  case TLS_VERIFY_NONE:
    return SSL_VERIFY_NONE;
  case TLS_VERIFY_OPTIONAL:
    return SSL_VERIFY_PEER;
  case TLS_VERIFY_REQUIRED:
    return SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  default:
    return options->server ? SSL_VERIFY_NONE : SSL_VERIFY_PEER;
  }
}

static bool set_trust(struct tls_context *context, const struct tls_options *options,
                      struct tls_error *error) {
  struct source ca = {"CA certificates", options->ca_file, options->ca_pem};
  int mode = verify_mode(options);
  SSL_CTX_set_verify(context->ssl, mode, NULL);
  context->verify = mode != SSL_VERIFY_NONE;
  if (given(&ca))
    return trust_source(context, &ca, error);
  if (!context->verify)
    return true;
  if (context->server)
    return refuse_option(error, "CA certificates", "none to verify clients by");
  return SSL_CTX_set_default_verify_paths(context->ssl) == 1 ||
         refuse_option(error, "CA certificates", "those of the system cannot be read");
}

static bool use_certificates(SSL_CTX *ssl, STACK_OF(X509) * certificates) {
  bool good = SSL_CTX_use_certificate(ssl, sk_X509_value(certificates, 0)) == 1;
  for (int i = 1; good && i < sk_X509_num(certificates); i++)
    good = SSL_CTX_add1_chain_cert(ssl, sk_X509_value(certificates, i)) == 1;
  return good;
}

static bool use_key(struct tls_context *context, const struct source *source, const char *password,
                    struct tls_error *error) {
  EVP_PKEY *key = read_key(source, password, error);
  if (!key)
    return false;
  bool good = SSL_CTX_use_PrivateKey(context->ssl, key) == 1 &&
              SSL_CTX_check_private_key(context->ssl) == 1;
  EVP_PKEY_free(key);
  return good || refuse(error, source, "the key does not match the certificate");
}

static bool set_identity(struct tls_context *context, const struct tls_options *options,
                         struct tls_error *error) {
  struct source certificate = {"certificate", options->cert_file, options->cert_pem};
  struct source key = {"private key", options->key_file, options->key_pem};
  if (!given(&certificate)) {
    if (given(&key))
      return refuse_option(error, "certificate", "none for the private key");
    return !context->server || refuse_option(error, "certificate", "a server needs one");
  }
  STACK_OF(X509) *certificates = read_certificates(&certificate, error);
  if (!certificates)
    return false;
  bool good =
      use_certificates(context->ssl, certificates) || refuse(error, &certificate, "cannot be used");
  free_certificates(certificates);
  if (!given(&key)) {
    key.file = certificate.file;
    key.pem = certificate.pem;
  }
  return good && use_key(context, &key, options->password, error);
}

/* --- Protocols ------------------------------------------------------------------ */

static bool encode_alpn(struct tls_context *context, const char *const *names,
                        struct tls_error *error) {
  size_t size = 0;
  for (const char *const *name = names; *name; name++) {
    size_t length = strlen(*name);
    size += length + 1;
    if (length == 0 || length > 255 || size > UINT16_MAX)
      return refuse_option(error, "ALPN", "names of 1 to 255 bytes expected");
  }
  context->alpn = malloc(size + 1);
  if (!context->alpn)
    return refuse_option(error, "ALPN", "not enough memory");
  for (unsigned char *end = context->alpn; *names; names++) {
    size_t length = strlen(*names);
    *end++ = (unsigned char)length;
    memcpy(end, *names, length);
    end += length;
  }
  context->alpn_size = (unsigned)size;
  return true;
}

/* Our order decides. Going on without a match would let a request for one protocol
 * be answered in another. */
static int select_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_size,
                       const unsigned char *offered, unsigned offered_size, void *data) {
  struct tls_context *context = data;
  unsigned char *name = NULL;
  (void)ssl;
  int status = SSL_select_next_proto(&name, chosen_size, context->alpn, context->alpn_size, offered,
                                     offered_size);
  *chosen = name;
  return status == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool set_alpn(struct tls_context *context, const struct tls_options *options,
                     struct tls_error *error) {
  if (!options->alpn || !options->alpn[0])
    return true;
  if (!encode_alpn(context, options->alpn, error))
    return false;
  if (context->server)
    SSL_CTX_set_alpn_select_cb(context->ssl, select_alpn, context);
  else if (SSL_CTX_set_alpn_protos(context->ssl, context->alpn, context->alpn_size) != 0)
    return refuse_option(error, "ALPN", "cannot be offered"); /* this one returns 0 for success */
  return true;
}

static int protocol_version(enum tls_version version, int otherwise) {
  return version == TLS_VERSION_1_2   ? TLS1_2_VERSION
         : version == TLS_VERSION_1_3 ? TLS1_3_VERSION
                                      : otherwise;
}

static bool set_protocols(struct tls_context *context, const struct tls_options *options,
                          struct tls_error *error) {
  SSL_CTX *ssl = context->ssl;
  if (options->max_version && options->max_version < options->min_version)
    return refuse_option(error, "TLS version", "the least is above the most");
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
  /* Idle sessions give up their buffers, two thirds of their memory. */
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  /* Servers resume by tickets; a client's sessions are kept by us. */
  SSL_CTX_set_session_cache_mode(
      ssl,
      SSL_SESS_CACHE_NO_INTERNAL | (context->server ? SSL_SESS_CACHE_OFF : SSL_SESS_CACHE_CLIENT));
  static const unsigned char id[] = "strobe"; /* without one, resumed clients cannot be verified */
  if (SSL_CTX_set_min_proto_version(ssl, protocol_version(options->min_version, TLS1_2_VERSION)) &&
      SSL_CTX_set_max_proto_version(ssl, protocol_version(options->max_version, 0)) &&
      SSL_CTX_set_session_id_context(ssl, id, sizeof id - 1))
    return true;
  return refuse_option(error, "TLS version", "not supported");
}

/* --- Tickets -------------------------------------------------------------------- */

static SSL_SESSION *remove_ticket(struct tls_context *context, unsigned index) {
  struct tls_ticket *ticket = &context->tickets[index];
  SSL_SESSION *session = ticket->session;
  free(ticket->peer);
  context->ticket_count--;
  memmove(ticket, ticket + 1, (context->ticket_count - index) * sizeof *ticket);
  return session;
}

/* The oldest of the peer's, and how many it has. */
static unsigned find_ticket(const struct tls_context *context, const char *peer, unsigned *count) {
  unsigned first = 0;
  *count = 0;
  for (unsigned i = context->ticket_count; i-- > 0;)
    if (strcmp(context->tickets[i].peer, peer) == 0) {
      first = i;
      ++*count;
    }
  return first;
}

bool tls_context_keep_ticket(struct tls_context *context, const char *peer, SSL_SESSION *session) {
  unsigned count;
  unsigned oldest = find_ticket(context, peer, &count);
  char *copy = strdup(peer);
  if (!copy)
    return false;
  if (count >= TICKETS_PER_PEER)
    SSL_SESSION_free(remove_ticket(context, oldest));
  else if (context->ticket_count == TLS_TICKETS)
    SSL_SESSION_free(remove_ticket(context, 0));
  context->tickets[context->ticket_count++] = (struct tls_ticket){copy, session};
  return true;
}

SSL_SESSION *tls_context_take_ticket(struct tls_context *context, const char *peer) {
  unsigned count;
  unsigned oldest = find_ticket(context, peer, &count);
  for (; count > 0; oldest = find_ticket(context, peer, &count)) {
    SSL_SESSION *session = context->tickets[oldest].session;
    bool once = SSL_SESSION_get_protocol_version(session) >= TLS1_3_VERSION;
    bool good = SSL_SESSION_is_resumable(session);
    if (good && !once)
      return SSL_SESSION_up_ref(session) ? session : NULL;
    remove_ticket(context, oldest);
    if (good)
      return session;
    SSL_SESSION_free(session);
  }
  return NULL;
}

/* --- Opening, sharing, closing -------------------------------------------------- */

static void context_close(struct tls_context *context) {
  while (context->ticket_count > 0)
    SSL_SESSION_free(remove_ticket(context, context->ticket_count - 1));
  SSL_CTX_free(context->ssl);
  BIO_meth_free(context->bio);
  free(context->alpn);
  free(context);
}

struct tls_context *tls_context_open(const struct tls_options *options, struct tls_error *error) {
  error->text[0] = '\0';
  ERR_clear_error();
  struct tls_context *context = calloc(1, sizeof *context);
  if (!context) {
    refuse_option(error, "TLS", "not enough memory");
    return NULL;
  }
  context->references = 1;
  context->server = options->server;
  context->ssl = SSL_CTX_new(options->server ? TLS_server_method() : TLS_client_method());
  if (!context->ssl)
    refuse_option(error, "TLS", "OpenSSL cannot be used");
  else if (set_protocols(context, options, error) && set_trust(context, options, error) &&
           set_identity(context, options, error) && set_alpn(context, options, error))
    return context;
  context_close(context);
  return NULL;
}

struct tls_context *tls_context_acquire(struct tls_context *context) {
  context->references++;
  return context;
}

void tls_context_release(struct tls_context *context) {
  if (context && --context->references == 0)
    context_close(context);
}
