// Keeps the libstdc++ that a binary needs at RHEL 8's, GLIBCXX_3.4.25 (GCC 8); see glibc.c. Each function here is named
// as a member function that newer headers call, is seen within its own library only, and calls the one that older
// headers called. Free functions, because both are called alike: `this` is the first argument.
#include <string>

#ifdef __GLIBCXX__

#define HIDDEN __attribute__((visibility("hidden")))

struct Stringbuf;

// GLIBCXX_3.4.29: std::stringbuf::str() const &, which in C++20 takes the place of str() const.
std::string old_str(const Stringbuf*) __asm__("_ZNKSt7__cxx1115basic_stringbufIcSt11char_traitsIcESaIcEE3strEv");
HIDDEN std::string new_str(const Stringbuf*) __asm__(
    "_ZNKRSt7__cxx1115basic_stringbufIcSt11char_traitsIcESaIcEE3strEv");
std::string new_str(const Stringbuf* self) { return old_str(self); }

// GLIBCXX_3.4.29: std::stringbuf::str() &&, which headers of libtorch call and -Os does not inline. The buffer that it
// might empty is at its end.
HIDDEN std::string last_str(Stringbuf*) __asm__("_ZNOSt7__cxx1115basic_stringbufIcSt11char_traitsIcESaIcEE3strEv");
std::string last_str(Stringbuf* self) { return old_str(self); }

// GLIBCXX_3.4.30: std::condition_variable::wait(std::unique_lock<std::mutex>&); the older one is the same but noexcept.
__asm__(".symver old_wait,_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE@GLIBCXX_3.4.11");
extern "C" void old_wait(void* self, void* lock);
HIDDEN void new_wait(void* self, void* lock) __asm__("_ZNSt18condition_variable4waitERSt11unique_lockISt5mutexE");
void new_wait(void* self, void* lock) { old_wait(self, lock); }

#endif
