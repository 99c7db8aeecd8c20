#include "core/host/notice.h"

#include "core/task/record.h"

#include <errno.h>
#include <unistd.h>

enum { TENTH = 100 * 1000 * 1000, TENTHS = 10, DIGITS = 20 };

static void add_byte(struct notice *notice, char byte) {
  if (notice->size < NOTICE_ROOM - 1)
    notice->text[notice->size++] = byte;
}

void notice_begin(struct notice *notice) {
  notice->size = 0;
  if (isatty(STDERR_FILENO))
    add_byte(notice, '\n');
  notice_add(notice, "strobe: ");
}

void notice_add(struct notice *notice, const char *text) {
  while (*text)
    add_byte(notice, *text++);
}

void notice_add_name(struct notice *notice, const char *name) {
  for (; *name; name++) {
    bool is_control = (unsigned char)*name < ' ' || *name == '\x7f';
    char byte = '?';
    if (!is_control)
      byte = *name;
    add_byte(notice, byte);
  }
}

void notice_add_number(struct notice *notice, int64_t number) {
  char digits[DIGITS];
  int count = 0;
  if (number < 0)
    number = 0;
  do
    digits[count++] = (char)('0' + number % TENTHS);
  while ((number /= TENTHS) > 0);
  while (count > 0)
    add_byte(notice, digits[--count]);
}

void notice_add_seconds(struct notice *notice, int64_t nanoseconds) {
  int64_t tenths = (nanoseconds + TENTH / 2) / TENTH;
  notice_add_number(notice, tenths / TENTHS);
  add_byte(notice, '.');
  notice_add_number(notice, tenths % TENTHS);
  notice_add(notice, " s");
}

void notice_add_running(struct notice *notice, const struct scheduler *scheduler) {
  struct task_record record;
  if (!scheduler->current) {
    notice_add(notice, "a callback");
    return;
  }
  record_read(scheduler, scheduler->current, &record);
  notice_add(notice, record.unit[0] ? "unit " : "'");
  notice_add_name(notice, record.unit[0] ? record.unit : record.name);
  notice_add(notice, record.unit[0] ? "" : "'");
}

void notice_print(struct notice *notice) {
  int before = errno;
  notice->text[notice->size++] = '\n'; /* for which there is room */
  ssize_t ignored = write(STDERR_FILENO, notice->text, notice->size);
  (void)ignored;
  errno = before;
}
