#include "modules/strobe/gpio/status.h"

const char *gpio_status_code(enum gpio_status status) {
  switch (status) {
  case GPIO_NO_MEMORY:
    return "ENOMEM";
  case GPIO_INVALID:
    return "EINVAL";
  case GPIO_NOT_FOUND:
    return "ENOENT";
  case GPIO_BUSY:
    return "EBUSY";
  case GPIO_WRONG_DIRECTION:
    return "EPERM";
  case GPIO_FLOATING:
    return "EFLOATING";
  case GPIO_OSCILLATION:
    return "EOSCILLATION";
  case GPIO_TIME_OVERFLOW:
    return "EOVERFLOW";
  case GPIO_LIMIT:
    return "ELIMIT";
  default:
    return "OK";
  }
}
