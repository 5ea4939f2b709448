// A test is a function; a failed EXPECT prints its place and values. Each executable ends with "name: N passed, N
// failed".
#pragma once
#include <cmath>
#include <cstdio>
#include <exception>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace check {

struct Test {
  const char* name;
  std::function<void()> body;
};

inline std::vector<Test>& tests() {
  static std::vector<Test> list;
  return list;
}

inline int& failures() {
  static int count = 0;
  return count;
}

struct Registration {
  Registration(const char* name, std::function<void()> body) { tests().push_back({name, std::move(body)}); }
};

template <class... Values>
void fail(const char* file, int line, const Values&... values) {
  std::ostringstream text;
  (text << ... << values);
  std::printf("    %s:%d: %s\n", file, line, text.str().c_str());
  failures()++;
}

// libtorch appends a backtrace to its messages.
inline std::string message(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find("\nException raised"));
}

inline int run(const char* program) {
  int passed = 0, failed = 0;
  for (auto& test : tests()) {
    failures() = 0;
    try {
      test.body();
    } catch (const std::exception& error) {
      fail("exception", 0, message(error));
    }
    std::printf("  %s %s\n", failures() ? "FAILED" : "ok    ", test.name);
    (failures() ? failed : passed)++;
  }
  const char* name = program;
  for (const char* p = program; *p; ++p)
    if (*p == '/') name = p + 1;
  std::printf("%s: %d passed, %d failed\n", name, passed, failed);
  return failed != 0;
}

}  // namespace check

#define CHECK_JOIN2(a, b) a##b
#define CHECK_JOIN(a, b) CHECK_JOIN2(a, b)
#define TEST(name)                                                                                      \
  static void CHECK_JOIN(test_body_, __LINE__)();                                                       \
  static check::Registration CHECK_JOIN(test_entry_, __LINE__)(name, CHECK_JOIN(test_body_, __LINE__)); \
  static void CHECK_JOIN(test_body_, __LINE__)()

#define EXPECT(condition)                                          \
  do {                                                             \
    if (!(condition)) check::fail(__FILE__, __LINE__, #condition); \
  } while (0)
#define EXPECT_EQ(actual, expected)                                                           \
  do {                                                                                        \
    const auto a_ = (actual);                                                                 \
    const auto e_ = (expected);                                                               \
    if (!(a_ == e_)) check::fail(__FILE__, __LINE__, #actual, " is ", a_, ", expected ", e_); \
  } while (0)
#define EXPECT_NEAR(actual, expected, tolerance)                                                                      \
  do {                                                                                                                \
    const double a_ = (actual), e_ = (expected);                                                                      \
    if (!(std::abs(a_ - e_) <= (tolerance))) check::fail(__FILE__, __LINE__, #actual, " is ", a_, ", expected ", e_); \
  } while (0)
// Relative where values are above 1, absolute below.
#define EXPECT_CLOSE(actual, expected, tolerance)                                                            \
  do {                                                                                                       \
    const at::Tensor a_ = (actual).to(at::kDouble), e_ = (expected).to(at::kDouble);                         \
    if (a_.sizes() != e_.sizes())                                                                            \
      check::fail(__FILE__, __LINE__, #actual, " has shape ", a_.sizes(), ", expected ", e_.sizes());        \
    else if (a_.numel() && !(((a_ - e_).abs() / e_.abs().clamp_min(1)).max().item<double>() <= (tolerance))) \
      check::fail(__FILE__, __LINE__, #actual, " differs by ", (a_ - e_).abs().max().item<double>(), " > ",  \
                  tolerance);                                                                                \
  } while (0)
// `statement` throws, and the message contains `text`.
#define EXPECT_THROWS(statement, text)                                                          \
  do {                                                                                          \
    bool thrown_ = false;                                                                       \
    try {                                                                                       \
      statement;                                                                                \
    } catch (const std::exception& error) {                                                     \
      thrown_ = true;                                                                           \
      if (check::message(error).find(text) == std::string::npos)                                \
        check::fail(__FILE__, __LINE__, "message lacks '", text, "': ", check::message(error)); \
    }                                                                                           \
    if (!thrown_) check::fail(__FILE__, __LINE__, #statement, " did not throw");                \
  } while (0)

#define CHECK_MAIN() \
  int main(int, char** argv) { return check::run(argv[0]); }
