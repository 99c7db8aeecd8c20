#include "witness.h"

#include "process.h"
#include "report.h"
#include "socket.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#define PAUSE 0.001
#define SAMPLE 0.01 /* seconds between looks at the memory */

struct witness {
  int fd, pid;
  void (*exchange)(int fd, long number);
  pthread_t thread;
  pthread_mutex_t mutex; /* of what follows; held while a message is exchanged */
  bool stopping;
  long number;
  double begun, sampled;
  struct testimony seen;
};

static void sample_memory(struct witness *witness) {
  double memory = process_resident(witness->pid);
  witness->sampled = process_now();
  if (memory > witness->seen.memory)
    witness->seen.memory = memory;
}

static void exchange_one(struct witness *witness) {
  double start = process_now();
  witness->exchange(witness->fd, ++witness->number);
  double now = process_now();
  histogram_add(&witness->seen.times, now - start);
  if (now - witness->sampled >= SAMPLE)
    sample_memory(witness);
}

static void *watch(void *argument) {
  struct witness *witness = argument;
  bool stopping = false;
  while (!stopping) {
    process_sleep(PAUSE);
    pthread_mutex_lock(&witness->mutex);
    stopping = witness->stopping;
    if (!stopping)
      exchange_one(witness);
    pthread_mutex_unlock(&witness->mutex);
  }
  return NULL;
}

struct witness *witness_start(int port, int pid, void (*open)(int fd),
                              void (*exchange)(int fd, long number)) {
  struct witness *witness = calloc(1, sizeof *witness);
  if (!witness)
    report_failure("memory");
  witness->fd = socket_connect(port, 0);
  witness->pid = pid;
  witness->exchange = exchange;
  pthread_mutex_init(&witness->mutex, NULL);
  open(witness->fd);
  if (pthread_create(&witness->thread, NULL, watch, witness) != 0)
    report_failure("a thread");
  return witness;
}

void witness_begin(struct witness *witness) {
  pthread_mutex_lock(&witness->mutex);
  witness->seen = (struct testimony){0};
  witness->begun = process_now();
  sample_memory(witness);
  pthread_mutex_unlock(&witness->mutex);
}

void witness_end(struct witness *witness, struct testimony *testimony) {
  pthread_mutex_lock(&witness->mutex);
  sample_memory(witness);
  *testimony = witness->seen;
  testimony->seconds = process_now() - witness->begun;
  pthread_mutex_unlock(&witness->mutex);
}

long witness_stop(struct witness *witness) {
  pthread_mutex_lock(&witness->mutex);
  witness->stopping = true;
  pthread_mutex_unlock(&witness->mutex);
  pthread_join(witness->thread, NULL);
  long number = witness->number;
  close(witness->fd);
  pthread_mutex_destroy(&witness->mutex);
  free(witness);
  return number;
}
