/* The scheduler watched: a ring of what happened last, and the time that tasks take.
 *
 * The scheduler and the loop ask for the watch where something happens; while nobody
 * looks there is none. Events are in the order of time; when the ring is full the
 * oldest are overwritten, and counted. Two reads of the clock for each step.
 */
#ifndef STROBE_TASK_EVENTS_H
#define STROBE_TASK_EVENTS_H

#include "core/loop/loop.h"

struct scheduler;
struct task;

enum { EVENT_TEXT = 23, EVENTS_MOST = 1 << 24 };

enum event_kind {
  EVENT_CREATED, /* task; by whom */
  EVENT_NAMED,   /* task; text */
  EVENT_READY,   /* task; by whom */
  EVENT_RESUMED, /* task */
  EVENT_PARKED,  /* task; text: what it waits for */
  EVENT_ENDED,   /* task; text: how */
  EVENT_POLLING, /* the loop looks for input, or waits for it */
  EVENT_POLLED,
  EVENT_TIMERS /* task: how many fired; other: nanoseconds by which the first was late */
};

struct event {
  int64_t time; /* real, monotonic */
  uint64_t task, other;
  uint8_t kind; /* enum event_kind */
  char text[EVENT_TEXT];
};

struct watch {
  struct loop_watch loop;
  struct scheduler *scheduler;
  struct event *ring; /* kept until the next one or the end, to be read */
  uint64_t count;     /* all events there were: the last `capacity` are in the ring */
  uint32_t capacity;
  bool recording, timing;
  bool warning;           /* late timers are reported */
  bool excused;           /* those of this turn are not: a step was cut, which was told */
  int64_t began;          /* of the step that runs */
  int64_t late;           /* of the first timer that is due */
  struct task *late_task; /* whose timer that is, or NULL */
  uint32_t timers;
};

/* Begins a new ring of so many events. False when there is no memory. */
bool events_start(struct scheduler *scheduler, uint32_t capacity);
void events_stop(struct scheduler *scheduler);

/* Whether the time that tasks take is measured, see record.h. */
void events_take_times(struct scheduler *scheduler, bool on);

/* Whether timers that are late are reported, see inspect.h. */
void events_warn(struct scheduler *scheduler, bool on);

/* The event at a place: 0 is the oldest in the ring; NULL behind the last. */
const struct event *events_at(const struct watch *watch, uint64_t place);

void events_close(struct watch *watch);

/* What the scheduler says while it is watched. */
void watch_created(struct watch *watch, const struct task *task);
void watch_named(struct watch *watch, const struct task *task, const char *name);
void watch_ready(struct watch *watch, const struct task *task);
void watch_resumed(struct watch *watch, const struct task *task);
void watch_parked(struct watch *watch, struct task *task);
void watch_ended(struct watch *watch, struct task *task);

#endif
