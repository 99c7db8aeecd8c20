#include "modules/strobe/http/head.h"

#include <string.h>
#include <strings.h>

/* --- Fields --------------------------------------------------------------------------------- */

static bool text_is(struct http_text text, const char *word) {
  return strlen(word) == text.size && strncasecmp(text.bytes, word, text.size) == 0;
}

int http_head_find(const struct http_head *head, const char *name, int from) {
  for (int i = from; i < head->field_count; i++)
    if (text_is(http_field_name(head, i), name))
      return i;
  return -1;
}

static int count(const struct http_head *head, const char *name) {
  int found = 0;
  for (int i = http_head_find(head, name, 0); i >= 0; i = http_head_find(head, name, i + 1))
    found++;
  return found;
}

bool http_head_join(const struct http_head *head, const char *name, struct buffer *out) {
  int first = http_head_find(head, name, 0);
  for (int i = first; i >= 0; i = http_head_find(head, name, i + 1)) {
    struct http_text value = http_field_value(head, i);
    if (i != first && !buffer_append(out, ", ", 2))
      return false;
    if (!buffer_append(out, value.bytes, value.size))
      return false;
  }
  return true;
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static void strip(const struct http_head *head, struct http_slice *slice) {
  while (slice->size > 0 && is_blank(head->bytes[slice->start + slice->size - 1]))
    slice->size--;
  while (slice->size > 0 && is_blank(head->bytes[slice->start])) {
    slice->start++;
    slice->size--;
  }
}

/* --- The first line --------------------------------------------------------------------------- */

static const struct http_fault bad_line = {400, "malformed first line"};
static const struct http_fault bad_method = {400, "malformed method"};
static const struct http_fault unknown_method = {501, "unknown method"};
static const struct http_fault bad_version = {400, "not HTTP/1.0 or HTTP/1.1"};
static const struct http_fault long_target = {414, "target longer than 8 KiB"};

static const char *const methods[] = {"GET",     "HEAD",  "POST",    "PUT",  "DELETE",
                                      "CONNECT", "TRACE", "OPTIONS", "PATCH"};

static bool is_known(struct http_text method) {
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
    if (strlen(methods[i]) == method.size && !memcmp(methods[i], method.bytes, method.size))
      return true;
  return false;
}

/* Letters and dashes: other names are no method of anybody's. */
static bool is_name(struct http_text text) {
  for (size_t i = 0; i < text.size; i++) {
    char c = text.bytes[i];
    if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_'))
      return false;
  }
  return text.size > 0;
}

const struct http_fault *http_head_check_method(struct http_head *head) {
  const char *space = memchr(head->bytes, ' ', head->size);
  head->method = (struct http_slice){0, space ? (uint16_t)(space - head->bytes) : 0};
  struct http_text method = http_head_text(head, head->method);
  if (is_known(method))
    return NULL;
  /* PRI is how HTTP/2 begins, which nobody can offer us. */
  bool is_pri = method.size == 3 && memcmp(method.bytes, "PRI", 3) == 0;
  return is_name(method) && !is_pri ? &unknown_method : &bad_method;
}

/* Whether a version stands at `at`; the head is long enough for one, as it ends with two
 * line ends. */
static bool read_version(struct http_head *head, size_t at) {
  static const char name[] = "HTTP/1.";
  size_t size = sizeof name - 1;
  if (at + size >= head->size || memcmp(head->bytes + at, name, size) != 0)
    return false;
  char minor = head->bytes[at + size];
  head->minor = (uint8_t)(minor - '0');
  return minor == '0' || minor == '1';
}

enum { VERSION_SIZE = sizeof "HTTP/1.1" - 1 };

/* METHOD SP target SP version CR: single spaces only. */
static const struct http_fault *check_request_line(struct http_head *head) {
  size_t target = head->method.size + 1u;
  size_t version = target + head->target.size + 1;
  if (head->target.size == 0 || head->target.start != target)
    return &bad_line;
  if (head->bytes[version - 1] != ' ' || !read_version(head, version))
    return &bad_version;
  if (head->bytes[version + VERSION_SIZE] != '\r')
    return &bad_line;
  return head->target.size > HTTP_TARGET_MAX ? &long_target : NULL;
}

static bool is_printable(struct http_text text) {
  for (size_t i = 0; i < text.size; i++)
    if (((unsigned char)text.bytes[i] < ' ' && text.bytes[i] != '\t') || text.bytes[i] == 0x7f)
      return false;
  return true;
}

/* version SP three digits, then a reason or nothing at all. The parser saw that they are
 * digits, but would take more of them, or more spaces. */
static const struct http_fault *check_status_line(struct http_head *head) {
  const char *code = head->bytes + VERSION_SIZE + 1, *after = code + 3;
  const char *end = memchr(head->bytes, '\r', head->size);
  if (!read_version(head, 0))
    return &bad_version;
  if (!end || after > end || code[-1] != ' ' || head->status < 100 ||
      (after < end && *after != ' '))
    return &bad_line;
  head->reason = (struct http_slice){(uint16_t)(after - head->bytes), (uint16_t)(end - after)};
  strip(head, &head->reason);
  return is_printable(http_head_text(head, head->reason)) ? NULL : &bad_line;
}

/* --- What the fields say ------------------------------------------------------------------------
 */

static const struct http_fault no_host = {400, "no Host"};
static const struct http_fault many_hosts = {400, "more than one Host"};
static const struct http_fault early_coding = {400, "Transfer-Encoding in HTTP/1.0"};
static const struct http_fault bad_coding = {400, "a Transfer-Encoding other than chunked"};

static const struct http_fault *check_host(const struct http_head *head) {
  int hosts = count(head, "host");
  if (hosts > 1)
    return &many_hosts;
  return hosts == 0 && head->minor > 0 ? &no_host : NULL;
}

/* Whoever decodes another coding, or the same one twice, sees another body than we do. */
static const struct http_fault *check_coding(struct http_head *head) {
  static const char name[] = "transfer-encoding";
  int field = http_head_find(head, name, 0);
  head->chunked = field >= 0;
  if (field < 0)
    return NULL;
  if (head->minor == 0)
    return &early_coding;
  bool only = http_head_find(head, name, field + 1) < 0;
  return only && text_is(http_field_value(head, field), "chunked") ? NULL : &bad_coding;
}

const struct http_fault *http_head_check(struct http_head *head, enum http_kind kind) {
  const struct http_fault *fault =
      kind == HTTP_REQUESTS ? check_request_line(head) : check_status_line(head);
  for (int i = 0; i < head->field_count; i++)
    strip(head, &head->fields[i].value);
  if (!fault && kind == HTTP_REQUESTS)
    fault = check_host(head);
  return fault ? fault : check_coding(head);
}
