#include "core/loop/loop.h"

#include <stdlib.h>
#include <string.h>

/* While jobs keep coming, input is looked for after so many of them or so much
 * real time, whichever is first. */
enum { JOBS_PER_POLL = 256, TIME_PER_POLL = 100 * 1000 };

/* How long real handles must be silent before virtual time jumps. */
enum { QUIET_PERIOD = 5 * 1000 * 1000, MILLISECOND = 1000 * 1000 };

int loop_open(struct loop *loop) {
  memset(loop, 0, sizeof *loop);
  loop->scratch = malloc(LOOP_SCRATCH);
  if (!loop->scratch)
    return UV_ENOMEM;
  int status = uv_loop_init(&loop->uv);
  if (status < 0) {
    free(loop->scratch);
    return status;
  }
  loop->uv.data = loop;
  uv_timer_init(&loop->uv, &loop->alarm);
  clock_init(&loop->clock);
  loop->now = clock_now(&loop->clock);
  heap_init(&loop->timers);
  list_init(&loop->ready);
  list_init(&loop->batch);
  list_init(&loop->closers);
  list_init(&loop->onlookers);
  list_init(&loop->idlers);
  return 0;
}

static void close_handle(uv_handle_t *handle, void *arg) {
  struct loop *loop = arg;
  if (handle != (uv_handle_t *)&loop->alarm && !uv_is_closing(handle))
    uv_close(handle, NULL);
}

void loop_close_handles(struct loop *loop) {
  struct list *link;
  while ((link = list_shift(&loop->closers))) {
    struct closer *closer = list_entry(link, struct closer, link);
    closer->close(closer);
  }
  uv_walk(&loop->uv, close_handle, loop);
}

void loop_drain(struct loop *loop) {
  uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_close(struct loop *loop) {
  loop_close_handles(loop);
  uv_close((uv_handle_t *)&loop->alarm, NULL);
  loop_drain(loop);
  uv_loop_close(&loop->uv);
  heap_free(&loop->timers);
  free(loop->scratch);
}

/* An alarm that is due already fires before libuv polls; without it uv_run would
 * then wait for ever. */
static void alarm_fired(uv_timer_t *alarm) {
  uv_stop(alarm->loop);
}

/* Lets libuv run: until something happens, or only for what is there. False when nothing is left
 * that could. */
static bool run_uv(struct loop *loop, uv_run_mode mode) {
  atomic_store_explicit(&loop->polling, mode == UV_RUN_ONCE, memory_order_relaxed);
  bool alive = uv_run(&loop->uv, mode) != 0;
  atomic_store_explicit(&loop->polling, false, memory_order_relaxed);
  return alive;
}

/* Polls until something happens, at most `timeout` real nanoseconds. */
static void poll_for(struct loop *loop, int64_t timeout) {
  uint64_t milliseconds = (uint64_t)((timeout + MILLISECOND - 1) / MILLISECOND);
  uv_update_time(&loop->uv);
  uv_timer_start(&loop->alarm, alarm_fired, milliseconds, 0);
  run_uv(loop, UV_RUN_ONCE);
  uv_timer_stop(&loop->alarm);
}

static bool something_came(const struct loop *loop, uint64_t activity) {
  return loop->activity != activity || !list_empty(&loop->ready);
}

/* Waits for another process as long as virtual time says that it may take. */
static void keep_pace(struct loop *loop, int64_t when) {
  int64_t now = clock_now(&loop->clock), began = clock_real();
  if (when == CLOCK_NEVER)
    run_uv(loop, UV_RUN_ONCE);
  else
    poll_for(loop, when > now ? when - now : 0);
  int64_t later = now + (clock_real() - began);
  clock_advance(&loop->clock, later < when ? later : when);
}

/* All is blocked at this time: on with the idlers, else to the next deadline. */
static bool move_on(struct loop *loop, int64_t when) {
  if (!list_empty(&loop->idlers))
    loop_ready_all(loop, &loop->idlers);
  else if (loop->stands || when == CLOCK_NEVER)
    return false;
  else
    clock_advance(&loop->clock, when);
  return true;
}

static bool keeps_alive(const uv_handle_t *handle) {
  return uv_is_active(handle) && uv_has_ref(handle);
}

static void count_without_input(uv_handle_t *handle, void *count) {
  if ((handle->type == UV_SIGNAL || handle->type == UV_TIMER) && keeps_alive(handle))
    ++*(unsigned *)count;
}

/* Whether a timer of libuv's is due within the quiet period. */
static bool rings_soon(const struct loop *loop) {
  int milliseconds = uv_backend_timeout(&loop->uv);
  return milliseconds >= 0 && milliseconds <= QUIET_PERIOD / MILLISECOND;
}

/* Whether something is open from which input may be on its way. A signal, a later timer and who
 * looks on are not: they come whenever they come. */
static bool expects_input(struct loop *loop) {
  unsigned others = 0;
  if (!uv_loop_alive(&loop->uv))
    return false;
  uv_walk(&loop->uv, count_without_input, &others);
  for (struct list *link = loop->onlookers.next; link != &loop->onlookers; link = link->next)
    others += keeps_alive(list_entry(link, struct onlooker, link)->handle);
  return others == 0 || loop->uv.active_reqs.count > 0 || loop->uv.active_handles > others ||
         rings_soon(loop);
}

/* Moves virtual time to the next deadline once all input is in. */
static bool jump(struct loop *loop, int64_t when) {
  uint64_t activity = loop->activity;
  if (when <= clock_now(&loop->clock)) /* it was moved by hand: what is due comes first */
    return true;
  bool patient = when == CLOCK_NEVER && !loop->stands && list_empty(&loop->idlers);
  uv_run(&loop->uv, UV_RUN_NOWAIT);
  if (something_came(loop, activity))
    return true;
  bool alive = uv_loop_alive(&loop->uv);
  if (alive && loop->partners > 0 && loop->questions == 0 && !loop->stands) {
    keep_pace(loop, when);
    return true;
  }
  if (alive && (patient || loop->questions > 0)) {
    run_uv(loop, UV_RUN_ONCE);
    return true;
  }
  if (expects_input(loop))
    poll_for(loop, QUIET_PERIOD);
  if (something_came(loop, activity) || move_on(loop, when))
    return true;
  return loop->stands && loop->guided &&
         (run_uv(loop, UV_RUN_ONCE) || something_came(loop, activity));
}

/* Nothing is ready: waits for input or for the next deadline. */
static bool wait(struct loop *loop) {
  int64_t when = timers_next(&loop->timers);
  if (loop->clock.mode == CLOCK_VIRTUAL)
    return jump(loop, when);
  if (when != CLOCK_NEVER) {
    poll_for(loop, clock_until(&loop->clock, when));
    return true;
  }
  uint64_t activity = loop->activity;
  return run_uv(loop, UV_RUN_ONCE) || something_came(loop, activity);
}

static void run_batch(struct loop *loop) {
  list_move_all(&loop->batch, &loop->ready);
  if (loop->arranger)
    loop->arranger->arrange(loop->arranger, &loop->batch);
  struct list *link;
  while ((link = list_shift(&loop->batch))) {
    struct job *job = list_entry(link, struct job, link);
    loop->jobs++;
    job->run(job);
  }
}

static bool poll_due(struct loop *loop, int64_t now) {
  return loop->jobs >= JOBS_PER_POLL || now - loop->polled >= TIME_PER_POLL;
}

static void tell(struct loop *loop, enum loop_moment moment) {
  if (loop->watch)
    loop->watch->saw(loop->watch, moment);
}

bool loop_turn(struct loop *loop) {
  bool alive = true;
  int64_t now = clock_real();
  uint64_t turns = atomic_load_explicit(&loop->turns, memory_order_relaxed);
  atomic_store_explicit(&loop->turns, turns + 1, memory_order_relaxed);
  if (list_empty(&loop->ready)) {
    tell(loop, LOOP_POLLING);
    alive = wait(loop);
    tell(loop, LOOP_POLLED);
    loop->jobs = 0;
    loop->polled = now = clock_real();
  } else if (poll_due(loop, now)) {
    tell(loop, LOOP_POLLING);
    uv_run(&loop->uv, UV_RUN_NOWAIT);
    tell(loop, LOOP_POLLED);
    loop->jobs = 0;
    loop->polled = now;
  }
  loop->stamp = now;
  loop->now = loop->clock.mode == CLOCK_LIVE ? now : clock_now(&loop->clock);
  tell(loop, LOOP_FIRING);
  timers_fire(&loop->timers, loop->now);
  tell(loop, LOOP_FIRED);
  run_batch(loop);
  return alive;
}
