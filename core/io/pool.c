#include "core/io/pool.h"

#include "core/task/interrupt.h"

#include <stdlib.h>

/* After so long without work a worker collects its garbage. */
static const uint64_t IDLE = UINT64_C(200) * 1000 * 1000;

/* A thread that is stopped has so long to clean up; then it is interrupted again and again, and
 * after as long once more it is left behind. */
static const int64_t PATIENCE = CLOCK_SECOND;
static const uint64_t NUDGE_PERIOD = UINT64_C(10) * 1000 * 1000;

int pool_open(struct pool *pool) {
  list_init(&pool->queue);
  list_init(&pool->ended);
  list_init(&pool->workers);
  list_init(&pool->gone);
  int status = uv_mutex_init(&pool->mutex);
  if (status < 0)
    return status;
  if ((status = uv_cond_init(&pool->work_came)) == 0) {
    if ((status = uv_cond_init(&pool->thread_ended)) == 0)
      return 0;
    uv_cond_destroy(&pool->work_came);
  }
  uv_mutex_destroy(&pool->mutex);
  return status;
}

void pool_close(struct pool *pool) {
  uv_cond_destroy(&pool->thread_ended);
  uv_cond_destroy(&pool->work_came);
  uv_mutex_destroy(&pool->mutex);
  buffer_free(&pool->setup);
  buffer_free(&pool->reason);
  free(pool->name);
}

struct work *work_new(void) {
  struct work *work = calloc(1, sizeof *work);
  if (work)
    list_init(&work->link);
  return work;
}

void work_free(struct work *work) {
  buffer_free(&work->parcel);
  free(work);
}

static void tell(struct pool *pool) {
  if (!pool->deaf)
    uv_async_send(pool->news);
}

/* --- The owner ----------------------------------------------------------------------------- */

/* Under the mutex: the new thread waits for it. */
static int start_thread(struct pool *pool, struct clock clock) {
  struct worker *worker = calloc(1, sizeof *worker);
  if (!worker)
    return UV_ENOMEM;
  worker->pool = pool;
  worker->number = pool->started;
  worker->clock = clock;
  int status = uv_thread_create(&worker->thread, worker_run, worker);
  if (status < 0) {
    free(worker);
    return status;
  }
  list_append(&pool->workers, &worker->link);
  pool->started++;
  pool->threads++;
  return 0;
}

static bool lacks_thread(const struct pool *pool) {
  return pool->idle < pool->queued + 1 && pool->threads < pool->most;
}

/* Under the mutex. */
static int put(struct pool *pool, struct work *work) {
  if (pool->broken)
    return UV_EPIPE;
  if (pool->shut)
    return UV_ESHUTDOWN;
  int status = lacks_thread(pool) ? start_thread(pool, work->clock) : 0;
  if (status < 0 && pool->threads == 0)
    return status;
  work->state = WORK_QUEUED;
  list_append(&pool->queue, &work->link);
  pool->queued++;
  uv_cond_signal(&pool->work_came);
  return 0;
}

int pool_put(struct pool *pool, struct work *work) {
  uv_mutex_lock(&pool->mutex);
  int status = put(pool, work);
  uv_mutex_unlock(&pool->mutex);
  return status;
}

bool pool_cancel(struct pool *pool, struct work *work) {
  uv_mutex_lock(&pool->mutex);
  bool removed = work->state == WORK_QUEUED;
  if (removed) {
    list_remove(&work->link);
    pool->queued--;
  } else if (work->state == WORK_RUNNING) {
    atomic_store(&work->worker->cancel, true);
    uv_async_send(&work->worker->wake);
  }
  uv_mutex_unlock(&pool->mutex);
  return removed;
}

static struct work *take(struct pool *pool, struct list *from, unsigned *count) {
  uv_mutex_lock(&pool->mutex);
  struct list *link = list_shift(from);
  if (link && count)
    --*count;
  uv_mutex_unlock(&pool->mutex);
  return link ? list_entry(link, struct work, link) : NULL;
}

struct work *pool_take_ended(struct pool *pool) {
  return take(pool, &pool->ended, NULL);
}

struct work *pool_take_queued(struct pool *pool) {
  return take(pool, &pool->queue, &pool->queued);
}

void pool_shut(struct pool *pool) {
  uv_mutex_lock(&pool->mutex);
  pool->shut = true;
  uv_cond_broadcast(&pool->work_came);
  uv_mutex_unlock(&pool->mutex);
}

/* Under the mutex. */
static void join_gone(struct pool *pool) {
  struct list *link;
  while ((link = list_shift(&pool->gone))) {
    struct worker *worker = list_entry(link, struct worker, link);
    pool->threads--;
    uv_mutex_unlock(&pool->mutex);
    uv_thread_join(&worker->thread);
    free(worker);
    uv_mutex_lock(&pool->mutex);
  }
}

/* Under the mutex: refuses what is in the queue. */
static void refuse_queued(struct pool *pool) {
  struct list *link;
  while ((link = list_shift(&pool->queue))) {
    struct work *work = list_entry(link, struct work, link);
    work->state = WORK_ENDED;
    work->outcome = WORK_REFUSED;
    list_append(&pool->ended, &work->link);
  }
  pool->queued = 0;
  tell(pool);
}

/* Under the mutex: a worker that left because its work would not end has left a queue behind. */
static void replace_thread(struct pool *pool) {
  const struct list *first = pool->queue.next;
  if (pool->queued > 0 && pool->threads == 0 && !pool->stopping &&
      start_thread(pool, list_entry(first, struct work, link)->clock) < 0)
    refuse_queued(pool);
}

bool pool_reap(struct pool *pool) {
  uv_mutex_lock(&pool->mutex);
  join_gone(pool);
  replace_thread(pool);
  bool over = pool->shut && pool->threads == 0 && list_empty(&pool->ended);
  uv_mutex_unlock(&pool->mutex);
  return over;
}

/* Under the mutex. */
static void quit_all(struct pool *pool, enum interrupt_quit quit) {
  for (struct list *link = pool->workers.next; link != &pool->workers; link = link->next) {
    struct worker *worker = list_entry(link, struct worker, link);
    atomic_store(&worker->quit, (int)quit);
    atomic_store(&worker->cancel, true);
    if (worker->open)
      uv_async_send(&worker->wake);
    worker_nudge(worker);
  }
}

/* Under the mutex: waits until all threads have ended, at most so long. */
static void await_end(struct pool *pool, enum interrupt_quit quit) {
  int64_t deadline = clock_real() + PATIENCE;
  quit_all(pool, quit);
  while (!list_empty(&pool->workers) && clock_real() < deadline) {
    uv_cond_timedwait(&pool->thread_ended, &pool->mutex, NUDGE_PERIOD);
    if (quit == QUIT_ALWAYS)
      quit_all(pool, quit);
  }
}

unsigned pool_stop(struct pool *pool) {
  uv_mutex_lock(&pool->mutex);
  pool->shut = pool->stopping = true;
  uv_cond_broadcast(&pool->work_came);
  await_end(pool, QUIT_ONCE);
  if (!list_empty(&pool->workers))
    await_end(pool, QUIT_ALWAYS);
  pool->deaf = true;
  join_gone(pool);
  unsigned left = pool->threads;
  uv_mutex_unlock(&pool->mutex);
  return left;
}

/* --- Workers ------------------------------------------------------------------------------- */

static bool may_wait(const struct pool *pool) {
  return list_empty(&pool->queue) && !pool->shut && !pool->stopping;
}

/* Under the mutex: waits until there is work or the end. */
static void wait_for_work(struct worker *worker, void (*idle)(struct worker *worker)) {
  struct pool *pool = worker->pool;
  bool collected = false;
  while (may_wait(pool)) {
    int status = 0;
    pool->idle++;
    if (collected)
      uv_cond_wait(&pool->work_came, &pool->mutex);
    else
      status = uv_cond_timedwait(&pool->work_came, &pool->mutex, IDLE);
    pool->idle--;
    if (status == UV_ETIMEDOUT && may_wait(pool)) {
      collected = true;
      uv_mutex_unlock(&pool->mutex);
      idle(worker);
      uv_mutex_lock(&pool->mutex);
    }
  }
}

static void set_open(struct worker *worker, bool open) {
  uv_mutex_lock(&worker->pool->mutex);
  worker->open = open;
  uv_mutex_unlock(&worker->pool->mutex);
}

void pool_attach(struct worker *worker) {
  set_open(worker, true);
}

void pool_detach(struct worker *worker) {
  set_open(worker, false);
}

struct work *pool_next(struct worker *worker, void (*idle)(struct worker *worker)) {
  struct pool *pool = worker->pool;
  struct work *work = NULL;
  uv_mutex_lock(&pool->mutex);
  wait_for_work(worker, idle);
  if (!pool->stopping && !list_empty(&pool->queue)) {
    work = list_entry(list_shift(&pool->queue), struct work, link);
    pool->queued--;
    work->state = WORK_RUNNING;
    work->worker = worker;
    worker->work = work;
    atomic_store(&worker->cancel, false);
  }
  uv_mutex_unlock(&pool->mutex);
  return work;
}

void pool_finish(struct worker *worker, struct work *work) {
  struct pool *pool = worker->pool;
  uv_mutex_lock(&pool->mutex);
  worker->work = NULL;
  work->worker = NULL;
  work->state = WORK_ENDED;
  list_append(&pool->ended, &work->link);
  tell(pool);
  uv_mutex_unlock(&pool->mutex);
}

void pool_break(struct pool *pool, const char *reason, size_t size) {
  uv_mutex_lock(&pool->mutex);
  if (!pool->broken)
    buffer_append(&pool->reason, reason, size); /* without memory there is no reason */
  pool->broken = pool->shut = true;
  refuse_queued(pool);
  uv_cond_broadcast(&pool->work_came);
  uv_mutex_unlock(&pool->mutex);
}

void pool_leave(struct worker *worker) {
  struct pool *pool = worker->pool;
  uv_mutex_lock(&pool->mutex);
  list_remove(&worker->link);
  list_append(&pool->gone, &worker->link);
  uv_cond_signal(&pool->thread_ended);
  tell(pool);
  uv_mutex_unlock(&pool->mutex);
}
