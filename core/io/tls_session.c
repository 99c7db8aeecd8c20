#include "core/io/tls_session.h"

#include "core/io/tls_context.h"

#include <arpa/inet.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

/* A name in the DNS has at most 253 bytes. */
enum { NAME_MOST = 255, ERROR_MOST = 512, NAMES_SHOWN = 160 };

/* OpenSSL reports an alert of the peer as this plus the alert's number. */
enum { ALERT_MOST = SSL_AD_REASON_OFFSET + 255 };

struct tls_session {
  struct tls_context *context;
  SSL *ssl;
  enum tls_state state;
  enum tls_failure failure;
  bool ended, shut;
  bool foreign; /* the first byte was none of TLS */
  bool began;   /* there was a first byte */
  struct buffer input, output;
  const char *lent; /* received after `input` */
  size_t lent_size;
  char error[ERROR_MOST];
  char name[NAME_MOST + 1]; /* a client's peer; "" = unknown */
  char peer[];              /* by which tickets are kept; "" = not at all */
};

/* What one session leaves in OpenSSL's queue, another would take for its own: empty it
 * before each call. Mostly it is empty, and looking costs less than clearing. */
static void forget_errors(void) {
  if (ERR_peek_error() != 0)
    ERR_clear_error();
}

/* --- The peer's certificate as text --------------------------------------------- */

static bool append(struct buffer *text, const char *string) {
  return buffer_append(text, string, strlen(string));
}

/* A certificate may hold anything, such as the separators of this very list. */
static bool append_name(struct buffer *text, const ASN1_STRING *name) {
  const unsigned char *bytes = ASN1_STRING_get0_data(name);
  bool good = true;
  for (int i = 0; good && i < ASN1_STRING_length(name); i++) {
    bool plain = bytes[i] > ' ' && bytes[i] < 127 && bytes[i] != ',';
    good = buffer_append(text, plain ? (const char *)&bytes[i] : "?", 1);
  }
  return good;
}

static bool append_address(struct buffer *text, const ASN1_OCTET_STRING *address) {
  char string[INET6_ADDRSTRLEN] = "?";
  int size = ASN1_STRING_length(address);
  if (size == 4 || size == 16)
    inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), string,
              sizeof string);
  return append(text, string);
}

static bool append_general_name(struct buffer *text, const GENERAL_NAME *name) {
  switch (name->type) {
  case GEN_DNS:
    return append(text, "DNS:") && append_name(text, name->d.dNSName);
  case GEN_IPADD:
    return append(text, "IP:") && append_address(text, name->d.iPAddress);
  case GEN_EMAIL:
    return append(text, "email:") && append_name(text, name->d.rfc822Name);
  case GEN_URI:
    return append(text, "URI:") && append_name(text, name->d.uniformResourceIdentifier);
  default:
    return append(text, "other");
  }
}

static bool append_names(struct buffer *text, const X509 *certificate) {
  GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
  bool good = true;
  for (int i = 0; good && i < sk_GENERAL_NAME_num(names); i++)
    good = (i == 0 || append(text, ", ")) &&
           append_general_name(text, sk_GENERAL_NAME_value(names, i));
  GENERAL_NAMES_free(names);
  return good;
}

static bool append_fingerprint(struct buffer *text, const X509 *certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  bool good = X509_digest(certificate, EVP_sha256(), digest, &size) == 1;
  for (unsigned i = 0; good && i < size; i++) {
    char hex[4];
    snprintf(hex, sizeof hex, "%s%02X", i == 0 ? "" : ":", digest[i]);
    good = append(text, hex);
  }
  return good;
}

/* What OpenSSL prints into a BIO, made here for the caller to print into. */
static bool append_printed(struct buffer *text, const X509_NAME *name, const ASN1_TIME *time) {
  char *bytes = NULL;
  BIO *bio = BIO_new(BIO_s_mem());
  bool good = bio && (name ? X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0
                           : ASN1_TIME_print(bio, time) == 1);
  long size = good ? BIO_get_mem_data(bio, &bytes) : 0;
  good = good && buffer_append(text, bytes, (size_t)size);
  BIO_free(bio);
  return good;
}

static bool append_text(struct buffer *text, const X509 *certificate, enum tls_peer_text what) {
  switch (what) {
  case TLS_PEER_SUBJECT:
    return append_printed(text, X509_get_subject_name(certificate), NULL);
  case TLS_PEER_ISSUER:
    return append_printed(text, X509_get_issuer_name(certificate), NULL);
  case TLS_PEER_NAMES:
    return append_names(text, certificate);
  case TLS_PEER_FINGERPRINT:
    return append_fingerprint(text, certificate);
  case TLS_PEER_VALID_FROM:
    return append_printed(text, NULL, X509_get0_notBefore(certificate));
  case TLS_PEER_VALID_UNTIL:
    return append_printed(text, NULL, X509_get0_notAfter(certificate));
  }
  return false;
}

bool tls_session_peer(const struct tls_session *session, enum tls_peer_text what,
                      struct buffer *text) {
  X509 *certificate = SSL_get0_peer_certificate(session->ssl);
  bool good = certificate && append_text(text, certificate, what);
  forget_errors();
  return good;
}

/* --- Failing -------------------------------------------------------------------- */

static void set_failure(struct tls_session *session, enum tls_failure failure, const char *before,
                        const char *reason) {
  if (session->failure != TLS_FAILURE_NONE)
    return;
  session->failure = failure;
  snprintf(session->error, sizeof session->error, "%s%s", before, reason);
}

/* The detail a person needs: which names, which day, which certificate of the chain. */
static void refuse_certificate(struct tls_session *session, int error, const X509 *certificate,
                               int depth) {
  struct buffer text;
  char detail[NAMES_SHOWN + 1] = "";
  bool named = error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH;
  enum tls_peer_text what = named                                    ? TLS_PEER_NAMES
                            : error == X509_V_ERR_CERT_HAS_EXPIRED   ? TLS_PEER_VALID_UNTIL
                            : error == X509_V_ERR_CERT_NOT_YET_VALID ? TLS_PEER_VALID_FROM
                                                                     : TLS_PEER_SUBJECT;
  buffer_init(&text);
  if (certificate && append_text(&text, certificate, what))
    snprintf(detail, sizeof detail, "%.*s", (int)buffer_size(&text), buffer_front(&text));
  buffer_free(&text);
  if (session->failure != TLS_FAILURE_NONE)
    return;
  session->failure = TLS_FAILURE_CERTIFICATE;
  if (named)
    snprintf(session->error, sizeof session->error,
             "hostname mismatch: certificate is for %.*s, not %s", NAMES_SHOWN,
             detail[0] ? detail : "no name at all", session->name);
  else
    snprintf(session->error, sizeof session->error, "%s (%s%s%s)",
             X509_verify_cert_error_string(error), depth > 0 ? "of an issuer, " : "",
             what == TLS_PEER_VALID_UNTIL  ? "valid until "
             : what == TLS_PEER_VALID_FROM ? "valid from "
                                           : "certificate of ",
             detail[0] ? detail : "unknown");
}

/* Only here is the refused certificate at hand: later, OpenSSL has dropped it. */
static int on_verify(int good, X509_STORE_CTX *store) {
  SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
  if (!good)
    refuse_certificate(SSL_get_app_data(ssl), X509_STORE_CTX_get_error(store),
                       X509_STORE_CTX_get_current_cert(store),
                       X509_STORE_CTX_get_error_depth(store));
  return good;
}

static bool starved(const struct tls_session *session) {
  return session->ended && buffer_size(&session->input) + session->lent_size == 0;
}

/* "tlsv13 alert certificate required" without what only OpenSSL needs to know. */
static const char *alert_text(int reason, const char *text) {
  const char *alert = text ? strstr(text, " alert ") : NULL;
  return alert ? alert + strlen(" alert ")
               : SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET);
}

static void diagnose(struct tls_session *session) {
  unsigned long code = ERR_peek_last_error();
  bool ours = ERR_GET_LIB(code) == ERR_LIB_SSL;
  int reason = ERR_GET_REASON(code);
  const char *text = code ? ERR_reason_error_string(code) : NULL;
  bool handshaking = session->state == TLS_HANDSHAKING;
  if (starved(session) && (code == 0 || (ours && reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)))
    set_failure(session, TLS_FAILURE_TRUNCATED, "the connection ended ",
                handshaking ? "during the handshake"
                            : "without close_notify: bytes may be missing");
  else if (reason == ERR_R_MALLOC_FAILURE)
    set_failure(session, TLS_FAILURE_MEMORY, "not enough memory", "");
  else if (ours && reason > SSL_AD_REASON_OFFSET && reason <= ALERT_MOST)
    set_failure(session, TLS_FAILURE_PROTOCOL, "refused by the peer: ", alert_text(reason, text));
  else if (ours && reason == SSL_R_HTTP_REQUEST)
    set_failure(session, TLS_FAILURE_PROTOCOL,
                "the peer does not speak TLS: ", "a plain HTTP request");
  else if (handshaking && session->foreign)
    set_failure(session, TLS_FAILURE_PROTOCOL, "the peer does not speak TLS: ", text ? text : "");
  else if (ours && reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    set_failure(session, TLS_FAILURE_CERTIFICATE, "the peer showed no certificate", "");
  else
    set_failure(session, TLS_FAILURE_PROTOCOL, "", text ? text : "TLS failed");
}

/* After a call to OpenSSL that did not succeed: waits for more, closed, or failed. */
static void unsuccessful(struct tls_session *session, int result) {
  switch (SSL_get_error(session->ssl, result)) {
  case SSL_ERROR_WANT_READ:
    break;
  case SSL_ERROR_ZERO_RETURN:
    session->state = TLS_CLOSED;
    break;
  default:
    diagnose(session);
    session->state = TLS_FAILED;
  }
  forget_errors();
}

/* --- What OpenSSL sees as its socket -------------------------------------------- */

static size_t copy_input(struct tls_session *session, char *bytes, size_t size) {
  size_t kept = buffer_size(&session->input);
  if (kept > 0) {
    size = size < kept ? size : kept;
    memcpy(bytes, buffer_front(&session->input), size);
    buffer_take(&session->input, size);
    return size;
  }
  size = size < session->lent_size ? size : session->lent_size;
  memcpy(bytes, session->lent, size);
  session->lent += size;
  session->lent_size -= size;
  return size;
}

static int bio_read(BIO *bio, char *bytes, int size) {
  struct tls_session *session = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (buffer_size(&session->input) + session->lent_size > 0)
    return (int)copy_input(session, bytes, (size_t)size);
  if (session->ended)
    return 0;
  BIO_set_retry_read(bio);
  return -1;
}

static int bio_write(BIO *bio, const char *bytes, int size) {
  struct tls_session *session = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (buffer_append(&session->output, bytes, (size_t)size))
    return size;
  set_failure(session, TLS_FAILURE_MEMORY, "not enough memory", "");
  return -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer) {
  (void)number, (void)pointer;
  if (command == BIO_CTRL_EOF)
    return starved(BIO_get_data(bio));
  return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *new_bio_method(void) {
  BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "tls session");
  if (method && BIO_meth_set_read(method, bio_read) && BIO_meth_set_write(method, bio_write) &&
      BIO_meth_set_ctrl(method, bio_ctrl))
    return method;
  BIO_meth_free(method);
  return NULL;
}

/* --- Opening and closing -------------------------------------------------------- */

/* Tickets of TLS 1.3 come whenever the server likes, mostly behind the handshake.
 * Resuming does not check the peer's name again, so the key holds all that was
 * checked; whether it was, and ALPN, are the same for a whole context. */
static int on_ticket(SSL *ssl, SSL_SESSION *ticket) {
  struct tls_session *session = SSL_get_app_data(ssl);
  return session->peer[0] && tls_context_keep_ticket(session->context, session->peer, ticket);
}

/* What only sessions know of a context: its first one adds it. */
static bool prepare_context(struct tls_context *context) {
  if (context->bio)
    return true;
  context->bio = new_bio_method();
  if (!context->server)
    SSL_CTX_sess_set_new_cb(context->ssl, on_ticket);
  return context->bio != NULL;
}

static bool is_address(const char *name) {
  unsigned char address[sizeof(struct in6_addr)];
  return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

/* OpenSSL takes an empty name for "any", and a leading dot for "any below". */
static const char *wrong_name(const struct tls_context *context, const char *name) {
  if (!context->verify && !name[0])
    return NULL;
  if (!name[0])
    return "there is no host name to verify the certificate by";
  return name[0] == '.' ? "a host name begins with no dot" : NULL;
}

static bool set_verified_name(struct tls_session *session) {
  X509_VERIFY_PARAM *param = SSL_get0_param(session->ssl);
  SSL_set_hostflags(session->ssl,
                    X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (is_address(session->name))
    return X509_VERIFY_PARAM_set1_ip_asc(param, session->name) == 1;
  return SSL_set1_host(session->ssl, session->name) == 1;
}

/* Cannot tell whether the peer is who it claims to be unless the name is set. */
static bool set_client(struct tls_session *session) {
  struct tls_context *context = session->context;
  SSL_set_connect_state(session->ssl);
  /* SNI never holds an address: RFC 6066. */
  if (session->name[0] && !is_address(session->name) &&
      SSL_set_tlsext_host_name(session->ssl, session->name) != 1)
    return false;
  if (context->verify && !set_verified_name(session))
    return false;
  SSL_SESSION *ticket = session->peer[0] ? tls_context_take_ticket(context, session->peer) : NULL;
  bool good = !ticket || SSL_set_session(session->ssl, ticket) == 1;
  SSL_SESSION_free(ticket);
  return good;
}

static bool set_up(struct tls_session *session) {
  struct tls_context *context = session->context;
  session->ssl = prepare_context(context) ? SSL_new(context->ssl) : NULL;
  BIO *bio = session->ssl ? BIO_new(context->bio) : NULL;
  if (!bio)
    return false;
  BIO_set_data(bio, session);
  BIO_set_init(bio, 1);
  SSL_set_bio(session->ssl, bio, bio); /* one reference serves both ways */
  if (SSL_set_app_data(session->ssl, session) != 1)
    return false;
  if (context->verify)
    SSL_set_verify(session->ssl, SSL_get_verify_mode(session->ssl), on_verify);
  if (!context->server)
    return set_client(session);
  SSL_set_accept_state(session->ssl);
  return true;
}

static struct tls_session *new_session(struct tls_context *context, const struct tls_peer *peer,
                                       const char *name, size_t name_size) {
  const char *host = peer && peer->host ? peer->host : "";
  size_t peer_size = strlen(host) + name_size + 16;
  struct tls_session *session = calloc(1, sizeof *session + peer_size);
  if (!session)
    return NULL;
  session->context = tls_context_acquire(context);
  buffer_init(&session->input);
  buffer_init(&session->output);
  memcpy(session->name, name, name_size);
  if (host[0])
    snprintf(session->peer, peer_size, "%d %s %s", peer->port, session->name, host);
  return session;
}

struct tls_session *tls_session_open(struct tls_context *context, const struct tls_peer *peer,
                                     struct tls_error *error) {
  const char *name = !peer ? NULL : peer->name ? peer->name : peer->host;
  size_t size = name && !context->server ? strlen(name) : 0;
  if (size > 0 && name[size - 1] == '.') /* the root; not in certificates */
    size--;
  struct tls_session *session =
      size <= NAME_MOST ? new_session(context, peer, name ? name : "", size) : NULL;
  const char *problem = size > NAME_MOST  ? "the host name is too long"
                        : !session        ? "not enough memory"
                        : context->server ? NULL
                                          : wrong_name(context, session->name);
  forget_errors();
  if (!problem && set_up(session))
    return session;
  snprintf(error->text, sizeof error->text, "TLS: %s", problem ? problem : "not enough memory");
  forget_errors();
  tls_session_close(session);
  return NULL;
}

void tls_session_close(struct tls_session *session) {
  if (!session)
    return;
  /* Otherwise OpenSSL would make the ticket of a session void that ended early, and
   * since TLS 1.1 it must not. */
  if (session->ssl && session->state != TLS_FAILED && session->state != TLS_HANDSHAKING)
    SSL_set_shutdown(session->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(session->ssl);
  buffer_free(&session->input);
  buffer_free(&session->output);
  tls_context_release(session->context);
  free(session);
}

/* --- Bytes ---------------------------------------------------------------------- */

void tls_session_receive(struct tls_session *session, const char *bytes, size_t size) {
  if (!session->began && size > 0) {
    session->began = true;
    session->foreign = bytes[0] < SSL3_RT_CHANGE_CIPHER_SPEC || bytes[0] > SSL3_RT_APPLICATION_DATA;
  }
  session->lent = bytes;
  session->lent_size = size;
}

void tls_session_keep(struct tls_session *session) {
  if (session->state == TLS_FAILED) {
    buffer_free(&session->input);
  } else if (!buffer_append(&session->input, session->lent, session->lent_size)) {
    set_failure(session, TLS_FAILURE_MEMORY, "not enough memory", "");
    session->state = TLS_FAILED;
  }
  session->lent = NULL;
  session->lent_size = 0;
}

void tls_session_end(struct tls_session *session) {
  session->ended = true;
}

enum tls_state tls_session_handshake(struct tls_session *session) {
  if (session->state != TLS_HANDSHAKING)
    return session->state;
  forget_errors();
  int result = SSL_do_handshake(session->ssl);
  if (result == 1)
    session->state = TLS_OPEN;
  else
    unsuccessful(session, result);
  return session->state;
}

size_t tls_session_read(struct tls_session *session, char *bytes, size_t size) {
  size_t total = 0;
  while (session->state == TLS_OPEN && total < size) {
    size_t count = 0;
    forget_errors();
    int result = SSL_read_ex(session->ssl, bytes + total, size - total, &count);
    total += count;
    if (result == 1)
      continue;
    unsuccessful(session, result);
    break;
  }
  return total;
}

size_t tls_session_write(struct tls_session *session, const char *bytes, size_t size) {
  size_t count = 0;
  bool open = session->state == TLS_OPEN || session->state == TLS_CLOSED;
  if (!open || session->shut || size == 0)
    return 0;
  forget_errors();
  int result =
      SSL_write_ex(session->ssl, bytes, size < TLS_WRITE_MOST ? size : TLS_WRITE_MOST, &count);
  if (result != 1)
    unsuccessful(session, result);
  return count;
}

size_t tls_session_output(const struct tls_session *session, const char **bytes) {
  *bytes = buffer_front(&session->output);
  return buffer_size(&session->output);
}

void tls_session_sent(struct tls_session *session, size_t size) {
  buffer_take(&session->output, size);
}

void tls_session_shutdown(struct tls_session *session) {
  bool open = session->state == TLS_OPEN || session->state == TLS_CLOSED;
  if (!open || session->shut)
    return;
  session->shut = true;
  forget_errors();
  int result = SSL_shutdown(session->ssl);
  if (result < 0)
    unsuccessful(session, result);
}

/* --- Getters -------------------------------------------------------------------- */

enum tls_state tls_session_state(const struct tls_session *session) {
  return session->state;
}

size_t tls_session_pending(const struct tls_session *session) {
  return buffer_size(&session->input) + session->lent_size + (size_t)SSL_pending(session->ssl);
}

enum tls_failure tls_session_failure(const struct tls_session *session) {
  return session->failure;
}

const char *tls_session_error(const struct tls_session *session) {
  return session->error;
}

const char *tls_session_version(const struct tls_session *session) {
  return SSL_is_init_finished(session->ssl) ? SSL_get_version(session->ssl) : NULL;
}

const char *tls_session_cipher(const struct tls_session *session) {
  const SSL_CIPHER *cipher = SSL_get_current_cipher(session->ssl);
  return cipher ? SSL_CIPHER_get_name(cipher) : NULL;
}

const char *tls_session_alpn(const struct tls_session *session, size_t *size) {
  const unsigned char *name = NULL;
  unsigned count = 0;
  SSL_get0_alpn_selected(session->ssl, &name, &count);
  *size = count;
  return (const char *)name;
}

const char *tls_session_server_name(const struct tls_session *session) {
  return SSL_get_servername(session->ssl, TLSEXT_NAMETYPE_host_name);
}

bool tls_session_resumed(const struct tls_session *session) {
  return SSL_session_reused(session->ssl) == 1;
}
