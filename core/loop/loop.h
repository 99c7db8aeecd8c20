/* The loop: ready jobs, timers and libuv's handles, taken in turns.
 *
 * One turn fires the timers that are due, runs the jobs that were ready when
 * it began, and polls libuv. Jobs made ready meanwhile wait for the next turn,
 * so neither a busy task nor a busy socket can starve the other. A libuv
 * callback only records an outcome and makes a job ready.
 *
 * Under a virtual clock time jumps to the next deadline as soon as no job is
 * ready and no input is pending. With real handles open, "no input" means a
 * short quiet period of real time, but for signals, libuv's later timers and
 * onlookers, which keep the loop alive and no more; while another process works for us, time
 * passes as fast as it really does. Idlers come before a jump: they are made ready
 * instead. Time that stands is moved by clock_advance only.
 */
#ifndef STROBE_LOOP_LOOP_H
#define STROBE_LOOP_LOOP_H

#include "core/base/heap.h"
#include "core/base/list.h"
#include "core/loop/clock.h"
#include "core/loop/timer.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

/* Something to run in a coming turn. Owned by whoever made it ready. */
struct job {
  struct list link;
  void (*run)(struct job *job);
};

/* Whoever owns a handle and wants to close it in its own way when the loop ends. */
struct closer {
  struct list link;
  void (*close)(struct closer *closer);
};

/* Who looks on is told of the moments of a turn; it must not change anything. */
enum loop_moment { LOOP_POLLING, LOOP_POLLED, LOOP_FIRING, LOOP_FIRED };

struct loop_watch {
  void (*saw)(struct loop_watch *watch, enum loop_moment moment);
};

/* Whoever wants another order than first in, first out among the jobs of a turn. */
struct arranger {
  void (*arrange)(struct arranger *arranger, struct list *jobs);
};

/* A handle of somebody who looks on from outside: virtual time does not wait for what he sends. */
struct onlooker {
  struct list link;
  const uv_handle_t *handle;
};

enum { LOOP_SCRATCH = 64 * 1024 };

struct loop {
  uv_loop_t uv;
  uv_timer_t alarm; /* ends a poll at the next deadline */
  struct clock clock;
  struct heap timers;
  struct list ready;
  struct list batch; /* what is left of this turn's jobs */
  struct list closers;
  struct list onlookers;
  struct list idlers;        /* jobs made ready when nothing else can go on at this time */
  struct arranger *arranger; /* NULL: first in, first out */
  _Atomic uint64_t turns;    /* another thread may read it */
  uint64_t activity;         /* counts what a poll brought */
  int64_t polled;            /* real time of the last poll */
  int64_t now;               /* loop time when this turn began */
  int64_t stamp;             /* real time when it was last looked at */
  unsigned jobs;             /* jobs run since then */
  unsigned questions;        /* to other threads: virtual time waits for their answers */
  unsigned partners;         /* other processes at work for us: virtual time keeps their pace */
  atomic_bool polling;       /* within uv_run; another thread may read it */
  bool stands;               /* virtual time does not jump by itself */
  bool guided;               /* who moves time that stands is outside, and is waited for */
  unsigned strays;           /* threads of ours that did not end with it */
  struct loop_watch *watch;  /* or NULL */
  char *scratch;             /* where a read callback's bytes land, LOOP_SCRATCH of them */
};

/* 0, or a negative libuv error. */
int loop_open(struct loop *loop);

/* Closes what is still open, lets the close callbacks run, frees the loop. */
void loop_close(struct loop *loop);

/* Starts closing every handle but the loop's own; loop_drain runs the rest. */
void loop_close_handles(struct loop *loop);
void loop_drain(struct loop *loop);

/* Runs one turn. False when nothing is left that could ever happen. */
bool loop_turn(struct loop *loop);

/* Jobs are ready. Those which a libuv timer has made ready are not to wait for what the poll
 * behind the timers brings. */
static inline void loop_stir(struct loop *loop) {
  loop->activity++;
  if (atomic_load_explicit(&loop->polling, memory_order_relaxed))
    uv_stop(&loop->uv);
}

/* Who looks on leaves by list_remove, before his handle goes. */
static inline void loop_look_on(struct loop *loop, struct onlooker *onlooker,
                                const uv_handle_t *handle) {
  onlooker->handle = handle;
  list_append(&loop->onlookers, &onlooker->link);
}

/* Puts a job at the end of the ready queue. */
static inline void loop_ready(struct loop *loop, struct job *job) {
  list_append(&loop->ready, &job->link);
  loop_stir(loop);
}

/* The same for the jobs of a list, which is empty then. */
static inline void loop_ready_all(struct loop *loop, struct list *jobs) {
  list_move_all(&loop->ready, jobs);
  loop_stir(loop);
}

/* Lets a job that is in no list run next, still in this turn: for those who take turns with each
 * other while events wait for both of them. */
static inline void loop_ready_next(struct loop *loop, struct job *job) {
  list_prepend(&loop->batch, &job->link);
}

#endif
