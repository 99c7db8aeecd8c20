#include "core/host/watchdog.h"

#include "core/host/host.h"
#include "core/host/notice.h"
#include "core/host/signal.h"
#include "core/task/error.h"
#include "core/task/interrupt.h"
#include "core/task/task.h"
#include "core/task/time.h"
#include "core/task/wait.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* From the thread, and from the timer, to the main thread; it has no other use today, and is
 * ignored once we are gone. */
enum { ALARM = SIGVTALRM };

enum { MILLISECOND = 1000 * 1000 };

/* Looks at the counters in the time that was asked for; the longest and the shortest pause. */
enum { LOOKS = 4, LONGEST_PAUSE = 500 * MILLISECOND, SHORTEST_PAUSE = MILLISECOND };

/* Nanoseconds between two ticks; and after which a hook that has not run will not run. */
enum { TICK = 100 * MILLISECOND, PATIENCE = 1000 * MILLISECOND };

enum { MOST_TASKS = 200, MOST_SECONDS = 1000000 };

/* In the registry: the function that is asked. */
static const char judge = 0;

/* A handler gets nothing but a number. */
static struct watchdog *volatile the_watchdog;

/* --- The main thread, in a signal handler ----------------------------------------------------- */

static void set_timer(struct watchdog *watchdog, long nanoseconds) {
  const struct timespec pause = {.tv_nsec = nanoseconds};
  const struct itimerspec setting = {pause, pause};
  watchdog->ticking = nanoseconds > 0;
  timer_settime(watchdog->timer, 0, &setting, NULL);
}

void watchdog_tick_on(struct watchdog *watchdog) {
  if (watchdog->has_timer && !watchdog->ticking)
    set_timer(watchdog, TICK);
}

static void tell_unanswered(struct watchdog *watchdog, int64_t now) {
  const struct scheduler *scheduler = &watchdog->host->scheduler;
  struct notice notice;
  notice_begin(&notice);
  notice_add(&notice, "pid ");
  notice_add_number(&notice, getpid());
  notice_add(&notice, ": ");
  notice_add_running(&notice, scheduler);
  notice_add(&notice, " has run for ");
  notice_add_seconds(&notice, now - scheduler->loop->stamp);
  notice_add(&notice, " without waiting, the last ");
  notice_add_seconds(&notice, now - watchdog->since);
  notice_add(&notice, " in a C function or a finalizer: these cannot be interrupted");
  notice_print(&notice);
}

static bool is_unanswered(const struct watchdog *watchdog, uint64_t beat) {
  return atomic_load(&watchdog->stacks) ||
         (atomic_load(&watchdog->wanted) && atomic_load(&watchdog->asked) == beat);
}

/* Asks, and says when there is no answer. Returns whether one is missing. */
static bool ask_for_answer(struct watchdog *watchdog, int64_t now) {
  struct scheduler *scheduler = &watchdog->host->scheduler;
  uint64_t beat = scheduler_read_beat(scheduler);
  if (!is_unanswered(watchdog, beat)) {
    watchdog->since = 0;
    return false;
  }
  interrupt_request(scheduler, INTERRUPT_EXAMINE);
  if (watchdog->since == 0) {
    watchdog->since = now;
    watchdog->told = false;
  } else if (!watchdog->told && now - watchdog->since >= PATIENCE) {
    watchdog->told = true;
    tell_unanswered(watchdog, now);
  }
  return true;
}

/* Any thread may get a signal of the process. Returns the watchdog in the main thread, which else
 * is handed the signal. */
static struct watchdog *in_main_thread(int number) {
  struct watchdog *watchdog = the_watchdog;
  if (!watchdog || pthread_equal(pthread_self(), watchdog->main))
    return watchdog;
  pthread_kill(watchdog->main, number);
  return NULL;
}

static void tick(struct watchdog *watchdog) {
  int64_t now = clock_real();
  bool is_watched = ask_for_answer(watchdog, now);
  bool is_pressed = escalation_tick(&watchdog->host->escalation, now);
  if (is_watched || is_pressed)
    watchdog_tick_on(watchdog);
  else if (watchdog->ticking)
    set_timer(watchdog, 0);
}

/* The thread's signal, and a tick of the timer. */
static void on_alarm(int number) {
  int before = errno;
  struct watchdog *watchdog = in_main_thread(number);
  if (watchdog)
    tick(watchdog);
  errno = before;
}

static void on_stacks(int number) {
  int before = errno;
  struct watchdog *watchdog = in_main_thread(number);
  if (watchdog) {
    atomic_store(&watchdog->stacks, true);
    ask_for_answer(watchdog, clock_real());
    watchdog_tick_on(watchdog);
    uv_async_send(&watchdog->host->signal);
  }
  errno = before;
}

/* --- Stacks ------------------------------------------------------------------------------------
 */

/* Prints the stack of a thread. [-0, +0, m] */
static void print_stack(lua_State *L, lua_State *thread) {
  lua_Debug info;
  if (!lua_getstack(thread, 0, &info))
    return;
  luaL_traceback(L, thread, NULL, 0);
  const char *text = strchr(lua_tostring(L, -1), '\n');
  if (text)
    fprintf(stderr, "%s\n", text + 1);
  lua_pop(L, 1);
}

static const char *doing(const struct task_record *record) {
  static const char *const states[] = {[RECORD_READY] = "ready",
                                       [RECORD_RUNNING] = "running",
                                       [RECORD_WAITING] = "waiting",
                                       [RECORD_FROZEN] = "frozen",
                                       [RECORD_CANCELLING] = "cancelling"};
  return record->state <= RECORD_CANCELLING ? states[record->state] : "ending";
}

static void print_task(lua_State *L, const struct scheduler *scheduler, const struct task *task) {
  struct task_record record;
  record_read(scheduler, task, &record);
  fprintf(stderr, "Task-%" PRIu64 " '%s', %s%s%s:\n", task->id, record.name, doing(&record),
          record.kind[0] ? " for " : "", record.kind);
  print_stack(L, task_running_thread(task));
}

/* Index 1: the innermost state as a light userdata, or NULL. [-0, +0, m] */
static int print_stacks(lua_State *L) {
  const struct scheduler *scheduler = scheduler_of(L);
  lua_State *running = lua_touserdata(L, 1);
  const struct task *current = scheduler->current;
  unsigned count = 0;
  if (running && !(current && running == task_running_thread(current))) {
    fputs("in a coroutine, or a callback:\n", stderr);
    print_stack(L, running);
  }
  for (struct list *link = scheduler->tasks.next; link != &scheduler->tasks; link = link->next)
    if (count++ < MOST_TASKS)
      print_task(L, scheduler, list_entry(link, struct task, link));
  if (count > MOST_TASKS)
    fprintf(stderr, "… and %u more tasks\n", count - MOST_TASKS);
  return 0;
}

static void print_header(struct watchdog *watchdog) {
  const struct scheduler *scheduler = &watchdog->host->scheduler;
  struct task_record record = {.name = "no task"};
  int64_t stood = atomic_exchange(&watchdog->stood, 0);
  if (scheduler->current)
    record_read(scheduler, scheduler->current, &record);
  fprintf(stderr, "strobe: pid %d: ", (int)getpid());
  if (stood > 0)
    fprintf(stderr, "the loop has stood still for %.1f s, ", clock_seconds(stood));
  fprintf(stderr, "'%s'%s%s runs; all tasks:\n", record.name, record.unit[0] ? " of unit " : "",
          record.unit);
}

/* L: where Lua runs, or NULL. Without memory less is printed. */
static void print_all(struct watchdog *watchdog, lua_State *L) {
  lua_State *host = L ? L : watchdog->host->L;
  if (!atomic_exchange(&watchdog->stacks, false))
    return;
  print_header(watchdog);
  lua_pushcfunction(host, print_stacks);
  lua_pushlightuserdata(host, L);
  if (lua_pcall(host, 1, 0, 0) != LUA_OK) {
    fprintf(stderr, "strobe: no stacks: %s\n", lua_tostring(host, -1));
    lua_pop(host, 1);
  }
  fflush(stderr);
}

void watchdog_deliver(struct watchdog *watchdog) {
  if (atomic_load_explicit(&watchdog->stacks, memory_order_relaxed))
    print_all(watchdog, NULL);
}

/* --- The main thread, in the hook --------------------------------------------------------------
 */

/* Calls the judge, whose answer is left on top. False when there is none. [-0, +1, e] */
static bool ask(struct watchdog *watchdog, lua_State *L, uint64_t beat) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &judge) != LUA_TFUNCTION) {
    lua_pop(L, 1);
    return false;
  }
  lua_pushnumber(L, clock_seconds(clock_spent(watchdog->clock) - atomic_load(&watchdog->began)));
  luaL_where(L, 0);
  lua_pushinteger(L, (lua_Integer)beat);
  lua_call(L, 3, 1);
  return true;
}

static void answer(struct watchdog *watchdog, uint64_t beat, int64_t due) {
  atomic_store(&watchdog->due, due);
  atomic_store(&watchdog->answered, beat);
}

/* The judge may answer anything. */
static int64_t due_at(double seconds) {
  return seconds < MOST_SECONDS ? (int64_t)(fmax(seconds, 0) * (double)CLOCK_SECOND) : CLOCK_NEVER;
}

static bool examine(struct scheduler *scheduler, lua_State *L) {
  struct watchdog *watchdog = &list_entry(scheduler, struct host, scheduler)->watchdog;
  uint64_t beat = scheduler_read_beat(scheduler);
  print_all(watchdog, L);
  if (!L || atomic_load(&watchdog->asked) != beat || !atomic_exchange(&watchdog->wanted, false))
    return false;
  answer(watchdog, beat, CLOCK_NEVER);
  if (!ask(watchdog, L, beat))
    return false;
  int type = lua_type(L, -1);
  if (type == LUA_TNUMBER)
    answer(watchdog, beat, due_at(lua_tonumber(L, -1)));
  if (type != LUA_TNUMBER && type != LUA_TNIL)
    return true;
  lua_pop(L, 1);
  return false;
}

/* --- The thread --------------------------------------------------------------------------------
 */

/* What the thread saw when something moved last. */
struct sight {
  uint64_t beat, turns;
  int64_t spent, since; /* processor and real time at the first look at this beat */
  int64_t turned;       /* … and real time at that at this turn */
  bool stalled;         /* said once */
};

static int64_t smaller(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static int64_t pause_of(const struct watchdog *watchdog) {
  int64_t pause = smaller(smaller(watchdog->quota, watchdog->stall) / LOOKS, LONGEST_PAUSE);
  return pause < SHORTEST_PAUSE ? SHORTEST_PAUSE : pause;
}

static void see_beat(struct watchdog *watchdog, struct sight *sight, uint64_t beat, int64_t now) {
  sight->beat = beat;
  sight->since = now;
  sight->spent = clock_spent(watchdog->clock);
}

/* A turn that waits for input is none. */
static void see_turn(const struct loop *loop, struct sight *sight, bool idle, int64_t now) {
  uint64_t turns = atomic_load_explicit(&loop->turns, memory_order_relaxed);
  if (!idle && turns == sight->turns)
    return;
  sight->turns = turns;
  sight->turned = now;
  sight->stalled = false;
}

static void request(struct watchdog *watchdog, const struct sight *sight) {
  atomic_store(&watchdog->began, sight->spent);
  atomic_store(&watchdog->asked, sight->beat);
  atomic_store(&watchdog->wanted, true);
  pthread_kill(watchdog->main, ALARM);
}

static bool quota_is_used(struct watchdog *watchdog, struct sight *sight) {
  if (!(sight->beat & 1) || watchdog->quota == CLOCK_NEVER)
    return false;
  int64_t due = watchdog->quota;
  if (atomic_load(&watchdog->answered) == sight->beat)
    due = atomic_load(&watchdog->due);
  return clock_spent(watchdog->clock) - sight->spent >= due;
}

/* A turn of many steps stalls as well. */
static bool has_stalled(const struct watchdog *watchdog, const struct sight *sight, int64_t now) {
  if (sight->stalled || watchdog->stall == CLOCK_NEVER)
    return false;
  return now - sight->turned >= watchdog->stall;
}

static void look(struct watchdog *watchdog, struct sight *sight) {
  struct host *host = watchdog->host;
  int64_t now = clock_real();
  uint64_t beat = scheduler_read_beat(&host->scheduler);
  bool polling = atomic_load_explicit(&host->loop.polling, memory_order_relaxed);
  if (beat != sight->beat)
    see_beat(watchdog, sight, beat, now);
  see_turn(&host->loop, sight, polling && !(beat & 1), now);
  bool stalled = has_stalled(watchdog, sight, now);
  if (stalled) {
    sight->stalled = true;
    atomic_store(&watchdog->stood, now - sight->turned);
    atomic_store(&watchdog->stacks, true);
  }
  if (stalled || quota_is_used(watchdog, sight))
    request(watchdog, sight);
}

static void work(void *arg) {
  struct watchdog *watchdog = arg;
  struct sight sight = {.turned = clock_real()};
  uv_mutex_lock(&watchdog->mutex);
  while (!watchdog->ending) {
    look(watchdog, &sight);
    uv_cond_timedwait(&watchdog->changed, &watchdog->mutex, (uint64_t)pause_of(watchdog));
  }
  uv_mutex_unlock(&watchdog->mutex);
}

/* --- Who asks ----------------------------------------------------------------------------------
 */

static int start_thread(struct watchdog *watchdog) {
  sigset_t all, before;
  watchdog->ending = false;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
  int status = uv_thread_create(&watchdog->thread, work, watchdog);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  watchdog->alive = status == 0;
  return status;
}

static void end_thread(struct watchdog *watchdog) {
  if (!watchdog->alive)
    return;
  uv_mutex_lock(&watchdog->mutex);
  watchdog->ending = true;
  uv_cond_signal(&watchdog->changed);
  uv_mutex_unlock(&watchdog->mutex);
  uv_thread_join(&watchdog->thread);
  watchdog->alive = false;
}

/* 0, or a negative libuv error. */
static int set_limits(struct watchdog *watchdog, int64_t quota, int64_t stall) {
  uv_mutex_lock(&watchdog->mutex);
  watchdog->quota = quota;
  watchdog->stall = stall;
  uv_cond_signal(&watchdog->changed);
  uv_mutex_unlock(&watchdog->mutex);
  if (quota == CLOCK_NEVER && stall == CLOCK_NEVER)
    end_thread(watchdog);
  else if (!watchdog->alive)
    return start_thread(watchdog);
  return 0;
}

int watchdog_open(struct watchdog *watchdog, struct host *host) {
  watchdog->host = host;
  watchdog->main = pthread_self();
  watchdog->quota = watchdog->stall = CLOCK_NEVER;
  if (pthread_getcpuclockid(watchdog->main, &watchdog->clock) != 0)
    return UV_ENOSYS;
  int status = uv_mutex_init(&watchdog->mutex);
  if (status < 0)
    return status;
  if ((status = uv_cond_init(&watchdog->changed)) < 0) {
    uv_mutex_destroy(&watchdog->mutex);
    return status;
  }
  struct sigevent tick = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = ALARM};
  watchdog->has_timer = timer_create(CLOCK_MONOTONIC, &tick, &watchdog->timer) == 0;
  host->scheduler.examine = examine;
  the_watchdog = watchdog;
  signal_set(ALARM, on_alarm);
  signal_set(SIGUSR2, on_stacks);
  return 0;
}

void watchdog_take(int number) {
  if (number == SIGUSR2)
    signal_set(SIGUSR2, on_stacks);
}

void watchdog_close(struct watchdog *watchdog) {
  end_thread(watchdog);
  the_watchdog = NULL; /* a signal that comes late finds nobody */
  if (watchdog->has_timer)
    timer_delete(watchdog->timer);
  uv_cond_destroy(&watchdog->changed);
  uv_mutex_destroy(&watchdog->mutex);
  atomic_store(&watchdog->stacks, false);
  watchdog->host = NULL; /* finalizers of the state, which is closed after this, may ask for it */
}

/* --- For Lua -----------------------------------------------------------------------------------
 */

static struct watchdog *check_watchdog(lua_State *L) {
  struct watchdog *watchdog = &host_of(L)->watchdog;
  if (!watchdog->host)
    luaL_error(L, "the watchdog looks after the main thread only");
  return watchdog;
}

static int64_t check_limit(lua_State *L, int index) {
  if (lua_isnoneornil(L, index))
    return CLOCK_NEVER;
  double seconds = time_check_seconds(L, index);
  luaL_argcheck(L, seconds >= 0.001 && seconds <= MOST_SECONDS, index,
                "0.001 to 1000000 s expected");
  return (int64_t)(seconds * (double)CLOCK_SECOND);
}

static int limit(lua_State *L, struct watchdog *watchdog, int64_t quota, int64_t stall) {
  int status = set_limits(watchdog, quota, stall);
  if (status < 0)
    return luaL_error(L, "the watchdog's thread cannot be started: %s", uv_strerror(status));
  return 0;
}

/* quota([seconds, f]): f(seconds, place, step) is called in the hook, in the task that has run for
 * so much processor time without waiting; each step has its number. It returns an error to be
 * raised until the step ends or pardon is called; or a time in seconds at which it is to be asked
 * again; or nil. */
static int watchdog_quota(lua_State *L) {
  struct watchdog *watchdog = check_watchdog(L);
  int64_t seconds = check_limit(L, 1);
  if (seconds != CLOCK_NEVER)
    luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &judge);
  return limit(L, watchdog, seconds, watchdog->stall);
}

/* stall([seconds]): a step or a turn of the loop that lasts for so long has all stacks printed. */
static int watchdog_stall(lua_State *L) {
  struct watchdog *watchdog = check_watchdog(L);
  return limit(L, watchdog, watchdog->quota, check_limit(L, 1));
}

/* pardon(): what was condemned has been left, and the step goes on. */
static int watchdog_pardon(lua_State *L) {
  interrupt_pardon(scheduler_of(L));
  return 0;
}

/* alive() → whether there is a thread. */
static int watchdog_alive(lua_State *L) {
  lua_pushboolean(L, check_watchdog(L)->alive);
  return 1;
}

static const luaL_Reg functions[] = {
    {"quota", watchdog_quota},
    {"stall", watchdog_stall},
    {"pardon", watchdog_pardon},
    {"alive", watchdog_alive},
    {NULL, NULL},
};

int luaopen_strobe_core_watchdog(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
