/* A pool: threads that are started when there is work for them, and the queue between them and the
 * thread that made the pool, here called the owner.
 *
 * Work goes from the owner to a worker and back: each belongs to one of them at a time, and only
 * lists and a few flags are shared, under the mutex. The owner learns by `news` that something has
 * ended.
 */
#ifndef STROBE_IO_POOL_H
#define STROBE_IO_POOL_H

#include "core/base/buffer.h"
#include "core/base/list.h"
#include "core/loop/clock.h"

#include <lua.h>
#include <stdatomic.h>
#include <uv.h>

/* How a worker gets a state with all of strobe in it. */
struct runtime {
  lua_State *(*open)(void *process); /* NULL without memory */
  void (*close)(lua_State *L);
  void *process;
};

enum work_state { WORK_QUEUED, WORK_RUNNING, WORK_ENDED };

/* What came of it. WORK_LOST: there is no parcel, for want of memory. */
enum work_outcome { WORK_RETURNED, WORK_FAILED, WORK_LOST, WORK_REFUSED };

struct work {
  struct list link;
  struct buffer parcel; /* a function and its arguments; then what came of it */
  struct clock clock;   /* the owner's, when it was queued */
  enum work_state state;
  enum work_outcome outcome;
  bool is_map;   /* many calls of the function */
  bool unwanted; /* the owner's: nobody waits for it any more */
  int ticket;    /* the owner's, see executor.c */
  struct worker *worker;
};

struct pool {
  uv_mutex_t mutex;
  uv_cond_t work_came, thread_ended;
  struct list queue;   /* work */
  struct list ended;   /* work, for the owner */
  struct list workers; /* those that are at work or wait for it */
  struct list gone;    /* workers whose thread is to be joined */
  unsigned most, started, threads, idle, queued;
  bool shut;            /* no more work comes; threads end when there is none */
  bool stopping;        /* … they end at once */
  bool broken;          /* a worker could not be set up, for this reason: */
  struct buffer reason; /* … */
  bool deaf;            /* the owner has gone: no more news */
  uv_async_t *news;
  const struct runtime *runtime;
  struct buffer setup; /* a parcel: what each worker begins with */
  char *name;          /* of threads, to which their number is added */
  size_t memory_limit; /* bytes of each worker's state; 0 is none */
  size_t parcel_limit;
};

struct worker {
  struct list link;
  struct pool *pool;
  uv_thread_t thread;
  unsigned number;
  struct clock clock; /* what its clock shows at first */
  struct work *work;  /* at hand */
  uv_async_t wake;    /* in the worker's loop */
  bool open;          /* `wake` is good */
  atomic_bool cancel; /* the work at hand is unwanted */
  atomic_int quit;    /* enum interrupt_quit */
};

/* 0, or a negative libuv error. */
int pool_open(struct pool *pool);
void pool_close(struct pool *pool); /* no thread is left */

struct work *work_new(void); /* NULL without memory */
void work_free(struct work *work);

/* --- For the owner --- */

/* Queues work, and starts a thread when there is none for it. 0, or why not: UV_ESHUTDOWN, UV_EPIPE
 * for a broken pool, or what was in the way of a first thread. */
int pool_put(struct pool *pool, struct work *work);

/* Takes it off the queue; false when it runs already: its task is then told. */
bool pool_cancel(struct pool *pool, struct work *work);

/* The next work that has ended, or NULL. */
struct work *pool_take_ended(struct pool *pool);

/* The next queued work, or NULL, which is then the owner's. */
struct work *pool_take_queued(struct pool *pool);

void pool_shut(struct pool *pool);

/* Joins the threads that have ended. True when no thread is left, nor work, and none will come. */
bool pool_reap(struct pool *pool);

/* Has all threads end, by force, and waits for that, but not for ever: returns how many are left.
 */
unsigned pool_stop(struct pool *pool);

/* --- For workers --- */

/* The worker has a loop that can be woken; or will have none from now on. */
void pool_attach(struct worker *worker);
void pool_detach(struct worker *worker);

/* The next work, or NULL when the thread is to end. `idle` is called once when there was none for
 * a while. */
struct work *pool_next(struct worker *worker, void (*idle)(struct worker *worker));

/* The work at hand has ended. */
void pool_finish(struct worker *worker, struct work *work);

/* The worker could not be set up: all that is queued is refused, for this reason. */
void pool_break(struct pool *pool, const char *reason, size_t size);

/* The thread's last act. */
void pool_leave(struct worker *worker);

/* The thread itself; worker.c. */
void worker_run(void *worker);

/* Makes the signal known by which worker_nudge interrupts. */
void worker_listen(void);

/* Has the worker look at `quit`, in whatever it is. */
void worker_nudge(struct worker *worker);

#endif
