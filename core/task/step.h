/* A step of a task that is debugged: from a line to another one, in, over or out of what is called.
 *
 * Where it began is told by how deep its threads are in each other (generators, a plain coroutine)
 * and how deep the stack of the innermost is: so a step follows its task, whatever it waits for.
 */
#ifndef STROBE_TASK_STEP_H
#define STROBE_TASK_STEP_H

#include "core/task/task.h"

enum step_kind { STEP_IN, STEP_OVER, STEP_OUT };

struct step {
  uint64_t task;
  enum step_kind kind;
  int nesting, depth;
};

/* Begins where the task is stopped: L is its innermost thread. */
struct step step_begin(const struct task *task, lua_State *L, enum step_kind kind);

/* Whether it ends at the line that begins in L. `file`: 0 for code that is not the user's. One that
 * has come back to such code, as when a handler returns to who calls it, ends at the next line that
 * is his. */
bool step_is_over(struct step *step, const struct task *task, lua_State *L, int file);

#endif
