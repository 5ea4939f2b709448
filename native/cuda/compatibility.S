# Keeps the plugin's glibc at libtorch's floor, 2.28: the static CUDA runtime calls libdl's, libpthread's and librt's
# functions, which glibc 2.34 moved into libc under a new version. Each function here has the name of one, is seen
# within the plugin only, and goes on to the oldest version, which every glibc keeps (where it always was: libtorch
# needs those libraries too). Calls pass through as they are, so that signatures do not matter.
#if defined(__linux__) && defined(__x86_64__)

.macro oldest name, version=GLIBC_2.2.5
  .symver old_\name, \name\()@\version
  .globl \name
  .hidden \name
  .type \name, @function
\name:
  endbr64
  jmp *old_\name@GOTPCREL(%rip)
  .size \name, . - \name
.endm

.text
.irp name, dlopen, dlclose, dlsym, dlvsym, dlerror, shm_open, shm_unlink
  oldest \name
.endr
oldest dlmopen, GLIBC_2.3.4
.irp name, create, join, detach, kill, once, getspecific, setspecific, key_create, key_delete, condattr_setpshared
  oldest pthread_\name
.endr
.irp name, trylock
  oldest pthread_mutex_\name
  oldest pthread_spin_\name
.endr
.irp name, init, destroy, setpshared, settype
  oldest pthread_mutexattr_\name
.endr
.irp name, init, destroy, setpshared
  oldest pthread_rwlockattr_\name
.endr
.irp name, init, destroy, rdlock, wrlock, tryrdlock, trywrlock, timedrdlock, timedwrlock, unlock
  oldest pthread_rwlock_\name
.endr
.irp name, init, destroy, lock, unlock
  oldest pthread_spin_\name
.endr
.irp name, init, destroy, post, wait, trywait, timedwait
  oldest sem_\name
.endr

# glibc 2.32: libstdc++'s shared pointers read it; 0 is the safe answer.
.data
.globl __libc_single_threaded
.hidden __libc_single_threaded
.type __libc_single_threaded, @object
.size __libc_single_threaded, 1
__libc_single_threaded: .byte 0

#endif
.section .note.GNU-stack, "", @progbits
