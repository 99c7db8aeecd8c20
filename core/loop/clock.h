/* Time as a service: the only place that asks the system what time it is.
 *
 * Loop time is an int64 count of nanoseconds. A live clock is the system's
 * monotonic clock; a scaled one runs `speed` times as fast from its start; a
 * virtual one stands still until it is moved.
 */
#ifndef STROBE_LOOP_CLOCK_H
#define STROBE_LOOP_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum clock_mode { CLOCK_LIVE, CLOCK_SCALED, CLOCK_VIRTUAL };

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_NEVER INT64_MAX

struct clock {
  enum clock_mode mode;
  double speed;
  int64_t origin; /* real time at which a scaled clock stood at `now` */
  int64_t now;    /* a scaled clock's start, a virtual clock's time */
  int64_t epoch;  /* what loop time 0 is in nanoseconds since 1970 */
};

void clock_init(struct clock *clock);
void clock_set_scaled(struct clock *clock, double speed);
void clock_set_virtual(struct clock *clock, int64_t now);

int64_t clock_now(const struct clock *clock);

/* Moves a virtual clock forward; never backward, and no other clock. */
void clock_advance(struct clock *clock, int64_t now);

/* Real nanoseconds until loop time is `when`; 0 when that is past. */
int64_t clock_until(const struct clock *clock, int64_t when);

/* A deadline `seconds` from now; CLOCK_NEVER when that is beyond all time. */
int64_t clock_after(const struct clock *clock, double seconds);

/* The loop time of a point given in seconds. */
int64_t clock_at(double seconds);

double clock_seconds(int64_t nanoseconds);

/* Nanoseconds since 1970. A virtual clock began in 2020, at its time 0; a scaled
 * one is right at its start and runs ahead from there. */
int64_t clock_wall(const struct clock *clock);

/* Real monotonic time, for measuring how long the host itself takes. */
int64_t clock_real(void);

/* Nanoseconds since 1970, whatever the clock shows: for who asks when somebody did something. */
int64_t clock_real_wall(void);

/* Processor time of a thread, by its clock. */
int64_t clock_spent(clockid_t thread);

/* Real time from the system's last tick: some milliseconds coarse, and cheap. */
int64_t clock_real_coarse(void);

#endif
