/* A line: one pin of a component, as libgpiod sees it.
 *
 * What a program reads and writes is logical; active-low turns it into what is physical,
 * the drive turns that into what the line's output puts on the net. Edges are logical and
 * go from one defined level to the other, whatever z and x lie between. */
#ifndef STROBE_GPIO_LINE_H
#define STROBE_GPIO_LINE_H

#include "modules/strobe/gpio/driver.h"
#include "modules/strobe/gpio/net.h"

struct gpio_pwm;

enum gpio_direction { GPIO_INPUT, GPIO_OUTPUT };
enum gpio_bias { GPIO_BIAS_DISABLED, GPIO_PULL_UP, GPIO_PULL_DOWN };
enum gpio_drive { GPIO_PUSH_PULL, GPIO_OPEN_DRAIN, GPIO_OPEN_SOURCE };

struct gpio_settings {
  enum gpio_direction direction;
  enum gpio_bias bias;
  enum gpio_drive drive;
  bool active_low;
  enum gpio_level output_value; /* logical: what an output begins with */
  int64_t debounce_period;      /* ns; 0 is none */
  enum gpio_delay delay_kind;   /* of the output */
  int64_t delay;                /* ns */
};

/* Has a level count once it was still for a period. */
struct gpio_debounce {
  enum gpio_level level; /* physical; z when there was none yet */
  struct gpio_event event;
};

/* The part a line belongs to, e.g. "led1". */
struct gpio_component {
  struct list link;
  uint32_t pending; /* drivers with a value for the next delta */
  char name[];
};

struct gpio_line {
  struct gpio_board *board;
  struct gpio_component *component;
  uint32_t id;       /* its place among the board's lines, from 0 */
  char *name;        /* "component.pin" */
  char *label;       /* what its net is called, or NULL */
  char *consumer;    /* who requested it, or NULL */
  uint32_t requests; /* more than one when it is shared */
  uint32_t traces;   /* how many it is in */
  bool shared;
  bool marked; /* by a search along the wires */
  struct gpio_settings settings;
  enum gpio_level output; /* logical: what was written last */
  struct gpio_driver drivers[GPIO_TIERS];
  struct gpio_pwm *pwm; /* NULL when there is none */
  struct gpio_net *net;
  struct list net_link; /* in the net's lines */
  struct list watched;  /* in the net's watched, while it looks at changes */
  struct list wires;    /* ends of wires here */
  struct list search;   /* in a search along the wires */
  struct list watches;  /* of subscriptions */
  struct gpio_debounce debounce;
  enum gpio_level level;   /* as last looked at; physical */
  enum gpio_level defined; /* the last that was 0 or 1; physical */
  enum gpio_level shown;   /* as last traced; physical */
  uint64_t edge_seq, change_seq;
  uint64_t floating_reads;
};

/* Requests a line, which may not have another owner unless both share it. */
enum gpio_status gpio_line_request(struct gpio_line *line, const char *consumer, bool shared);

/* The last release makes it an input without bias. Subscriptions stay. */
void gpio_line_release(struct gpio_line *line);

/* Forgets a pending debounce. An output takes its output_value. */
enum gpio_status gpio_line_configure(struct gpio_line *line, const struct gpio_settings *settings);

/* Writes a logical value, also z to let go; ends a PWM. Takes effect in the next delta, or
 * after the delay of the settings. */
enum gpio_status gpio_line_write(struct gpio_line *line, enum gpio_level value);

/* Writes the other value than was written last; 1 after z and x. */
enum gpio_status gpio_line_toggle(struct gpio_line *line);

/* Reads a logical 0 or 1; what z and x are read as is the board's policy. Whoever has
 * written in this delta reads that back. */
enum gpio_status gpio_line_read(struct gpio_line *line, int *value);

/* The physical level of its net. */
enum gpio_level gpio_line_level(struct gpio_line *line);

/* Names its net; NULL for no name. */
enum gpio_status gpio_line_label(struct gpio_line *line, const char *label);

/* A fault: its net is stuck at 0 or 1; z ends that. */
void gpio_line_stick(struct gpio_line *line, enum gpio_level level);

/* Takes part in one more trace, or in one less. */
void gpio_line_trace(struct gpio_line *line, bool traced);

/* For subscriptions: has the line look at changes, or no longer, as its watches demand. */
void gpio_line_review(struct gpio_line *line);

/* For nets: the level after they were resolved. */
void gpio_line_observe(struct gpio_line *line, enum gpio_level level);

/* For the board: its part in opening and closing lines. */
struct gpio_line *gpio_line_open(struct gpio_board *board, struct gpio_component *component,
                                 const char *name);
void gpio_line_close(struct gpio_line *line);

static inline enum gpio_level gpio_line_logical(const struct gpio_line *line,
                                                enum gpio_level level) {
  return line->settings.active_low ? gpio_level_invert(level) : level;
}

/* What the output drives for a logical value. */
enum gpio_level gpio_line_driven(const struct gpio_line *line, enum gpio_level value);

#endif
