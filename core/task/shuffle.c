/* While it is on, the jobs of each turn run in an order that is drawn, among those
 * which the promises of the loop allow:
 *
 *   - callbacks (call_soon, done callbacks, …) stay in their order;
 *   - a task does not overtake a callback that was ready before it;
 *   - a task that gave way, by sleep(0), does not overtake anything that was ready then.
 *
 * Tasks that are ready in the same turn are free otherwise: also those which one event
 * or one deadline has woken together. The same seed draws the same orders.
 */
#include "core/task/shuffle.h"

#include "core/task/task.h"

/* The job that is to be last is looked for among so many: a large turn costs O(n). */
enum { WINDOW = 64 };

struct shuffle {
  struct arranger arranger;
  struct loop *loop;
  uint64_t state;
  lua_Integer seed;
};

/* splitmix64, by Sebastiano Vigna: neighbouring seeds have nothing in common. */
static uint64_t draw(struct shuffle *shuffle) {
  uint64_t z = shuffle->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static const struct task *task_of(struct list *link) {
  struct job *job = list_entry(link, struct job, link);
  return job->run == scheduler_step ? list_entry(job, struct task, job) : NULL;
}

/* One of those that may be the last of the jobs before `end`. */
static struct list *draw_last(struct shuffle *shuffle, const struct list *jobs, struct list *end) {
  struct list *candidates[WINDOW] = {end->prev}, *link = end->prev;
  uint64_t count = 0;
  for (int steps = 0; link != jobs && steps < WINDOW; steps++, link = link->prev) {
    const struct task *task = task_of(link);
    if (!task && link != end->prev) /* what is behind it may not overtake it */
      continue;
    candidates[count++] = link;
    if (task && task->yielded)
      break;
  }
  return candidates[count > 1 ? draw(shuffle) % count : 0];
}

/* Those from `end` on have their places. */
static void arrange(struct arranger *arranger, struct list *jobs) {
  struct shuffle *shuffle = list_entry(arranger, struct shuffle, arranger);
  for (struct list *end = jobs; end->prev != jobs;) {
    struct list *last = draw_last(shuffle, jobs, end);
    list_remove(last);
    list_append(end, last); /* right before it */
    end = last;
  }
}

/* start(seed): tasks that are ready run in orders drawn by the integer from now on. */
static int shuffle_start(lua_State *L) {
  struct shuffle *shuffle = lua_touserdata(L, lua_upvalueindex(1));
  lua_Integer seed = luaL_checkinteger(L, 1);
  shuffle->seed = seed;
  shuffle->state = (uint64_t)seed;
  shuffle->loop->arranger = &shuffle->arranger;
  return 0;
}

/* stop(): they run first in, first out again. */
static int shuffle_stop(lua_State *L) {
  struct shuffle *shuffle = lua_touserdata(L, lua_upvalueindex(1));
  shuffle->loop->arranger = NULL;
  return 0;
}

/* seed() → the integer while it is on, or nil. */
static int shuffle_seed(lua_State *L) {
  const struct shuffle *shuffle = lua_touserdata(L, lua_upvalueindex(1));
  if (shuffle->loop->arranger)
    lua_pushinteger(L, shuffle->seed);
  else
    lua_pushnil(L);
  return 1;
}

static const luaL_Reg functions[] = {
    {"start", shuffle_start},
    {"stop", shuffle_stop},
    {"seed", shuffle_seed},
    {NULL, NULL},
};

/* Its state is anchored for good: the loop may not outlive it. */
int luaopen_strobe_core_shuffle(lua_State *L) {
  luaL_newlibtable(L, functions);
  struct shuffle *shuffle = lua_newuserdatauv(L, sizeof *shuffle, 0);
  *shuffle = (struct shuffle){.arranger.arrange = arrange, .loop = scheduler_of(L)->loop};
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, shuffle);
  luaL_setfuncs(L, functions, 1);
  return 1;
}
