#include "core/task/record.h"

#include "core/task/generator.h"
#include "core/task/task.h"
#include "core/task/traceback.h"
#include "core/task/wait.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_NOTES = 16, MOST_LEVELS = 200, MICROSECOND = 1000 };

static bool grow(struct record_book *book) {
  uint32_t capacity = book->capacity ? 2 * book->capacity : FIRST_NOTES;
  if (capacity > RECORD_MOST_NOTES)
    return false;
  struct record_note *notes = malloc(capacity * sizeof *notes), *old = book->notes;
  if (!notes)
    return false;
  if (old)
    memcpy(notes, old, book->count * sizeof *notes);
  book->notes = notes; /* at no time is it freed memory: a signal handler may read it */
  free(old);
  book->capacity = capacity;
  return true;
}

/* The number of a new note, or 0. */
static uint32_t note_acquire(struct record_book *book) {
  uint32_t number = book->free;
  if (number > 0) {
    book->free = book->notes[number - 1].next_free;
  } else if (book->count < book->capacity || grow(book)) {
    number = ++book->count;
  } else {
    book->missing++;
    return 0;
  }
  book->notes[number - 1] = (struct record_note){.trace = NULL};
  return number;
}

static void note_release(struct record_book *book, uint32_t number) {
  if (number == 0)
    return;
  struct record_note *note = &book->notes[number - 1];
  free(note->trace);
  note->trace = NULL;
  note->next_free = book->free;
  book->free = number;
}

void record_close(struct record_book *book) {
  for (uint32_t i = 0; i < book->count; i++)
    free(book->notes[i].trace);
  free(book->notes);
  memset(book, 0, sizeof *book);
}

/* The note of a living task, made when it has none; or NULL. */
static struct record_note *note_of(struct scheduler *scheduler, struct task *task) {
  if (!list_linked(&task->link))
    return NULL;
  if (task->note == 0)
    task->note = note_acquire(&scheduler->records);
  return task->note > 0 ? &scheduler->records.notes[task->note - 1] : NULL;
}

void record_copy(char *to, size_t room, const char *text) {
  size_t size = strlen(text);
  if (size >= room) {
    size = room - 1;
    while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
      size--;
  }
  memcpy(to, text, size);
  to[size] = 0;
}

void record_cancelled(struct scheduler *scheduler, struct task *task, const char *reason) {
  struct record_note *note = note_of(scheduler, task);
  if (!note)
    return;
  note->cancel = (struct record_cancel){.asked = true,
                                        .by = scheduler->current ? scheduler->current->id : 0,
                                        .at = clock_now(&scheduler->loop->clock)};
  record_copy(note->cancel.reason, sizeof note->cancel.reason, reason ? reason : "");
}

void record_named(struct scheduler *scheduler, struct task *task, const char *name) {
  struct record_note *note = note_of(scheduler, task);
  if (note)
    record_copy(note->name, sizeof note->name, name);
}

void record_owned(struct scheduler *scheduler, struct task *task, const char *unit,
                  int64_t generation) {
  struct record_note *note = note_of(scheduler, task);
  if (!note)
    return;
  record_copy(note->unit, sizeof note->unit, unit);
  note->generation = generation;
}

void record_ran(struct scheduler *scheduler, struct task *task, int64_t taken) {
  struct record_note *note = note_of(scheduler, task);
  if (!note)
    return;
  note->run += taken;
  note->longest = taken > note->longest ? taken : note->longest;
}

void record_failed(struct scheduler *scheduler, struct task *task, const char *trace) {
  struct record_note *note = note_of(scheduler, task);
  if (note && !note->trace && (note->trace = malloc(RECORD_TRACE)))
    record_copy(note->trace, RECORD_TRACE, trace);
}

static const enum record_state endings[] = {
    [FUTURE_FINISHED] = RECORD_RETURNED,
    [FUTURE_FAILED] = RECORD_FAILED,
    [FUTURE_CANCELLED] = RECORD_CANCELLED,
};

void record_ended(struct scheduler *scheduler, struct task *task) {
  struct record_book *book = &scheduler->records;
  struct record_end *end = &book->ended[book->endings++ % RECORD_ENDED];
  note_release(book, end->note);
  *end = (struct record_end){.id = task->id,
                             .parent = task->parent,
                             .group = task->group,
                             .resumed = task->resumed,
                             .created = (int64_t)task->created * MICROSECOND,
                             .ended = scheduler->loop->now,
                             .resumes = task->resumes,
                             .note = task->note,
                             .how = endings[task->future.state]};
  task->note = 0;
}

void record_closed(struct scheduler *scheduler) {
  struct record_book *book = &scheduler->records;
  book->ended[(book->endings - 1) % RECORD_ENDED].how = RECORD_CLOSED;
}

static void read_note(const struct scheduler *scheduler, uint32_t number,
                      struct task_record *record) {
  if (number > 0) {
    const struct record_note *note = &scheduler->records.notes[number - 1];
    record->run = note->run;
    record->longest = note->longest;
    record->cancel = note->cancel;
    record->trace = note->trace;
    record->generation = note->generation;
    memcpy(record->name, note->name, sizeof record->name);
    memcpy(record->unit, note->unit, sizeof record->unit);
  }
  if (!record->name[0])
    snprintf(record->name, sizeof record->name, "Task-%" PRIu64, record->id);
}

static void read_end(const struct scheduler *scheduler, const struct record_end *end,
                     struct task_record *record) {
  *record = (struct task_record){.id = end->id,
                                 .parent = end->parent,
                                 .group = end->group,
                                 .state = end->how,
                                 .resumed = end->resumed,
                                 .created = end->created,
                                 .ended = end->ended,
                                 .resumes = end->resumes};
  read_note(scheduler, end->note, record);
}

bool record_read_ended(const struct scheduler *scheduler, uint32_t back,
                       struct task_record *record) {
  const struct record_book *book = &scheduler->records;
  if (back >= RECORD_ENDED || back >= book->endings)
    return false;
  read_end(scheduler, &book->ended[(book->endings - 1 - back) % RECORD_ENDED], record);
  return true;
}

/* An ended task, if it is still remembered. */
static bool find_ended(const struct scheduler *scheduler, uint64_t id, struct task_record *record) {
  const struct record_book *book = &scheduler->records;
  for (uint32_t i = 0; i < RECORD_ENDED && i < book->endings; i++) {
    if (book->ended[i].id == id) {
      read_end(scheduler, &book->ended[i], record);
      return true;
    }
  }
  return false;
}

static void read_wait(const struct scheduler *scheduler, const struct task *task,
                      const struct wait_kind *wait, struct task_record *record) {
  const struct task *awaited = future_awaited_task(task);
  const char *kind = wait->describe ? wait->describe(task) : wait->name;
  record_copy(record->kind, sizeof record->kind, kind);
  record->awaited = awaited ? awaited->id : 0;
  if (timer_running(&task->timer))
    record->deadline = heap_key(&scheduler->loop->timers, &task->timer.node);
}

/* Of a living task. */
static enum record_state state_of(const struct scheduler *scheduler, const struct task *task) {
  if (task == scheduler->current)
    return RECORD_RUNNING;
  if (task->frozen)
    return RECORD_FROZEN;
  if (task->cancels > 0)
    return RECORD_CANCELLING;
  return task->wait ? RECORD_WAITING : RECORD_READY;
}

void record_read(const struct scheduler *scheduler, const struct task *task,
                 struct task_record *record) {
  bool living = task->future.state == FUTURE_PENDING;
  if (!living && find_ended(scheduler, task->id, record))
    return;
  *record = (struct task_record){.id = task->id,
                                 .parent = task->parent,
                                 .group = task->group,
                                 .state = RECORD_READY,
                                 .created = (int64_t)task->created * MICROSECOND,
                                 .resumed = task->resumed,
                                 .resumes = task->resumes,
                                 .cancelling = task->cancels};
  read_note(scheduler, task->note, record);
  record->state = living ? state_of(scheduler, task) : endings[task->future.state];
  if (living && task->wait && task != scheduler->current)
    read_wait(scheduler, task, task->wait, record);
}

static bool where_in(lua_State *L, char *file, int *line) {
  lua_Debug info;
  for (int level = 0; level < MOST_LEVELS && lua_getstack(L, level, &info); level++) {
    lua_getinfo(L, "Sl", &info);
    if (info.currentline > 0 && !traceback_is_ours(info.short_src)) {
      record_copy(file, RECORD_TEXT, info.short_src);
      *line = info.currentline;
      return true;
    }
  }
  return false;
}

bool record_where(const struct task *task, char *file, int *line) {
  if (task->future.state != FUTURE_PENDING)
    return false;
  for (const struct generator *g = task->generator; g; g = g->outer)
    if (where_in(g->thread.L, file, line))
      return true;
  return where_in(task->thread.L, file, line);
}
