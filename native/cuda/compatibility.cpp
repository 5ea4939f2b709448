// Keeps the plugin's libstdc++ at RHEL 8's, GLIBCXX_3.4.25 (GCC 8): functions that newer headers call, seen within the
// plugin only, that call what older headers called. Free functions, because members are called alike: `this` first.
#include <ios>
#include <string>

#ifdef __GLIBCXX__

#define HIDDEN __attribute__((visibility("hidden")))
#define STREAM(name) "_ZNSt7__cxx1118basic_stringstreamIcSt11char_traitsIcESaIcEE" name
#define OSTREAM(name) "_ZNSt7__cxx1119basic_ostringstreamIcSt11char_traitsIcESaIcEE" name

struct Stream;

// GLIBCXX_3.4.26: std::stringstream() and std::ostringstream() without a mode.
void old_stream(Stream*, std::ios_base::openmode) __asm__(STREAM("C1ESt13_Ios_Openmode"));
void old_ostream(Stream*, std::ios_base::openmode) __asm__(OSTREAM("C1ESt13_Ios_Openmode"));
HIDDEN void new_stream(Stream*) __asm__(STREAM("C1Ev"));
HIDDEN void new_ostream(Stream*) __asm__(OSTREAM("C1Ev"));
void new_stream(Stream* self) { old_stream(self, std::ios_base::in | std::ios_base::out); }
void new_ostream(Stream* self) { old_ostream(self, std::ios_base::out); }

// GLIBCXX_3.4.29: std::stringbuf::str() const & and &&, which in C++20 take the place of str() const.
std::string old_text(const Stream*) __asm__("_ZNKSt7__cxx1115basic_stringbufIcSt11char_traitsIcESaIcEE3strEv");
HIDDEN std::string new_text(const Stream*) __asm__("_ZNKRSt7__cxx1115basic_stringbufIcSt11char_traitsIcESaIcEE3strEv");
HIDDEN std::string moved_text(const Stream*) __asm__("_ZNOSt7__cxx1115basic_stringbufIcSt11char_traitsIcESaIcEE3strEv");
std::string new_text(const Stream* self) { return old_text(self); }
std::string moved_text(const Stream* self) { return old_text(self); }

#endif
