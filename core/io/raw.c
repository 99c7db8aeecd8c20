#include "core/io/raw.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <uv.h>

enum { CTRL_C = 3 };

/* What ends or stops the process while a terminal is raw. SIGTERM and SIGHUP are the host's. */
static const int fatal[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGQUIT, SIGSEGV, SIGTRAP};
enum { FATAL = sizeof fatal / sizeof fatal[0] };

/* A handler gets nothing but a number. */
static struct {
  struct termios before, raw;
  struct sigaction fatal[FATAL], stop; /* as they were */
  volatile sig_atomic_t on;
  int fd;
} the;

bool raw_in_background(int fd) {
  pid_t group = tcgetpgrp(fd);
  return group >= 0 && group != getpgrp();
}

/* --- In signal handlers ------------------------------------------------------------------ */

/* In the background the terminal's settings are somebody else's by now. */
static void set_before(void) {
  static const char farewell[] = "\33[0m\33[?2004l\r\n";
  if (raw_in_background(the.fd))
    return;
  ssize_t ignored = write(the.fd, farewell, sizeof farewell - 1);
  (void)ignored;
  tcsetattr(the.fd, TCSANOW, &the.before);
}

void raw_restore(void) {
  int error = errno;
  if (the.on) {
    the.on = 0;
    set_before();
  }
  errno = error;
}

/* Whoever would have had the signal gets it, as this handler is left. */
static void on_fatal(int number) {
  raw_restore();
  for (int i = 0; i < FATAL; i++)
    if (fatal[i] == number)
      sigaction(number, &the.fatal[i], NULL);
  raise(number);
}

static void stop_here(void) {
  struct sigaction action = {.sa_handler = SIG_DFL};
  struct sigaction ours;
  sigset_t stop;
  sigset_t before;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  sigaction(SIGTSTP, &action, &ours);
  raise(SIGTSTP);
  pthread_sigmask(SIG_UNBLOCK, &stop, &before); /* stopped here, until SIGCONT */
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  sigaction(SIGTSTP, &ours, NULL);
}

/* Who draws on the terminal hears of SIGCONT. */
static void on_stop(int number) {
  (void)number;
  int error = errno;
  if (the.on)
    set_before();
  stop_here();
  if (the.on && !raw_in_background(the.fd))
    tcsetattr(the.fd, TCSANOW, &the.raw);
  errno = error;
}

/* --- Entering and leaving ---------------------------------------------------------------- */

static void take_signals(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  sigfillset(&action.sa_mask);
  action.sa_handler = on_fatal;
  for (int i = 0; i < FATAL; i++)
    sigaction(fatal[i], &action, &the.fatal[i]);
  action.sa_handler = on_stop;
  action.sa_flags = SA_RESTART;
  sigaction(SIGTSTP, &action, &the.stop);
}

static void give_signals_back(void) {
  for (int i = 0; i < FATAL; i++)
    sigaction(fatal[i], &the.fatal[i], NULL);
  sigaction(SIGTSTP, &the.stop, NULL);
}

/* Output stays as it is, with CR before each LF: others print there, too. */
static struct termios made_raw(const struct termios *before) {
  struct termios raw = *before;
  raw.c_iflag &= (tcflag_t) ~(BRKINT | ICRNL | IGNCR | INLCR | INPCK | ISTRIP | IXON);
  raw.c_cflag = (raw.c_cflag & (tcflag_t)~CSIZE) | CS8;
  raw.c_lflag &= (tcflag_t) ~(ECHO | ICANON | IEXTEN);
  raw.c_lflag |= ISIG | NOFLSH;
  raw.c_cc[VINTR] = CTRL_C;
  raw.c_cc[VQUIT] = raw.c_cc[VSUSP] = _POSIX_VDISABLE;
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  return raw;
}

static int set_raw(int fd) {
  static bool registered;
  if (tcgetattr(fd, &the.before) < 0)
    return uv_translate_sys_error(errno);
  the.raw = made_raw(&the.before);
  the.fd = fd;
  if (!registered && atexit(raw_restore) != 0)
    return UV_ENOMEM;
  registered = true;
  take_signals();
  the.on = 1; /* from here on there is something to restore */
  return 0;
}

int raw_enter(int fd) {
  if (the.on && the.fd != fd)
    return UV_EBUSY;
  int status = the.on ? 0 : set_raw(fd);
  if (status == 0 && tcsetattr(fd, TCSANOW, &the.raw) < 0)
    status = uv_translate_sys_error(errno);
  return status;
}

void raw_leave(int fd) {
  if (!the.on || the.fd != fd)
    return;
  the.on = 0;
  if (!raw_in_background(fd))
    tcsetattr(fd, TCSANOW, &the.before);
  give_signals_back();
}
