#include "core/host/escalation.h"

#include "core/host/host.h"
#include "core/host/notice.h"
#include "core/host/signal.h"
#include "core/io/raw.h"
#include "core/task/task.h"

#include <signal.h>

#define ON_INTERRUPT "strobe.on_interrupt"
#define ON_REDRAW "strobe.on_redraw"

/* Nanoseconds: a step of the foreground that is shorter ends by itself; our own code is left alone
 * for so long; all else has so much patience; a key counts as one more for so long. */
enum { SHORT_STEP = 100 * 1000 * 1000, SPARED = 200 * 1000 * 1000, PATIENCE = 1000 * 1000 * 1000 };
#define ONE_MORE (3 * CLOCK_SECOND)

enum { LAST_PRESS = 3 };

static struct host *host_with(struct escalation *escalation) {
  return list_entry(escalation, struct host, escalation);
}

static int stage_of(const struct escalation *escalation) {
  return atomic_load_explicit(&escalation->stage, memory_order_relaxed);
}

static void enter(struct escalation *escalation, enum escalation_stage stage, int64_t now) {
  escalation->since = now;
  atomic_store_explicit(&escalation->stage, (int)stage, memory_order_relaxed);
}

/* How long the step has lasted; the stamp is from before it. */
static int64_t step_time(const struct scheduler *scheduler, int64_t now) {
  return now - scheduler->loop->stamp;
}

static bool in_foreground(const struct escalation *escalation, const struct scheduler *scheduler) {
  const struct task *current = scheduler->current;
  return current && escalation->group > 0 && current->group == escalation->group;
}

/* --- In signal handlers ------------------------------------------------------------------------
 */

static void begin(struct escalation *escalation, uint64_t beat, int64_t now) {
  escalation->beat = beat;
  escalation->seen = atomic_load_explicit(&escalation->hooks, memory_order_relaxed);
  escalation->heard = now;
  escalation->spared = 0;
  enter(escalation, ESCALATION_ASKED, now);
}

static void count_press(struct escalation *escalation, int64_t now) {
  if (escalation->presses == 0 || now - escalation->first_press > ONE_MORE) {
    escalation->presses = 0;
    escalation->first_press = now;
  }
  if (++escalation->presses == LAST_PRESS)
    signal_leave_at_once(SIGINT);
}

static void press_again(struct escalation *escalation, int64_t now) {
  switch ((enum escalation_stage)stage_of(escalation)) {
  case ESCALATION_WARNED:
    escalation->spared = 0;
    enter(escalation, ESCALATION_WANTED, now);
    break;
  case ESCALATION_RAISED:
    enter(escalation, ESCALATION_CONDEMNED, now);
    break;
  case ESCALATION_DEAF:
    count_press(escalation, now);
    break;
  default: /* it is on its way */
    break;
  }
}

bool escalation_press(struct escalation *escalation) {
  struct scheduler *scheduler = &host_with(escalation)->scheduler;
  if (!escalation->at_work)
    return false;
  int64_t now = clock_real();
  uint64_t beat = scheduler_read_beat(scheduler);
  if (!(beat & 1)) {
    atomic_store(&escalation->pressed, true);
    return true;
  }
  if (stage_of(escalation) == ESCALATION_NONE || escalation->beat != beat)
    begin(escalation, beat, now);
  else
    press_again(escalation, now);
  interrupt_request(scheduler, INTERRUPT_KEY);
  watchdog_tick_on(&host_with(escalation)->watchdog);
  return true;
}

static void print(struct escalation *escalation, struct notice *notice) {
  notice_print(notice);
  atomic_store(&escalation->told, true);
}

static void warn(struct escalation *escalation, int64_t now) {
  const struct scheduler *scheduler = &host_with(escalation)->scheduler;
  struct notice notice;
  notice_begin(&notice);
  notice_add_running(&notice, scheduler);
  notice_add(&notice, " runs since ");
  notice_add_seconds(&notice, step_time(scheduler, now));
  notice_add(&notice, " without yielding; Ctrl-C again interrupts it");
  enter(escalation, ESCALATION_WARNED, now); /* before somebody reads that, and presses again */
  print(escalation, &notice);
}

static void tell_deaf(struct escalation *escalation, int64_t now) {
  struct notice notice;
  notice_begin(&notice);
  notice_add_running(&notice, &host_with(escalation)->scheduler);
  notice_add(&notice, ": in a C function since ");
  notice_add_seconds(&notice, now - escalation->heard);
  notice_add(&notice, "; three more Ctrl-C end the process");
  escalation->presses = 0;
  enter(escalation, ESCALATION_DEAF, now);
  print(escalation, &notice);
}

static void look_again(struct escalation *escalation, int64_t now) {
  const struct scheduler *scheduler = &host_with(escalation)->scheduler;
  enum escalation_stage stage = (enum escalation_stage)stage_of(escalation);
  if (stage == ESCALATION_DEAF)
    return;
  if (stage == ESCALATION_WARNED && now - escalation->since > ONE_MORE)
    enter(escalation, ESCALATION_NONE, now);
  else if (now - escalation->heard >= PATIENCE)
    tell_deaf(escalation, now);
  else if (stage == ESCALATION_RAISED && now - escalation->since >= PATIENCE)
    enter(escalation, ESCALATION_CONDEMNED, now);
  else if (stage == ESCALATION_ASKED && !in_foreground(escalation, scheduler) &&
           step_time(scheduler, now) >= PATIENCE)
    warn(escalation, now);
}

bool escalation_tick(struct escalation *escalation, int64_t now) {
  struct scheduler *scheduler = &host_with(escalation)->scheduler;
  if (stage_of(escalation) == ESCALATION_NONE)
    return false;
  uint64_t beat = scheduler_read_beat(scheduler);
  if (beat != escalation->beat) { /* that step is over */
    if (stage_of(escalation) != ESCALATION_ASKED || !(beat & 1))
      return true;                /* until the next turn */
    begin(escalation, beat, now); /* nobody has heard of it: it is for the step that runs now */
  }
  unsigned hooks = atomic_load_explicit(&escalation->hooks, memory_order_relaxed);
  if (hooks != escalation->seen) {
    escalation->seen = hooks;
    escalation->heard = now;
  }
  look_again(escalation, now);
  if (stage_of(escalation) == ESCALATION_NONE)
    return false;
  interrupt_request(scheduler, INTERRUPT_KEY);
  return true;
}

/* --- In the hook -------------------------------------------------------------------------------
 */

static enum interrupt_verdict give_error(struct escalation *escalation, bool ours, int64_t now) {
  if (ours && escalation->spared == 0)
    escalation->spared = now;
  if (ours && now - escalation->spared < SPARED)
    return INTERRUPT_CLOSELY;
  enter(escalation, ESCALATION_RAISED, now);
  return INTERRUPT_RAISE;
}

static enum interrupt_verdict judge_asked(struct escalation *escalation,
                                          const struct scheduler *scheduler, bool ours,
                                          int64_t now) {
  if (!in_foreground(escalation, scheduler) || step_time(scheduler, now) < SHORT_STEP)
    return INTERRUPT_LATER;
  return give_error(escalation, ours, now);
}

/* What has been condemned for long, and is at work in our own code all the time, is cut there. */
static enum interrupt_verdict judge_condemned(const struct escalation *escalation,
                                              const struct scheduler *scheduler, bool ours,
                                              int64_t now) {
  if (!interrupt_is_condemned(scheduler))
    return INTERRUPT_CONDEMN;
  return ours && now - escalation->since >= PATIENCE ? INTERRUPT_RAISE : INTERRUPT_LET;
}

static enum interrupt_verdict judge(struct scheduler *scheduler, bool ours) {
  struct escalation *escalation = &list_entry(scheduler, struct host, scheduler)->escalation;
  int64_t now = clock_real();
  atomic_fetch_add_explicit(&escalation->hooks, 1, memory_order_relaxed);
  switch ((enum escalation_stage)stage_of(escalation)) {
  case ESCALATION_DEAF: /* no longer */
    enter(escalation, ESCALATION_ASKED, now);
    return judge_asked(escalation, scheduler, ours, now);
  case ESCALATION_ASKED:
    return judge_asked(escalation, scheduler, ours, now);
  case ESCALATION_WANTED:
    return give_error(escalation, ours, now);
  case ESCALATION_CONDEMNED:
    return judge_condemned(escalation, scheduler, ours, now);
  default:
    return INTERRUPT_LET; /* until the next tick */
  }
}

/* --- Between two turns -------------------------------------------------------------------------
 */

static void call(lua_State *L, const char *function) {
  if (lua_getfield(L, LUA_REGISTRYINDEX, function) == LUA_TFUNCTION)
    scheduler_call(L, 0, 0, "interrupt callback");
  else
    lua_pop(L, 1);
}

void escalation_deliver(struct host *host) {
  struct escalation *escalation = &host->escalation;
  int stage = atomic_exchange(&escalation->stage, ESCALATION_NONE);
  if (stage != ESCALATION_NONE)
    interrupt_withdraw(&host->scheduler, INTERRUPT_KEY);
  bool unheard = stage == ESCALATION_ASKED || stage == ESCALATION_DEAF;
  if (atomic_exchange(&escalation->told, false))
    call(host->L, ON_REDRAW);
  if (atomic_exchange(&escalation->pressed, false) || unheard)
    call(host->L, ON_INTERRUPT);
}

void escalation_open(struct escalation *escalation, struct host *host) {
  (void)escalation;
  host->scheduler.judge = judge;
}

/* --- For Lua -----------------------------------------------------------------------------------
 */

static void set_function(lua_State *L, int index, const char *name) {
  if (!lua_isnoneornil(L, index))
    luaL_checktype(L, index, LUA_TFUNCTION);
  lua_settop(L, 2);
  lua_pushvalue(L, index);
  lua_setfield(L, LUA_REGISTRYINDEX, name);
}

int escalation_on_interrupt(lua_State *L) {
  set_function(L, 1, ON_INTERRUPT);
  set_function(L, 2, ON_REDRAW);
  host_of(L)->escalation.at_work = lua_isfunction(L, 1);
  return 0;
}

/* evaluation([task]): that and the tasks which it makes from now on are in the foreground; nil:
 * none is. */
static int interrupt_evaluation(lua_State *L) {
  struct escalation *escalation = &host_of(L)->escalation;
  struct task *task = lua_isnoneornil(L, 1) ? NULL : task_check(L, 1);
  if (task)
    task->group = task->id;
  escalation->group = task ? task->id : 0;
  return 0;
}

static const luaL_Reg functions[] = {
    {"evaluation", interrupt_evaluation},
    {NULL, NULL},
};

int luaopen_strobe_core_interrupt(lua_State *L) {
  luaL_newlib(L, functions);
  return 1;
}
