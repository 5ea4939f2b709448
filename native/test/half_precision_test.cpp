// Conversions of bfloat16 and float16 bits against libtorch's own.
#include "snn/kernels/half_precision.h"

#include <ATen/ATen.h>

#include "check.h"

using namespace spikingrx;

namespace {

// The number of floats among `count`, `stride` apart from `first` on as bits, that narrow to other bits than
// libtorch's.
template <class Ours, class Theirs>
int64_t differing(uint32_t first, uint32_t stride, uint64_t count) {
  int64_t wrong = 0;
  for (uint64_t i = 0; i < count; i++) {
    const float value = float_of(first + static_cast<uint32_t>(i) * stride);
    Ours ours;
    narrow_into(value, ours);
    wrong += ours.bits != Theirs(value).x;
  }
  return wrong;
}

template <class Ours, class Theirs>
int64_t differing_widened() {
  int64_t wrong = 0;
  for (uint32_t bits = 0; bits < 0x10000; bits++) {
    const float theirs = static_cast<float>(Theirs(static_cast<uint16_t>(bits), Theirs::from_bits()));
    wrong += bits_of(widened(Ours{static_cast<uint16_t>(bits)})) != bits_of(theirs);
  }
  return wrong;
}

// Every float that lies halfway between two values of the narrow type, its neighbours, and many others.
template <class Ours, class Theirs>
int64_t differing_everywhere(int narrow_bits) {
  const uint32_t half = 1u << (narrow_bits - 1);
  int64_t wrong = differing<Ours, Theirs>(0, 4099, uint64_t{1} << 20);  // 4099 is prime: every low half comes up
  for (const int32_t offset : {-1, 0, 1})
    wrong += differing<Ours, Theirs>(half + static_cast<uint32_t>(offset), half, (uint64_t{1} << 32) / half);
  return wrong;
}

template <class Bits>
uint16_t narrowed(float value) {
  Bits bits;
  narrow_into(value, bits);
  return bits.bits;
}

}  // namespace

TEST("every bfloat16 and float16 widens to the float that libtorch gives, NaN's payload included") {
  EXPECT_EQ((differing_widened<BFloat16Bits, c10::BFloat16>()), 0);
  EXPECT_EQ((differing_widened<HalfBits, c10::Half>()), 0);
}

TEST("floats narrow as in libtorch: ties, subnormal, too large, infinite and NaN ones") {
  EXPECT_EQ((differing_everywhere<BFloat16Bits, c10::BFloat16>(16)), 0);
  EXPECT_EQ((differing_everywhere<HalfBits, c10::Half>(13)), 0);
}

TEST("the values IEEE 754 gives") {
  EXPECT_EQ(narrowed<HalfBits>(1.0f), 0x3C00);
  EXPECT_EQ(narrowed<HalfBits>(-2.0f), 0xC000);
  EXPECT_EQ(narrowed<HalfBits>(65504.0f), 0x7BFF);          // the largest
  EXPECT_EQ(narrowed<HalfBits>(65520.0f), 0x7C00);          // a tie, to even: infinite
  EXPECT_EQ(narrowed<HalfBits>(0x1p-24f), 0x0001);          // the smallest
  EXPECT_EQ(narrowed<HalfBits>(0x1p-25f), 0x0000);          // a tie, to even
  EXPECT_EQ(narrowed<HalfBits>(0x1.8p-24f), 0x0002);        // a tie, to even
  EXPECT_EQ(narrowed<HalfBits>(0x1.ffcp-15f), 0x03FF + 1);  // rounds up to the smallest normal one
  EXPECT_EQ(narrowed<BFloat16Bits>(1.0f), 0x3F80);
  EXPECT_EQ(narrowed<BFloat16Bits>(0x1.01p0f), 0x3F80);  // a tie, to even
  EXPECT_EQ(narrowed<BFloat16Bits>(0x1.03p0f), 0x3F82);  // a tie, to even
}

CHECK_MAIN()
