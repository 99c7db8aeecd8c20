/* A future: an outcome that is not there yet. asyncio.Future.
 *
 * It ends once, by results, an error or a cancellation; the jobs that wait for
 * it are then made ready in the order they came. The values lie in the
 * userdata's user values: the result or error in the first, and in the second
 * a table of details, made when there is the first of them.
 */
#ifndef STROBE_TASK_FUTURE_H
#define STROBE_TASK_FUTURE_H

#include "core/task/scheduler.h"

struct task;

enum future_state { FUTURE_PENDING, FUTURE_FINISHED, FUTURE_FAILED, FUTURE_CANCELLED };

enum { FUTURE_RESULT = 1, FUTURE_DETAILS = 2, FUTURE_VALUES = 2 };

struct future {
  struct list waiters; /* jobs made ready at the end */
  uint8_t state;       /* enum future_state */
  bool is_task;        /* it is the first member of a struct task */
  bool packed;         /* the result is a table of several values */
  bool empty;          /* there is no result, not even nil */
  bool detailed;       /* there are details */
};

/* The Future or Task at the index, or an argument error. [-0, +0, v] */
struct future *future_check(lua_State *L, int index);
struct future *future_test(lua_State *L, int index);

void future_init(struct future *future);

/* Ends the future at the index with the top `count` values. [-count, +0, m] */
void future_finish(lua_State *L, int index, struct future *future, int count);

/* Ends it with the failure, or the CancelledError, on top. [-1, +0, m] */
void future_fail(lua_State *L, int index, struct future *future);

/* Ends it as cancelled, with the message on top or nil. [-1, +0, m] */
void future_end_cancelled(lua_State *L, int index, struct future *future);

/* Ends it with the error on top, when there is no memory for a failure. [-1, +0, -] */
void future_abandon(lua_State *L, int index, struct future *future);

/* Asks for cancellation, with the message on top or nil; a Task ends later.
 * False when it has ended already. [-1, +0, m] */
bool future_cancel(lua_State *L, int index, struct future *future);

/* The living task which the task awaits, or NULL. */
struct task *future_awaited_task(const struct task *task);

/* Pushes the results and returns their number, or raises the error; the future
 * has ended. [-0, +n, v] */
int future_outcome(lua_State *L, int index, struct future *future);

/* details[key] of the future at the index; what is not there is nil. */
int future_get_detail(lua_State *L, int index, const char *key);  /* [-0, +1, m] */
void future_set_detail(lua_State *L, int index, const char *key); /* [-1, +0, m] */

/* Pushes the list of the tasks that wait for it, and the list of its callbacks. [-0, +2, m] */
void future_push_waiters(lua_State *L, int index, struct future *future);

/* Adds the methods which Futures and Tasks share to the table on top. */
void future_add_methods(lua_State *L);

int luaopen_strobe_core_future(lua_State *L);

#endif
