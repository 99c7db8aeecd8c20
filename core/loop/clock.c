#include "core/loop/clock.h"

#include <math.h>

static int64_t system_time(clockid_t id) {
  struct timespec time;
  clock_gettime(id, &time);
  return time.tv_sec * CLOCK_SECOND + time.tv_nsec;
}

int64_t clock_real(void) {
  return system_time(CLOCK_MONOTONIC);
}

int64_t clock_real_wall(void) {
  return system_time(CLOCK_REALTIME);
}

int64_t clock_spent(clockid_t thread) {
  return system_time(thread);
}

int64_t clock_real_coarse(void) {
#ifdef CLOCK_MONOTONIC_COARSE
  return system_time(CLOCK_MONOTONIC_COARSE);
#else
  return clock_real();
#endif
}

/* 2020-01-01: a virtual clock must show the same in every run. */
static const int64_t VIRTUAL_EPOCH = INT64_C(1577836800) * CLOCK_SECOND;

void clock_init(struct clock *clock) {
  *clock = (struct clock){.mode = CLOCK_LIVE, .speed = 1.0};
}

int64_t clock_wall(const struct clock *clock) {
  if (clock->mode == CLOCK_LIVE)
    return clock_real_wall();
  return clock->epoch + clock_now(clock);
}

void clock_set_scaled(struct clock *clock, double speed) {
  int64_t now = clock_now(clock);
  *clock = (struct clock){.mode = CLOCK_SCALED,
                          .speed = speed,
                          .origin = clock_real(),
                          .now = now,
                          .epoch = clock_real_wall() - now};
}

void clock_set_virtual(struct clock *clock, int64_t now) {
  *clock = (struct clock){.mode = CLOCK_VIRTUAL, .speed = 1.0, .now = now, .epoch = VIRTUAL_EPOCH};
}

int64_t clock_now(const struct clock *clock) {
  switch (clock->mode) {
  case CLOCK_VIRTUAL:
    return clock->now;
  case CLOCK_SCALED:
    return clock->now + (int64_t)((double)(clock_real() - clock->origin) * clock->speed);
  default:
    return clock_real();
  }
}

void clock_advance(struct clock *clock, int64_t now) {
  if (clock->mode == CLOCK_VIRTUAL && now > clock->now)
    clock->now = now;
}

int64_t clock_until(const struct clock *clock, int64_t when) {
  int64_t now = clock_now(clock);
  if (when <= now)
    return 0;
  double real = (double)(when - now) / clock->speed;
  return real < (double)(CLOCK_NEVER / 2) ? (int64_t)ceil(real) : CLOCK_NEVER / 2;
}

int64_t clock_after(const struct clock *clock, double seconds) {
  int64_t now = clock_now(clock);
  double later = seconds * (double)CLOCK_SECOND;
  if (later <= 0)
    return now;
  if (later >= (double)(CLOCK_NEVER - now))
    return CLOCK_NEVER;
  int64_t step = (int64_t)llround(later);
  return now + (step > 0 ? step : 1); /* who waits for any time at all gets on */
}

int64_t clock_at(double seconds) {
  double when = seconds * (double)CLOCK_SECOND;
  if (when >= (double)CLOCK_NEVER)
    return CLOCK_NEVER;
  return when > 0 ? (int64_t)llround(when) : 0;
}

double clock_seconds(int64_t nanoseconds) {
  return (double)nanoseconds / (double)CLOCK_SECOND;
}
