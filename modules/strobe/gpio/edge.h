/* Edges: what a line tells its subscriptions, see line.h; with a debounce only once the
 * level was still for a period. */
#ifndef STROBE_GPIO_EDGE_H
#define STROBE_GPIO_EDGE_H

struct gpio_line;

void gpio_debounce_init(struct gpio_line *line);

/* Takes the present level for the debounced one, and forgets a change that is on its way. */
void gpio_debounce_reset(struct gpio_line *line);
void gpio_debounce_cancel(struct gpio_line *line);

/* Has it go on after a failure to queue it. */
void gpio_debounce_review(struct gpio_line *line);

#endif
