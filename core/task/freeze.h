/* Freezing: a frozen task is not resumed. Its wake-up is kept, in the order in which
 * they came, until it is thawed. A task that is cancelled meanwhile ends after that;
 * one that takes no notice of being cancelled can be closed where it is.
 */
#ifndef STROBE_TASK_FREEZE_H
#define STROBE_TASK_FREEZE_H

#include "core/task/task.h"

/* A frozen task was to be resumed. */
void freeze_hold(struct scheduler *scheduler, struct task *task);

int luaopen_strobe_core_freeze(lua_State *L);

#endif
