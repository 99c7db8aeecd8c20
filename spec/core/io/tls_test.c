/* TLS sessions joined in memory: a client's output is a server's input, and back.
 * Certificates are made here. `tls_test --speed` measures instead. */
#include "core/io/tls_context.h"
#include "core/io/tls_session.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHECK(condition) check(condition, #condition, "", __LINE__)
#define CHECK_TEXT(text, part) check(strstr(text, part) != NULL, part, text, __LINE__)

static void check(bool good, const char *what, const char *instead, int line) {
  if (good)
    return;
  printf("line %d: %s%s%s\n", line, what, instead[0] ? ", instead: " : "", instead);
  exit(1);
}

/* --- Certificates ----------------------------------------------------------------- */

struct identity {
  const char *subject, *names, *issuer; /* names as in "DNS:localhost,IP:127.0.0.1" */
  int first_day, last_day;              /* from today */
  X509 *certificate;
  EVP_PKEY *key;
  BIO *text;
  char *pem; /* of both, in `text` */
};

static struct identity identities[] = {
    {.subject = "Test CA", .issuer = "Test CA", .last_day = 9},
    {.subject = "Other CA", .issuer = "Other CA", .last_day = 9},
    {.subject = "Middle CA", .issuer = "Test CA", .last_day = 9},
    {"good", "DNS:localhost,IP:127.0.0.1", "Test CA", .last_day = 9},
    {"expired", "DNS:localhost", "Test CA", .first_day = -9, .last_day = -1},
    {"early", "DNS:localhost", "Test CA", .first_day = 1, .last_day = 9},
    {"elsewhere", "DNS:x.example,DNS:*.y.example", "Test CA", .last_day = 9},
    {"by ip", "IP:127.0.0.1,IP:::1", "Test CA", .last_day = 9},
    {"stranger", "DNS:localhost", "Other CA", .last_day = 9},
    {"alone", "DNS:localhost", "alone", .last_day = 9},
    {.subject = "localhost", .issuer = "Test CA", .last_day = 9},
    {"chained", "DNS:localhost", "Middle CA", .last_day = 9},
    {"client", "email:a@b.example", "Test CA", .last_day = 9},
};

enum { IDENTITIES = sizeof identities / sizeof *identities };

static struct identity *the(const char *subject) {
  int i = 0;
  while (strcmp(identities[i].subject, subject) != 0)
    i++;
  return &identities[i];
}

static void extend(X509 *certificate, int kind, const char *value) {
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);
  CHECK(extension && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

/* Reachable until the end, thus not freed. */
static void make_identity(struct identity *made) {
  const struct identity *issuer = the(made->issuer);
  X509 *certificate = made->certificate = X509_new();
  made->key = EVP_EC_gen("P-256");
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), made - identities + 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), made->first_day * 86400L);
  X509_gmtime_adj(X509_getm_notAfter(certificate), made->last_day * 86400L);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                             (const unsigned char *)made->subject, -1, -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer->certificate));
  X509_set_pubkey(certificate, made->key);
  extend(certificate, NID_basic_constraints,
         strstr(made->subject, "CA") ? "critical,CA:TRUE" : "CA:FALSE");
  if (made->names)
    extend(certificate, NID_subject_alt_name, made->names);
  CHECK(X509_sign(certificate, issuer->key, EVP_sha256()) > 0);
  BIO *bio = made->text = BIO_new(BIO_s_mem());
  CHECK(PEM_write_bio_X509(bio, certificate) == 1);
  CHECK(PEM_write_bio_PrivateKey(bio, made->key, NULL, NULL, 0, NULL, NULL) == 1);
  CHECK(BIO_write(bio, "", 1) == 1);
  BIO_get_mem_data(bio, &made->pem);
}

/* --- Two ends and what lies between them -------------------------------------------- */

static enum { WHOLE, SPLIT, BYTE_BY_BYTE, FEEDINGS } feeding;

struct end {
  struct tls_session *session;
  struct buffer got;
  bool paused;
};

static struct end client, server;

static const char *const protocols[] = {"http/1.1", "echo", NULL};
static struct tls_options client_options, server_options;
static struct tls_context *client_context, *server_context; /* of these options */

static void reset_options(void) {
  client_options = (struct tls_options){.ca_pem = the("Test CA")->pem, .alpn = protocols};
  server_options =
      (struct tls_options){.server = true, .cert_pem = the("good")->pem, .alpn = protocols};
}

static struct tls_context *context_of(const struct tls_options *options) {
  struct tls_error error = {""};
  struct tls_context *context = tls_context_open(options, &error);
  check(context != NULL, "a context", error.text, __LINE__);
  return context;
}

static struct tls_session *open_session(struct tls_context *context, const struct tls_peer *peer) {
  struct tls_error error = {""};
  struct tls_session *session = tls_session_open(context, peer, &error);
  check(session != NULL, "a session", error.text, __LINE__);
  return session;
}

static void drain(struct end *end) {
  static char bytes[20000];
  size_t size;
  while (!end->paused && (size = tls_session_read(end->session, bytes, sizeof bytes)) > 0)
    CHECK(buffer_append(&end->got, bytes, size));
}

/* From memory of its own, so that a sanitizer sees who reads it too late. */
static void feed(struct end *end, const char *bytes, size_t size) {
  char *copy = malloc(size);
  memcpy(copy, bytes, size);
  tls_session_receive(end->session, copy, size);
  if (tls_session_handshake(end->session) != TLS_HANDSHAKING)
    drain(end);
  tls_session_keep(end->session);
  free(copy);
}

static bool move(struct end *from, struct end *to) {
  const char *bytes;
  size_t size = tls_session_output(from->session, &bytes);
  if (size == 0)
    return false;
  if (feeding != WHOLE)
    size = feeding == BYTE_BY_BYTE ? 1 : 1 + (size_t)rand() % (rand() % 2 ? 8 : size) % size;
  feed(to, bytes, size);
  tls_session_sent(from->session, size);
  return true;
}

static void pump(void) {
  bool moved = true;
  tls_session_handshake(client.session);
  while (moved) {
    moved = move(&client, &server);
    moved = move(&server, &client) || moved;
  }
}

static void open_contexts(void) {
  client_context = context_of(&client_options);
  server_context = context_of(&server_options);
}

/* Sessions keep those that they use. */
static void release_contexts(void) {
  tls_context_release(client_context);
  tls_context_release(server_context);
}

static void join(const char *host, int port, const char *name) {
  struct tls_peer peer = {host, port, name};
  client = (struct end){.session = open_session(client_context, &peer)};
  server = (struct end){.session = open_session(server_context, NULL)};
  pump();
}

static void part(void) {
  tls_session_close(client.session);
  tls_session_close(server.session);
  buffer_free(&client.got);
  buffer_free(&server.got);
}

static void connect_to(const char *host) {
  open_contexts();
  join(host, 443, NULL);
  release_contexts();
}

static void check_open(void) {
  bool open = tls_session_state(client.session) == TLS_OPEN &&
              tls_session_state(server.session) == TLS_OPEN;
  const char *error = tls_session_error(client.session);
  check(open, "two open ends", error[0] ? error : tls_session_error(server.session), __LINE__);
}

static void check_connects(const char *host) {
  connect_to(host);
  check_open();
  part();
}

/* It has failed for this reason at this end; both are closed. */
static void check_failed(const struct end *end, enum tls_failure failure, const char *text) {
  CHECK(tls_session_state(end->session) == TLS_FAILED);
  CHECK_TEXT(tls_session_error(end->session), text);
  CHECK(tls_session_failure(end->session) == failure);
  CHECK(tls_session_write(end->session, "x", 1) == 0);
  part();
}

/* --- Handshake and data ----------------------------------------------------------- */

static void send_through(struct end *from, struct end *to, size_t size) {
  static char bytes[1 << 20];
  for (size_t i = 0; i < size; i++)
    bytes[i] = (char)rand();
  for (size_t done = 0; done < size;) {
    size_t count = tls_session_write(from->session, bytes + done, size - done);
    CHECK(count > 0);
    done += count;
    pump();
  }
  CHECK(buffer_size(&to->got) == size && memcmp(buffer_front(&to->got), bytes, size) == 0);
  buffer_free(&to->got);
}

static void check_agreement(const struct tls_session *session, const char *version) {
  size_t size;
  CHECK_TEXT(tls_session_version(session), version);
  CHECK_TEXT(tls_session_cipher(session), "AES");
  CHECK(memcmp(tls_session_alpn(session, &size), "http/1.1", 8) == 0 && size == 8);
  CHECK(strcmp(tls_session_server_name(session), "localhost") == 0);
}

static void test_data(void) {
  static const size_t sizes[] = {1, 100, 16384, 16385, 65537, 1 << 20};
  for (int round = 0; round < 2 * FEEDINGS; round++) {
    bool old = round < FEEDINGS;
    client_options.max_version = old ? TLS_VERSION_1_2 : TLS_VERSION_ANY;
    feeding = round % FEEDINGS;
    connect_to("localhost");
    check_open();
    check_agreement(client.session, old ? "TLSv1.2" : "TLSv1.3");
    check_agreement(server.session, old ? "TLSv1.2" : "TLSv1.3");
    for (int i = 0; i < (feeding == BYTE_BY_BYTE ? 4 : 6); i++) {
      send_through(&client, &server, sizes[i]);
      send_through(&server, &client, sizes[i]);
    }
    part();
  }
  feeding = WHOLE;
}

static void test_agreement(void) {
  static const char *const only_echo[] = {"echo", NULL}, *const other[] = {"other", NULL};
  size_t size;
  client_options.alpn = only_echo;
  connect_to("localhost");
  CHECK(memcmp(tls_session_alpn(server.session, &size), "echo", 4) == 0 && size == 4);
  part();
  client_options.alpn = other;
  connect_to("localhost");
  CHECK_TEXT(tls_session_error(client.session), "refused by the peer: no application protocol");
  check_failed(&server, TLS_FAILURE_PROTOCOL, "no application protocol");
  client_options.alpn = NULL;
  client_options.max_version = TLS_VERSION_1_2;
  connect_to("localhost");
  check_open();
  CHECK(tls_session_alpn(client.session, &size) == NULL && size == 0);
  part();
  server_options.min_version = TLS_VERSION_1_3;
  connect_to("localhost");
  CHECK_TEXT(tls_session_error(client.session), "refused by the peer: protocol version");
  check_failed(&server, TLS_FAILURE_PROTOCOL, "unsupported protocol");
}

static void check_peer(const struct tls_session *session, enum tls_peer_text what,
                       const char *expected) {
  struct buffer text;
  buffer_init(&text);
  CHECK(tls_session_peer(session, what, &text) && buffer_append(&text, "", 1));
  CHECK_TEXT(buffer_front(&text), expected);
  buffer_free(&text);
}

/* Parts without close_notify, which must not matter. */
static bool resumes(const char *host, int port, const char *name) {
  join(host, port, name);
  check_open();
  bool resumed = tls_session_resumed(client.session);
  CHECK(tls_session_resumed(server.session) == resumed);
  check_peer(client.session, TLS_PEER_SUBJECT, "CN=good");
  part();
  return resumed;
}

static void test_resumption(void) {
  open_contexts();
  CHECK(!resumes("localhost", 443, NULL));
  for (int i = 0; i < 5; i++)
    CHECK(resumes("localhost", 443, NULL));
  CHECK(!resumes("localhost", 444, NULL));
  CHECK(!resumes("127.0.0.1", 443, "localhost"));
  CHECK(!resumes("127.0.0.1", 443, NULL));
  for (int port = 1000; port < 1080; port++)
    CHECK(!resumes("localhost", port, NULL));
  CHECK(client_context->ticket_count == 64);
  CHECK(resumes("localhost", 1079, NULL));
  CHECK(!resumes("localhost", 1000, NULL)); /* given up for newer ones */
  /* A server that was started anew cannot read the tickets. */
  tls_context_release(server_context);
  server_context = context_of(&server_options);
  CHECK(!resumes("localhost", 1078, NULL));
  release_contexts();
}

static void test_resumption_before_1_3(void) {
  client_options.max_version = TLS_VERSION_1_2;
  test_resumption();
}

/* --- Whom to trust ------------------------------------------------------------------ */

static const struct {
  const char *server, *host, *text; /* why it fails, or NULL */
} trusts[] = {
    {"good", "localhost", NULL},
    {"good", "LOCALHOST.", NULL},
    {"good", "127.0.0.1", NULL},
    {"by ip", "127.0.0.1", NULL},
    {"by ip", "::1", NULL},
    {"by ip", "127.0.0.2", "certificate is for IP:127.0.0.1, IP:::1, not 127.0.0.2"},
    {"by ip", "localhost", "hostname mismatch"},
    {"elsewhere", "localhost", "certificate is for DNS:x.example, DNS:*.y.example, not"},
    {"elsewhere", "z.y.example", NULL},
    {"elsewhere", "a.b.y.example", "hostname mismatch"},
    {"localhost", "localhost", "certificate is for no name at all, not localhost"},
    {"expired", "localhost", "certificate has expired (valid until "},
    {"early", "localhost", "certificate is not yet valid (valid from "},
    {"stranger", "localhost", "get local issuer certificate (certificate of CN=stranger)"},
    {"chained", "localhost", "unable to get local issuer certificate"},
    {"alone", "localhost", "self-signed certificate (certificate of CN=alone)"},
};

static void test_trust(void) {
  for (size_t i = 0; i < sizeof trusts / sizeof *trusts; i++) {
    server_options.cert_pem = the(trusts[i].server)->pem;
    client_options.verify = TLS_VERIFY_NONE;
    check_connects(trusts[i].host);
    client_options.verify = TLS_VERIFY_DEFAULT;
    if (!trusts[i].text) {
      check_connects(trusts[i].host);
      continue;
    }
    connect_to(trusts[i].host);
    CHECK_TEXT(tls_session_error(server.session), "refused by the peer: ");
    check_failed(&client, TLS_FAILURE_CERTIFICATE, trusts[i].text);
  }
}

/* The middle of a chain comes from the server; all of it may lie in one text. */
static void test_chain(void) {
  char all[5000];
  snprintf(all, sizeof all, "%s%s", the("chained")->pem, the("Middle CA")->pem);
  server_options.cert_pem = all;
  check_connects("localhost");
  server_options.cert_pem = the("alone")->pem;
  client_options.ca_pem = the("alone")->pem;
  check_connects("localhost");
  client_options.ca_pem = NULL; /* the system's */
  connect_to("localhost");
  check_failed(&client, TLS_FAILURE_CERTIFICATE, "self-signed certificate");
}

static void test_client_certificates(void) {
  struct buffer none = {0};
  server_options.ca_pem = the("Test CA")->pem;
  server_options.verify = TLS_VERIFY_OPTIONAL;
  connect_to("localhost");
  check_open();
  CHECK(!tls_session_peer(server.session, TLS_PEER_SUBJECT, &none));
  part();
  server_options.verify = TLS_VERIFY_REQUIRED;
  connect_to("localhost");
  CHECK_TEXT(tls_session_error(client.session), "refused by the peer: certificate required");
  check_failed(&server, TLS_FAILURE_CERTIFICATE, "the peer showed no certificate");
  client_options.cert_pem = the("stranger")->pem;
  connect_to("localhost");
  check_failed(&server, TLS_FAILURE_CERTIFICATE, "unable to get local issuer");
  client_options.cert_pem = the("client")->pem;
  connect_to("localhost");
  check_open();
  check_peer(server.session, TLS_PEER_SUBJECT, "CN=client");
  check_peer(server.session, TLS_PEER_ISSUER, "CN=Test CA");
  check_peer(server.session, TLS_PEER_NAMES, "email:a@b.example");
  check_peer(client.session, TLS_PEER_NAMES, "DNS:localhost, IP:127.0.0.1");
  check_peer(client.session, TLS_PEER_FINGERPRINT, ":");
  check_peer(client.session, TLS_PEER_VALID_UNTIL, "GMT");
  part();
}

/* --- Ends and damage ---------------------------------------------------------------- */

static void test_close(void) {
  connect_to("localhost");
  CHECK(tls_session_write(client.session, "last", 4) == 4);
  for (int i = 0; i < 2; i++) {
    tls_session_shutdown(client.session);
    CHECK(tls_session_write(client.session, "more", 4) == 0);
  }
  pump();
  tls_session_end(server.session);
  drain(&server);
  CHECK(tls_session_state(server.session) == TLS_CLOSED && buffer_size(&server.got) == 4);
  send_through(&server, &client, 100); /* the other way is still open */
  tls_session_shutdown(server.session);
  pump();
  CHECK(tls_session_state(client.session) == TLS_CLOSED && !tls_session_failure(client.session));
  part();
}

/* What had come before the cut is read first, even by a reader that paused meanwhile. */
static void test_truncation(void) {
  const char *bytes;
  char start[3];
  connect_to("localhost");
  server.paused = true;
  for (int i = 0; i < 100; i++)
    CHECK(tls_session_write(client.session, "0123456789", 10) == 10);
  pump();
  CHECK(tls_session_pending(server.session) > 1000);
  CHECK(tls_session_read(server.session, start, 3) == 3 && memcmp(start, "012", 3) == 0);
  CHECK(tls_session_write(client.session, "cut", 3) == 3);
  size_t size = tls_session_output(client.session, &bytes);
  feed(&server, bytes, size - 1);
  tls_session_end(server.session);
  CHECK(tls_session_state(server.session) == TLS_OPEN);
  server.paused = false;
  drain(&server);
  CHECK(buffer_size(&server.got) == 997);
  check_failed(&server, TLS_FAILURE_TRUNCATED, "without close_notify");
}

static void test_damage(void) {
  const char *bytes;
  connect_to("localhost");
  CHECK(tls_session_write(client.session, "damaged", 7) == 7);
  size_t size = tls_session_output(client.session, &bytes);
  ((char *)bytes)[size - 1] ^= 1;
  pump();
  CHECK_TEXT(tls_session_error(client.session), "refused by the peer: bad record mac");
  check_failed(&server, TLS_FAILURE_PROTOCOL, "bad record mac");
}

/* Foreign bytes instead of a peer's first, or of all that would follow. */
static void test_foreign_peers(void) {
  static const struct {
    bool server, end;
    const char *bytes, *text;
  } foreign[] = {
      {true, false, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "not speak TLS: a plain HTTP request"},
      {true, false, "\x80\xff garbage, more garbage", "does not speak TLS: "},
      {true, false, "\x16\x03\x01\x01\x10garbage for a record of 16 bytes", NULL},
      {true, true, "\x16\x03\x01", "the connection ended during the handshake"},
      {true, true, "", "the connection ended during the handshake"},
      {false, false, "HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak TLS: "},
      {false, true, "", "the connection ended during the handshake"},
  };
  for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++) {
    struct tls_context *context = context_of(foreign[i].server ? &server_options : &client_options);
    struct end end = {.session = open_session(context, &(struct tls_peer){"localhost", 1, NULL})};
    tls_session_handshake(end.session);
    for (const char *bytes = foreign[i].bytes; *bytes; bytes++)
      feed(&end, bytes, 1);
    if (foreign[i].end)
      tls_session_end(end.session);
    tls_session_handshake(end.session);
    if (foreign[i].text)
      CHECK_TEXT(tls_session_error(end.session), foreign[i].text);
    CHECK((tls_session_state(end.session) == TLS_FAILED) == (foreign[i].text != NULL));
    tls_session_close(end.session);
    tls_context_release(context);
  }
}

static void check_refused(struct tls_options options, const char *text) {
  struct tls_error error = {""};
  CHECK(tls_context_open(&options, &error) == NULL);
  CHECK_TEXT(error.text, text);
}

static void test_options(void) {
  static const char *const empty_name[] = {"", NULL};
  static const char damaged[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const char *good = the("good")->pem, *other = the("alone")->pem;
  check_refused((struct tls_options){.server = true}, "certificate: a server needs one");
  check_refused((struct tls_options){.key_pem = good}, "certificate: none for the private key");
  check_refused((struct tls_options){.cert_pem = good, .key_pem = other},
                "private key: the key does not match the certificate");
  check_refused((struct tls_options){.cert_pem = good, .key_pem = "?"}, "no PEM private key in it");
  check_refused((struct tls_options){.cert_pem = "?"}, "certificate: there is no PEM certificate");
  check_refused((struct tls_options){.ca_file = "/nowhere/ca.pem"},
                "CA certificates /nowhere/ca.pem: cannot be read (No such file or directory)");
  check_refused((struct tls_options){.ca_pem = damaged},
                "CA certificates: a certificate is damaged");
  check_refused((struct tls_options){.alpn = empty_name}, "ALPN: names of 1 to 255 bytes");
  server_options.verify = TLS_VERIFY_REQUIRED;
  check_refused(server_options, "CA certificates: none to verify clients by");
}

/* An encrypted key, and all that lies in files. */
static void test_files(void) {
  char path[] = "/tmp/tls_test-XXXXXX", *secret = (char *)"secret";
  FILE *file = fdopen(mkstemp(path), "w");
  const struct identity *good = the("good");
  CHECK(file && PEM_write_PrivateKey(file, good->key, EVP_aes_128_cbc(), NULL, 0, NULL, secret));
  CHECK(PEM_write_X509(file, good->certificate) == 1 && fclose(file) == 0);
  server_options = (struct tls_options){.server = true, .cert_file = path};
  check_refused(server_options, "it is encrypted, and there is no password");
  server_options.password = "wrong";
  check_refused(server_options, "the password does not open it");
  server_options.password = secret;
  check_connects("localhost");
  unlink(path);
}

static void test_host_names(void) {
  static const char *const names[] = {"", ".", ".localhost", NULL};
  struct tls_error error = {""};
  open_contexts();
  for (int i = 0; i < 4; i++)
    CHECK(!tls_session_open(client_context, &(struct tls_peer){.host = names[i]}, &error));
  CHECK_TEXT(error.text, "no host name to verify the certificate by");
  release_contexts();
}

static void measure_handshakes(bool resume) {
  enum { TIMES = 2000 };
  clock_t start = clock();
  for (int i = 0; i < TIMES; i++)
    CHECK(resumes("localhost", resume ? 443 : i, NULL) == (resume && i > 0));
  double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
  printf("%s: %.0f handshakes/s\n", resume ? "resumed" : "full", TIMES / seconds);
}

/* Batches of 64 KiB, as from one turn of a loop. */
static void measure_data(size_t size) {
  enum { BATCH = 64 * 1024 };
  static char plain[BATCH];
  double count = 0;
  clock_t start = clock();
  for (; clock() - start < CLOCKS_PER_SEC; count += BATCH) {
    const char *bytes;
    for (size_t done = 0; done < BATCH; done += size)
      CHECK(tls_session_write(client.session, plain, size) == size);
    size_t encrypted = tls_session_output(client.session, &bytes);
    tls_session_receive(server.session, bytes, encrypted);
    CHECK(tls_session_read(server.session, plain, BATCH) == BATCH);
    tls_session_sent(client.session, encrypted);
  }
  printf("%zu B: %.0f MB/s, %.2f M/s\n", size, count / 1e6, count / (double)size / 1e6);
}

static int measure(void) {
  open_contexts();
  measure_handshakes(false);
  measure_handshakes(true);
  join("localhost", 443, NULL);
  for (size_t size = 64; size <= 16384; size *= 16)
    measure_data(size);
  part();
  release_contexts();
  return 0;
}

int main(int argc, char **argv) {
  static void (*const tests[])(void) = {
      test_data,       test_agreement, test_resumption,          test_resumption_before_1_3,
      test_trust,      test_chain,     test_client_certificates, test_close,
      test_truncation, test_damage,    test_foreign_peers,       test_options,
      test_files,      test_host_names};
  for (int i = 0; i < IDENTITIES; i++)
    make_identity(&identities[i]);
  reset_options();
  if (argc > 1 && strcmp(argv[1], "--speed") == 0)
    return measure();
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++, reset_options())
    tests[i]();
  puts("good");
  return 0;
}
