/* How a call to the engine ended. What fails leaves a message on the board. */
#ifndef STROBE_GPIO_STATUS_H
#define STROBE_GPIO_STATUS_H

enum gpio_status {
  GPIO_OK,
  GPIO_NOTIFY,          /* notices wait to be taken before time goes on */
  GPIO_MORE,            /* there is more to do than was allowed */
  GPIO_NO_MEMORY,       /* the board is as before */
  GPIO_INVALID,         /* a setting or value that is none */
  GPIO_NOT_FOUND,       /* no such line */
  GPIO_BUSY,            /* the line has an owner */
  GPIO_WRONG_DIRECTION, /* an input was written, an output watched for edges */
  GPIO_FLOATING,        /* a read of z or x, where that is an error */
  GPIO_OSCILLATION,     /* a time does not settle */
  GPIO_TIME_OVERFLOW,   /* beyond the end of time */
  GPIO_LIMIT,           /* one too many of something */
};

/* The fixed word for a status that is a failure: "EBUSY". */
const char *gpio_status_code(enum gpio_status status);

#endif
