// The only file that opens shared objects, and the only *.node of the package: it knows nothing of libtorch's headers,
// so that one binary serves every version. lib/runtime/addon.ts decides what is opened, in which order.
//
//   open(path)         maps a shared object; throws ERR_DLOPEN
//   loaded(substring)  paths of the mapped objects whose path contains the substring
//   torchVersion()     [major, minor, patch] of the libtorch_cpu.so opened before; throws ERR_LIBTORCH_VERSION
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <node_api.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The first argument as a C string to be freed, or NULL after throwing.
static char* text_argument(napi_env env, napi_callback_info info, const char* message) {
  size_t count = 1, length = 0;
  napi_value argument;
  if (napi_get_cb_info(env, info, &count, &argument, NULL, NULL) != napi_ok || count < 1 ||
      napi_get_value_string_utf8(env, argument, NULL, 0, &length) != napi_ok) {
    napi_throw_type_error(env, "ERR_TYPE", message);
    return NULL;
  }
  char* text = malloc(length + 1);
  if (text == NULL) {
    napi_throw_error(env, "ERR_DLOPEN", "out of memory");
    return NULL;
  }
  napi_get_value_string_utf8(env, argument, text, length + 1, &length);
  return text;
}

// NODELETE: libtorch registers operators and thread-local state, it can't be unmapped. LOCAL: its symbols reach only
// those who name it as needed, whatever else the process has loaded.
static napi_value open_object(napi_env env, napi_callback_info info) {
  char* path = text_argument(env, info, "open: path must be a string");
  if (path == NULL) return NULL;
  if (dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE) == NULL) {
    const char* reason = dlerror();
    char* line = strdup(reason != NULL ? reason : "cannot be opened");
    if (line != NULL) line[strcspn(line, "\r\n")] = '\0';
    napi_throw_error(env, "ERR_DLOPEN", line != NULL ? line : "cannot be opened");
    free(line);
  }
  free(path);
  return NULL;
}

struct search {
  napi_env env;
  napi_value found;
  uint32_t count;
  const char* substring;
};

static int add_match(struct dl_phdr_info* object, size_t size, void* data) {
  (void)size;
  struct search* search = data;
  if (object->dlpi_name != NULL && strstr(object->dlpi_name, search->substring) != NULL) {
    napi_value path;
    napi_create_string_utf8(search->env, object->dlpi_name, NAPI_AUTO_LENGTH, &path);
    napi_set_element(search->env, search->found, search->count++, path);
  }
  return 0;
}

static napi_value loaded_objects(napi_env env, napi_callback_info info) {
  char* substring = text_argument(env, info, "loaded: substring must be a string");
  if (substring == NULL) return NULL;
  struct search search = {env, NULL, 0, substring};
  napi_create_array(env, &search.found);
  dl_iterate_phdr(add_match, &search);
  free(substring);
  return search.found;
}

// The version is asked by a C symbol of libtorch's stable ABI: 8 bits each for major, minor and patch, from the top.
static napi_value torch_version(napi_env env, napi_callback_info info) {
  (void)info;
  void* library = dlopen("libtorch_cpu.so", RTLD_NOW | RTLD_NOLOAD);
  uint64_t (*abi_version)(void) = NULL;
  if (library != NULL) *(void**)&abi_version = dlsym(library, "aoti_torch_abi_version");
  if (abi_version == NULL) {
    napi_throw_error(
        env, "ERR_LIBTORCH_VERSION",
        library == NULL ? "libtorch_cpu.so is not loaded" : "this libtorch is too old to tell its version");
    return NULL;
  }
  const uint64_t version = abi_version();
  napi_value parts, part;
  napi_create_array_with_length(env, 3, &parts);
  for (uint32_t i = 0; i < 3; i++) {
    napi_create_uint32(env, (uint32_t)(version >> (56 - 8 * i)) & 255, &part);
    napi_set_element(env, parts, i, part);
  }
  return parts;
}

NAPI_MODULE_INIT() {
  const napi_property_descriptor functions[] = {
      {"open", NULL, open_object, NULL, NULL, NULL, napi_enumerable, NULL},
      {"loaded", NULL, loaded_objects, NULL, NULL, NULL, napi_enumerable, NULL},
      {"torchVersion", NULL, torch_version, NULL, NULL, NULL, napi_enumerable, NULL},
  };
  napi_define_properties(env, exports, sizeof functions / sizeof functions[0], functions);
  return exports;
}
