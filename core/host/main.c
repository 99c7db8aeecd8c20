#include "core/host/host.h"

#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct host host;
  int status = host_open(&host, argc, argv);
  if (status < 0) {
    fprintf(stderr, "strobe: cannot start: %s\n", uv_strerror(status));
    return 1;
  }
  status = host_run(&host);
  host_close(&host);
  if (host.loop.strays > 0) { /* what exit() would clean up is still in use */
    fflush(stdout);
    _exit(status);
  }
  return status;
}
