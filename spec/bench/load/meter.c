#include "meter.h"

#include "process.h"
#include "report.h"

#include <stdio.h>

enum { NAME = 64 };

void meter_start(struct meter *meter) {
  meter->wall = process_now();
  meter->cpu = process_time(meter->pid);
}

void meter_stop(struct meter *meter, long messages) {
  double rate = (double)messages / (process_now() - meter->wall);
  double cpu = process_time(meter->pid) - meter->cpu;
  if (rate > meter->rate)
    meter->rate = rate;
  if (cpu > 0 && (double)messages / cpu > meter->efficiency)
    meter->efficiency = (double)messages / cpu;
}

void meter_report(const struct meter *meter, const char *name) {
  char full[NAME];
  snprintf(full, sizeof full, "%s_per_s", name);
  report_result(full, meter->rate, "msg/s");
  snprintf(full, sizeof full, "%s_per_cpu_s", name);
  report_result(full, meter->efficiency, "msg/cpu-s");
}
