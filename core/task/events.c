#include "core/task/events.h"

#include "core/task/inspect.h"
#include "core/task/task.h"
#include "core/task/wait.h"

#include <stdlib.h>
#include <string.h>

/* Nanoseconds by which a timer may be late. */
enum { MUCH_LATE = 50 * 1000 * 1000 };

static uint64_t current_id(const struct watch *watch) {
  const struct task *current = watch->scheduler->current;
  return current ? current->id : 0;
}

static void add_at(struct watch *watch, int64_t time, struct event event, const char *text) {
  if (!watch->recording)
    return;
  event.time = time;
  if (text)
    record_copy(event.text, EVENT_TEXT, text);
  watch->ring[watch->count++ % watch->capacity] = event;
}

static void add(struct watch *watch, struct event event, const char *text) {
  if (watch->recording)
    add_at(watch, clock_real(), event, text);
}

void watch_created(struct watch *watch, const struct task *task) {
  add(watch, (struct event){.kind = EVENT_CREATED, .task = task->id, .other = current_id(watch)},
      NULL);
}

void watch_named(struct watch *watch, const struct task *task, const char *name) {
  add(watch, (struct event){.kind = EVENT_NAMED, .task = task->id}, name);
}

void watch_ready(struct watch *watch, const struct task *task) {
  add(watch, (struct event){.kind = EVENT_READY, .task = task->id, .other = current_id(watch)},
      NULL);
}

void watch_resumed(struct watch *watch, const struct task *task) {
  watch->began = clock_real();
  add_at(watch, watch->began, (struct event){.kind = EVENT_RESUMED, .task = task->id}, NULL);
}

/* The step is over: returns the time. */
static int64_t account(struct watch *watch, struct task *task) {
  int64_t now = clock_real();
  if (watch->timing && watch->began > 0)
    record_ran(watch->scheduler, task, now - watch->began);
  watch->began = 0;
  return now;
}

static const char *wait_text(const struct task *task) {
  const struct wait_kind *wait = task->wait;
  if (!wait)
    return "ready";
  return wait->describe ? wait->describe(task) : wait->name;
}

void watch_parked(struct watch *watch, struct task *task) {
  int64_t now = account(watch, task);
  add_at(watch, now, (struct event){.kind = EVENT_PARKED, .task = task->id}, wait_text(task));
}

void watch_ended(struct watch *watch, struct task *task) {
  static const char *const how[] = {"", "returned", "failed", "cancelled"};
  int64_t now = account(watch, task);
  add_at(watch, now, (struct event){.kind = EVENT_ENDED, .task = task->id},
         how[task->future.state]);
}

/* Looks at the timers before they fire, and tells of them afterwards. */
static void look_at_timers(struct watch *watch, const struct loop *loop) {
  int64_t when;
  struct heap_node *first = heap_first(&loop->timers, &when);
  watch->timers = loop->timers.count;
  watch->late = first && when <= loop->now ? loop->now - when : -1;
  watch->late_task = first ? wait_task_of(list_entry(first, struct timer, node)) : NULL;
}

/* Virtual time is never late, and scaled time by itself. */
static void warn_of_timers(struct watch *watch, const struct loop *loop) {
  bool much = watch->late > MUCH_LATE && loop->clock.mode == CLOCK_LIVE;
  if (watch->warning && much && !watch->excused)
    inspect_late(watch->scheduler, watch->late_task, watch->late);
  watch->excused = false;
}

static void tell_timers(struct watch *watch, const struct loop *loop) {
  if (watch->late >= 0)
    add(watch,
        (struct event){.kind = EVENT_TIMERS,
                       .task = watch->timers - loop->timers.count,
                       .other = (uint64_t)watch->late},
        NULL);
}

static void saw(struct loop_watch *base, enum loop_moment moment) {
  struct watch *watch = (struct watch *)base; /* its first member */
  const struct loop *loop = watch->scheduler->loop;
  switch (moment) {
  case LOOP_POLLING:
    add(watch, (struct event){.kind = EVENT_POLLING}, NULL);
    break;
  case LOOP_POLLED:
    add(watch, (struct event){.kind = EVENT_POLLED}, NULL);
    break;
  case LOOP_FIRING:
    look_at_timers(watch, loop);
    break;
  case LOOP_FIRED:
    tell_timers(watch, loop);
    warn_of_timers(watch, loop);
    break;
  }
}

/* The scheduler has a watch as long as there is something to see. */
static void attach(struct scheduler *scheduler) {
  struct watch *watch = &scheduler->watching;
  watch->scheduler = scheduler;
  watch->loop.saw = saw;
  watch->late = -1;
  scheduler->watch = watch->recording || watch->timing ? watch : NULL;
  scheduler->loop->watch = watch->recording || watch->warning ? &watch->loop : NULL;
}

bool events_start(struct scheduler *scheduler, uint32_t capacity) {
  struct watch *watch = &scheduler->watching;
  struct event *ring = malloc(capacity * sizeof *ring);
  if (!ring)
    return false;
  free(watch->ring);
  watch->ring = ring;
  watch->capacity = capacity;
  watch->count = 0;
  watch->recording = true;
  attach(scheduler);
  return true;
}

void events_stop(struct scheduler *scheduler) {
  scheduler->watching.recording = false;
  attach(scheduler);
}

void events_take_times(struct scheduler *scheduler, bool on) {
  scheduler->watching.timing = on;
  scheduler->watching.began = 0;
  attach(scheduler);
}

void events_warn(struct scheduler *scheduler, bool on) {
  scheduler->watching.warning = on;
  attach(scheduler);
}

const struct event *events_at(const struct watch *watch, uint64_t place) {
  uint64_t first = watch->count > watch->capacity ? watch->count - watch->capacity : 0;
  if (place >= watch->count - first)
    return NULL;
  return &watch->ring[(first + place) % watch->capacity];
}

void events_close(struct watch *watch) {
  free(watch->ring);
  memset(watch, 0, sizeof *watch);
}
