/* Records read from C, without Lua, while a task is in the midst of its step. */
#include "core/host/host.h"
#include "core/task/record.h"
#include "core/task/task.h"
#include "spec/support/check.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };

static struct task_record records[MOST];

/* The records of the living tasks, oldest first; returns their number. */
static int read_all(const struct scheduler *scheduler) {
  int count = 0;
  const struct list *tasks = &scheduler->tasks;
  for (struct list *link = tasks->next; link != tasks && count < MOST; link = link->next)
    record_read(scheduler, list_entry(link, struct task, link), &records[count++]);
  return count;
}

static const struct task_record *named(int count, const char *name) {
  for (int i = 0; i < count; i++)
    if (strcmp(records[i].name, name) == 0)
      return &records[i];
  return NULL;
}

static int look(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  int count = read_all(scheduler);
  const struct task_record *looker = named(count, "main"), *sleeper = named(count, "sleeper");
  const struct task_record *waiter = named(count, "waiter"), *fresh = named(count, "fresh");
  CHECK(looker && looker->state == RECORD_RUNNING);
  CHECK(sleeper && sleeper->state == RECORD_WAITING && strcmp(sleeper->kind, "sleep") == 0);
  CHECK(sleeper->deadline == 7 * CLOCK_SECOND && sleeper->resumed == CLOCK_SECOND);
  CHECK(sleeper->resumes == 1 && sleeper->created == CLOCK_SECOND);
  CHECK(waiter && waiter->awaited == sleeper->id && strcmp(waiter->kind, "future") == 0);
  CHECK(fresh && fresh->state == RECORD_READY && fresh->resumes == 0 && !fresh->kind[0]);
  return 0;
}

static int look_at_ended(lua_State *L) {
  struct scheduler *scheduler = scheduler_of(L);
  struct task_record record;
  CHECK(record_read_ended(scheduler, 0, &record));
  CHECK(record.state == RECORD_FAILED && strcmp(record.name, "failing") == 0);
  CHECK(record.trace && strstr(record.trace, "no luck") && record.ended == 2 * CLOCK_SECOND);
  for (uint32_t i = 0; record_read_ended(scheduler, i, &record); i++)
    if (strcmp(record.name, "sleeper") == 0)
      break;
  CHECK(record.state == RECORD_CANCELLED && strcmp(record.cancel.reason, "enough") == 0);
  CHECK(record.cancel.asked && record.cancel.by == scheduler->current->id);
  CHECK(!record_read_ended(scheduler, RECORD_ENDED, &record));
  return 0;
}

static char code[] =
    "local async = require 'strobe.async'\n"
    "local function task(name, f) local t = async.create_task(f) t:set_name(name) return t end\n"
    "async.sleep(1)\n"
    "local s = task('sleeper', function() async.sleep(6) end)\n"
    "local w = task('waiter', function() s:await() end)\n"
    "async.sleep(1)\n"
    "local f = task('fresh', function() end)\n"
    "look()\n"
    "s:cancel 'enough' f:await() pcall(w.await, w)\n"
    "f = nil s = task('failing', function() error 'no luck' end) pcall(s.await, s)\n"
    "look_at_ended()\n";

int main(void) {
  static char name[] = "strobe", clock[] = "--clock=virtual", line[] = "-e";
  char *argv[] = {name, clock, line, code, NULL};
  static struct host host;
  setenv("NO_COLOR", "1", 1);
  CHECK(host_open(&host, 4, argv) == 0);
  lua_register(host.L, "look", look);
  lua_register(host.L, "look_at_ended", look_at_ended);
  CHECK(host_run(&host) == 0);
  host_close(&host);
  CHECK(checked >= 14);
  puts("good");
  return 0;
}
