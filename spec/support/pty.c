/* A terminal for specs: runs a program in one, and is what a person, a window and a shell are to
 * it. Started by spec/support/pty.lua.
 *
 *   pty ROWS COLUMNS PROGRAM [ARGUMENT...]
 *
 * What the program prints comes on standard output. Commands are lines of standard input:
 *
 *   type N       the next N bytes are keys
 *   size R C     the window has another size
 *   signal N     the program gets a signal
 *   stop, go     the terminal takes no output; takes it again
 *   hangup       the window is closed
 *   foreground   as the shell's `fg`
 *   settings     asks for the terminal's settings, and whether who shares our descriptor may block
 *
 * Answers and news are lines of standard error: "pid N", "settings …", "stopped N", "exited N",
 * "killed N". The end of standard input ends the program and all this.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

struct queue {
  char *bytes;
  size_t size;
};

struct pty {
  int master, slave;
  pid_t child;
  bool stopped; /* its output is not taken */
  struct queue commands, keys;
};

static int die(const char *what) {
  fprintf(stderr, "pty: %s: %s\n", what, strerror(errno));
  return 1;
}

static void append(struct queue *queue, const char *bytes, size_t size) {
  queue->bytes = realloc(queue->bytes, queue->size + size);
  if (!queue->bytes)
    exit(die("memory"));
  memcpy(queue->bytes + queue->size, bytes, size);
  queue->size += size;
}

static void take(struct queue *queue, size_t size) {
  queue->size -= size;
  memmove(queue->bytes, queue->bytes + size, queue->size);
}

/* --- Commands ---------------------------------------------------------------------------- */

static void resize(const struct pty *pty, unsigned rows, unsigned columns) {
  struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  if (ioctl(pty->master, TIOCSWINSZ, &size) < 0)
    exit(die("size"));
}

static void tell_settings(const struct pty *pty) {
  struct termios s;
  if (tcgetattr(pty->slave, &s) < 0)
    exit(die("settings"));
  bool blocks = !(fcntl(pty->slave, F_GETFL) & O_NONBLOCK);
  fprintf(stderr, "settings %x %x %x %x ", s.c_iflag, s.c_oflag, s.c_cflag, s.c_lflag);
  for (size_t i = 0; i < NCCS; i++)
    fprintf(stderr, "%02x", s.c_cc[i]);
  fprintf(stderr, " %s\n", blocks ? "blocking" : "nonblocking");
}

static void hang_up(struct pty *pty) {
  close(pty->slave);
  close(pty->master);
  pty->master = pty->slave = -1;
}

static void to_foreground(const struct pty *pty) {
  tcsetpgrp(pty->slave, pty->child);
  kill(-pty->child, SIGCONT);
}

static void obey(struct pty *pty, const char *command) {
  unsigned first = 0;
  unsigned second = 0;
  if (sscanf(command, "size %u %u", &first, &second) == 2)
    resize(pty, first, second);
  else if (sscanf(command, "signal %u", &first) == 1)
    kill(pty->child, (int)first);
  else if (strcmp(command, "stop") == 0 || strcmp(command, "go") == 0)
    pty->stopped = *command == 's';
  else if (strcmp(command, "hangup") == 0)
    hang_up(pty);
  else if (strcmp(command, "foreground") == 0)
    to_foreground(pty);
  else if (strcmp(command, "settings") == 0)
    tell_settings(pty);
  else
    fprintf(stderr, "pty: no command '%s'\n", command);
}

/* Carries out what is there of commands, as far as it is whole. */
static void obey_all(struct pty *pty) {
  struct queue *commands = &pty->commands;
  char *end;
  while (commands->size > 0 && (end = memchr(commands->bytes, '\n', commands->size))) {
    *end = '\0';
    size_t line = (size_t)(end - commands->bytes) + 1;
    size_t count = 0;
    if (sscanf(commands->bytes, "type %zu", &count) == 1) {
      *end = '\n';
      if (commands->size < line + count)
        return;
      append(&pty->keys, commands->bytes + line, count);
    } else {
      obey(pty, commands->bytes);
    }
    take(commands, line + count);
  }
}

/* --- Relaying ---------------------------------------------------------------------------- */

static void write_all(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t count = write(fd, bytes, size);
    if (count < 0 && errno != EINTR)
      exit(0); /* nobody looks any more */
    if (count > 0) {
      bytes += count;
      size -= (size_t)count;
    }
  }
}

/* False when there is none. */
static bool show_output(const struct pty *pty) {
  char bytes[65536];
  ssize_t count = pty->master < 0 ? -1 : read(pty->master, bytes, sizeof bytes);
  if (count > 0)
    write_all(STDOUT_FILENO, bytes, (size_t)count);
  return count > 0;
}

static void pass_keys(struct pty *pty) {
  ssize_t count = write(pty->master, pty->keys.bytes, pty->keys.size);
  if (count > 0)
    take(&pty->keys, (size_t)count);
}

/* False at the end. */
static bool read_commands(struct pty *pty) {
  char bytes[65536];
  ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
  if (count > 0)
    append(&pty->commands, bytes, (size_t)count);
  return count > 0 || (count < 0 && errno == EINTR);
}

/* As a shell does, it takes the terminal back. */
static void tell_child(const struct pty *pty) {
  int status;
  while (waitpid(pty->child, &status, WNOHANG | WUNTRACED) > 0) {
    if (!pty->stopped)
      while (show_output(pty))
        ;
    if (pty->slave >= 0)
      tcsetpgrp(pty->slave, getpgrp());
    if (WIFSTOPPED(status))
      fprintf(stderr, "stopped %d\n", WSTOPSIG(status));
    else if (WIFSIGNALED(status))
      fprintf(stderr, "killed %d\n", WTERMSIG(status));
    else
      fprintf(stderr, "exited %d\n", WEXITSTATUS(status));
  }
}

static void relay(struct pty *pty, const sigset_t *outside) {
  for (;;) {
    obey_all(pty);
    short wanted = pty->stopped ? 0 : POLLIN;
    if (pty->keys.size > 0)
      wanted |= POLLOUT;
    struct pollfd asked[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = wanted ? pty->master : -1, .events = wanted}};
    int count = ppoll(asked, 2, NULL, outside);
    tell_child(pty);
    if (count <= 0)
      continue;
    if (asked[1].revents & POLLIN)
      show_output(pty);
    if (asked[1].revents & POLLOUT)
      pass_keys(pty);
    if (asked[0].revents && !read_commands(pty))
      return;
  }
}

/* --- Starting ---------------------------------------------------------------------------- */

static bool open_pair(struct pty *pty) {
  pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (pty->master < 0 || grantpt(pty->master) < 0 || unlockpt(pty->master) < 0)
    return false;
  pty->slave = open(ptsname(pty->master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  return pty->slave >= 0;
}

/* In the child: the foreground job of this terminal. */
static void become(const struct pty *pty, char **words, const sigset_t *outside) {
  setpgid(0, 0);
  tcsetpgrp(pty->slave, getpid());
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    dup2(pty->slave, fd);
  signal(SIGCHLD, SIG_DFL);
  signal(SIGHUP, SIG_DFL);
  signal(SIGTTOU, SIG_DFL);
  sigprocmask(SIG_SETMASK, outside, NULL);
  execvp(words[0], words);
  _exit(127);
}

static void wake(int number) {
  (void)number; /* it only has to end the poll */
}

int main(int argc, char **argv) {
  struct pty pty = {0};
  sigset_t outside;
  sigset_t children;
  if (argc < 4)
    return 2;
  setsid();
  if (!open_pair(&pty) || ioctl(pty.slave, TIOCSCTTY, 0) < 0)
    return die("terminal");
  resize(&pty, (unsigned)strtoul(argv[1], NULL, 10), (unsigned)strtoul(argv[2], NULL, 10));
  signal(SIGHUP, SIG_IGN);
  signal(SIGTTOU, SIG_IGN);
  signal(SIGCHLD, wake);
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  sigprocmask(SIG_BLOCK, &children, &outside);
  pty.child = fork();
  if (pty.child == 0)
    become(&pty, argv + 3, &outside);
  setpgid(pty.child, pty.child);
  fprintf(stderr, "pid %d\n", (int)pty.child);
  relay(&pty, &outside);
  kill(pty.child, SIGKILL);
  free(pty.commands.bytes);
  free(pty.keys.bytes);
  return 0;
}
