// Keeps the glibc that a binary needs at libtorch's own floor, 2.28, on whatever machine it is built: a linker binds a
// call to the newest version of a symbol it sees. Each function here has the name of such a symbol, is seen within its
// own library only, and calls the oldest version of it, which every glibc keeps. scripts/check-binaries.mjs says when a
// binary asks for more; libstdcxx.cpp does the same for libstdc++.
#include <features.h>

#if defined(__GLIBC__) && (defined(__x86_64__) || defined(__aarch64__))

#ifdef __x86_64__
#define OLDEST "GLIBC_2.2.5"
#else
#define OLDEST "GLIBC_2.17"
#endif
#define HIDDEN __attribute__((visibility("hidden")))
#define OLD(type, name, symbol, version, parameters) \
  extern type name parameters;                       \
  __asm__(".symver " #name "," symbol "@" version)

// 2.32: libstdc++'s headers read this flag and count shared pointers without atomics while a process has one thread.
// A Node process never has one thread.
HIDDEN char __libc_single_threaded = 0;

// 2.29: the mathematics without the wrapper that tells errors in SVID's way; the same values as before.
OLD(double, old_exp, "exp", OLDEST, (double));
OLD(double, old_log, "log", OLDEST, (double));
OLD(double, old_pow, "pow", OLDEST, (double, double));
HIDDEN double exp(double x) { return old_exp(x); }
HIDDEN double log(double x) { return old_log(x); }
HIDDEN double pow(double x, double y) { return old_pow(x, y); }

// 2.34: libdl and libpthread moved into libc, under a new version. In older ones they are found where they were: every
// process with Node has both libraries.
OLD(void*, old_dlopen, "dlopen", OLDEST, (const char*, int));
OLD(void*, old_dlsym, "dlsym", OLDEST, (void*, const char*));
OLD(char*, old_dlerror, "dlerror", OLDEST, (void));
OLD(int, old_trylock, "pthread_mutex_trylock", OLDEST, (void*));
HIDDEN void* dlopen(const char* path, int mode) { return old_dlopen(path, mode); }
HIDDEN void* dlsym(void* library, const char* name) { return old_dlsym(library, name); }
HIDDEN char* dlerror(void) { return old_dlerror(); }
HIDDEN int pthread_mutex_trylock(void* mutex) { return old_trylock(mutex); }

#endif
