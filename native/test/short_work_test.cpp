// When inference runs where it is asked for (binding/short_work.h, which needs no Node).
#include "binding/short_work.h"

#include "check.h"

using namespace spikingrx::binding;

namespace {

ShortWork after(int64_t presentations, std::initializer_list<double> seconds) {
  ShortWork work;
  for (const double one : seconds) work.note(presentations, one, true);
  return work;
}

TEST("the ninth call in a row that overlaps with no other is alone") {
  LoneCalls calls;
  for (int i = 0; i < 8; i++) EXPECT(!calls.next(true));
  EXPECT(calls.next(true));
  EXPECT(calls.next(true));
  EXPECT(!calls.next(false));
  for (int i = 0; i < 8; i++) EXPECT(!calls.next(true));
  EXPECT(calls.next(true));
}

TEST("nothing is known before four inferences") {
  EXPECT(!ShortWork().expected(1));
  EXPECT(!after(1, {1e-5, 1e-5, 1e-5}).expected(1));
  EXPECT(after(1, {1e-5, 1e-5, 1e-5, 1e-5}).expected(1));
}

TEST("time grows with samples and time steps, up to half a millisecond") {
  const ShortWork work = after(25, {1e-4, 1e-4, 1e-4, 1e-4});  // 4 us each
  EXPECT(work.expected(25));
  EXPECT(work.expected(124));
  EXPECT(!work.expected(126));
}

TEST("the slowest of the last four counts") {
  ShortWork work = after(1, {1e-5, 6e-4, 1e-5, 1e-5});
  EXPECT(!work.expected(1));
  work.note(1, 1e-5, true);
  EXPECT(!work.expected(1));
  work.note(1, 1e-5, true);
  EXPECT(work.expected(1));
}

TEST("one that several threads computed says nothing of one") {
  ShortWork work = after(1, {1e-5, 1e-5, 1e-5, 1e-5});
  work.note(1, 1e-5, false);
  EXPECT(!work.expected(1));
}

TEST("no samples, no division by zero") {
  const ShortWork work = after(0, {1e-5, 1e-5, 1e-5, 1e-5});
  EXPECT(work.expected(0));
  EXPECT(work.expected(1));
}

}  // namespace

CHECK_MAIN()
