#include "core/io/curl_library.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

#ifdef __APPLE__
#define LIBCURL "libcurl.4.dylib"
#else
#define LIBCURL "libcurl.so.4"
#endif

static const struct {
  const char *name;
  size_t offset;
} functions[] = {
#define CURL_ENTRY(name) {"curl_" #name, offsetof(struct curl_library, name)},
    CURL_FUNCTIONS(CURL_ENTRY)
#undef CURL_ENTRY
};

static int load_functions(struct curl_library *library, uv_lib_t *lib) {
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    void *function;
    if (uv_dlsym(lib, functions[i].name, &function) < 0)
      return UV_ENOSYS;
    memcpy((char *)library + functions[i].offset, &function, sizeof function);
  }
  return 0;
}

int curl_library_load(struct curl_library *library, char *why, size_t size) {
  uv_lib_t lib;
  int status = uv_dlopen(LIBCURL, &lib) < 0 ? UV_ENOENT : load_functions(library, &lib);
  if (status == 0 && library->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
    return 0;
  snprintf(why, size, "HTTP clients need libcurl (Debian: libcurl4): %s",
           status < 0 ? uv_dlerror(&lib) : "it does not start");
  if (status < 0)
    uv_dlclose(&lib);
  return status < 0 ? status : UV_EIO;
}
