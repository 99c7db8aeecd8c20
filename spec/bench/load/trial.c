#include "trial.h"

#include "process.h"
#include "report.h"
#include "socket.h"
#include "witness.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NAME = 64, NICE = 10 };

#define MIB (1024.0 * 1024)
#define HEAP_NOISE 0.25 /* MiB of objects */
#define NOISE 8.0       /* MiB of memory: garbage may be collected later than the first time */
#define GROWTH 1.25     /* by which the second time may be above the first */
#define SECONDS_TO_GO 5.0
#define SECONDS_TO_SETTLE 0.3

struct run {
  const struct trial *trial;
  const struct service *service;
  struct witness *witness;
  double resident; /* at first */
  int asker, descriptors;
};

static void report(const struct run *run, const char *what, double value, const char *unit) {
  char name[NAME];
  snprintf(name, sizeof name, "%s_%s", run->trial->name, what);
  report_result(name, value, unit);
}

static double left(const struct run *run) {
  return (process_resident(run->service->pid) - run->resident) / MIB;
}

/* Once; the most memory it took, in MiB, as the witness saw it. */
static double hold_once(const struct run *run, struct testimony *testimony) {
  const char *name = run->trial->name;
  witness_begin(run->witness);
  run->trial->run(run->service->port);
  int there = process_wait_descriptors(run->service->pid, run->descriptors, SECONDS_TO_GO);
  process_sleep(SECONDS_TO_SETTLE);
  witness_end(run->witness, testimony);
  report_expect(there <= run->descriptors, "%s: %d connections stay in the server", name,
                there - run->descriptors);
  double taken = (testimony->memory - run->resident) / MIB;
  report_expect(taken <= run->trial->most, "%s: it took %.1f MiB, more than %.0f", name, taken,
                run->trial->most);
  return taken;
}

static double heap(const struct run *run) {
  return run->service->heap(run->asker) / MIB;
}

/* The first time makes tables larger and fills caches. */
static double hold_twice(const struct run *run, struct testimony *testimony) {
  struct testimony second;
  double first = hold_once(run, testimony), kept = heap(run);
  if (run->trial->once)
    return first;
  double again = hold_once(run, &second), still = heap(run);
  report_expect(still <= kept + HEAP_NOISE,
                "%s: objects take %.2f MiB, and %.2f after the second "
                "time: some are lost",
                run->trial->name, kept, still);
  report_expect(again <= first * GROWTH + NOISE,
                "%s: it took %.1f MiB, and %.1f the second time: memory is lost", run->trial->name,
                first, again);
  return first;
}

static void start(struct run *run) {
  const struct service *service = run->service;
  run->asker = socket_connect(service->port, 0);
  service->open(run->asker);
  run->witness = witness_start(service->port, service->pid, service->open, service->exchange);
  setpriority(PRIO_PROCESS, 0, NICE); /* of this thread: the witness goes first */
  process_sleep(SECONDS_TO_SETTLE);
  run->descriptors = process_descriptors(service->pid);
}

void trial_hold(const struct trial *trial, const struct service *service) {
  struct run run = {.trial = trial, .service = service};
  struct testimony testimony;
  start(&run);
  heap(&run);
  run.resident = process_resident(service->pid);
  double taken = hold_twice(&run, &testimony);
  process_sleep(SECONDS_TO_SETTLE);
  report(&run, "p99_ms", histogram_quantile(&testimony.times, 0.99) * 1e3, "ms");
  report(&run, "max_ms", testimony.times.most * 1e3, "ms");
  report(&run, "per_s", (double)testimony.times.count / testimony.seconds, "msg/s");
  report(&run, "mib", taken, "MiB");
  report(&run, "left_mib", left(&run), "MiB");
  witness_stop(run.witness);
  close(run.asker);
}
