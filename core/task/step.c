#include "core/task/step.h"

#include "core/task/generator.h"

/* Threads of the task in each other: its generators, and a plain coroutine that runs. */
static int nesting_of(const struct task *task, const lua_State *L) {
  int nesting = L == task_running_thread(task) ? 0 : 1;
  for (const struct generator *generator = task->generator; generator; generator = generator->outer)
    nesting++;
  return nesting;
}

static int depth_of(lua_State *L) {
  lua_Debug info;
  int low = 0, high = 1;
  while (lua_getstack(L, high, &info)) {
    low = high;
    high *= 2;
  }
  while (low + 1 < high) {
    int middle = (low + high) / 2;
    if (lua_getstack(L, middle, &info))
      low = middle;
    else
      high = middle;
  }
  return low;
}

struct step step_begin(const struct task *task, lua_State *L, enum step_kind kind) {
  return (struct step){task->id, kind, nesting_of(task, L), depth_of(L)};
}

bool step_is_over(struct step *step, const struct task *task, lua_State *L, int file) {
  if (step->kind != STEP_IN) {
    int nesting = nesting_of(task, L) - step->nesting;
    int depth = nesting == 0 ? depth_of(L) - step->depth : nesting;
    if (depth > 0 || (depth == 0 && step->kind == STEP_OUT))
      return false;
    if (file == 0)
      step->kind = STEP_IN;
  }
  return file > 0;
}
