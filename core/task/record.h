/* What is known of each task, in plain C: to be read without Lua, even while Lua is stuck.
 *
 * A task itself holds what costs next to nothing: when it was made, how often it ran and when last.
 * What few tasks have (a name, a cancellation, running times) lies in a note, of which there are at
 * most RECORD_MOST_NOTES: further tasks go without. The tasks that ended last are remembered, and
 * hold nothing alive. A reader gets copies; it must run on the scheduler's thread.
 */
#ifndef STROBE_TASK_RECORD_H
#define STROBE_TASK_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scheduler;
struct task;

enum { RECORD_TEXT = 64, RECORD_TRACE = 2048, RECORD_ENDED = 100, RECORD_MOST_NOTES = 4096 };

enum record_state {
  RECORD_READY,
  RECORD_RUNNING,
  RECORD_WAITING,
  RECORD_FROZEN,     /* not resumed, see freeze.c */
  RECORD_CANCELLING, /* it was cancelled, and cleans up */
  RECORD_RETURNED,
  RECORD_FAILED,
  RECORD_CANCELLED,
  RECORD_CLOSED /* where it was, see freeze.c */
};

struct record_cancel {
  bool asked;
  uint64_t by; /* the task that asked, 0: a callback or the host */
  int64_t at;
  char reason[RECORD_TEXT];
};

struct record_note {
  char name[RECORD_TEXT]; /* "": it has none of its own */
  char unit[RECORD_TEXT]; /* whose code it runs; "": no unit's */
  int64_t generation;     /* of the unit */
  struct record_cancel cancel;
  int64_t run, longest; /* nanoseconds, while times are taken */
  char *trace;          /* of the error that ended it; freed with the note */
  uint32_t next_free;
};

struct record_end {
  uint64_t id, parent, group;
  int64_t created, ended, resumed;
  uint32_t resumes, note;
  enum record_state how;
};

/* What the scheduler keeps. Note 0 is none. */
struct record_book {
  struct record_note *notes;
  uint32_t count, capacity, free;
  uint64_t missing; /* notes that could not be had */
  uint64_t endings; /* all there were: the last RECORD_ENDED of them are kept */
  struct record_end ended[RECORD_ENDED];
};

/* Times are nanoseconds on the loop's clock, as exact as its turns. */
struct task_record {
  uint64_t id, parent, group; /* see task.h */
  enum record_state state;
  char name[RECORD_TEXT], unit[RECORD_TEXT];
  int64_t generation;
  int64_t created, resumed, ended; /* resumed: when it last ran; 0: never */
  uint32_t resumes;
  uint16_t cancelling;
  char kind[RECORD_TEXT]; /* of its wait: "sleep", "future", "lock", …; "": it waits for nothing */
  uint64_t awaited;       /* the task it awaits, or 0 */
  int64_t deadline;       /* of its wait, or 0 */
  int64_t run, longest;
  struct record_cancel cancel;
  const char *trace; /* valid until the next task ends; or NULL */
};

void record_close(struct record_book *book);

/* Copies text into so much room; what is too long ends at the end of a character. */
void record_copy(char *to, size_t room, const char *text);

/* A task is cancelled, named, or has run for so long. */
void record_cancelled(struct scheduler *scheduler, struct task *task, const char *reason);
void record_named(struct scheduler *scheduler, struct task *task, const char *name);
void record_ran(struct scheduler *scheduler, struct task *task, int64_t taken);

/* A task runs the code of a unit. */
void record_owned(struct scheduler *scheduler, struct task *task, const char *unit,
                  int64_t generation);

/* A task has failed with that trace. */
void record_failed(struct scheduler *scheduler, struct task *task, const char *trace);

/* A task has ended: its note goes to the ended ones. */
void record_ended(struct scheduler *scheduler, struct task *task);

/* The one that ended last was closed. */
void record_closed(struct scheduler *scheduler);

/* What is known of a task, which may have ended. */
void record_read(const struct scheduler *scheduler, const struct task *task,
                 struct task_record *record);

/* The same of those that ended: 0 is the last one. False when there are not so many. */
bool record_read_ended(const struct scheduler *scheduler, uint32_t back,
                       struct task_record *record);

/* Where a living task stands: the innermost line of code which is not our own. False when that
 * is nowhere. `file` has room for RECORD_TEXT bytes. Needs no memory. */
bool record_where(const struct task *task, char *file, int *line);

#endif
