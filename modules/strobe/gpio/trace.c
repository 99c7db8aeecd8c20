#include "modules/strobe/gpio/trace.h"

#include "modules/strobe/gpio/line.h"

void gpio_trace_net(const struct gpio_trace *trace, const struct gpio_net *net, int64_t time) {
  const struct list *link = net->lines.next;
  for (; link != &net->lines; link = link->next) {
    struct gpio_line *line = list_entry(link, struct gpio_line, net_link);
    if (line->traces == 0 || line->shown == net->value)
      continue;
    line->shown = net->value;
    if (trace->changed)
      trace->changed(trace->context, time, line, net->value);
  }
}

void gpio_trace_duty(const struct gpio_trace *trace, const struct gpio_line *line, int64_t time,
                     double share) {
  if (line->traces > 0 && trace->duty)
    trace->duty(trace->context, time, line, share);
}
