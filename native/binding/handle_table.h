// Integer handles to values: handle = generation * 2^26 + index + 1, below 2^52 and so exact as a JavaScript number.
//
// A freed slot is used again under the next generation: a stale handle is recognised and never reaches another value.
#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "binding/failure.h"

namespace spikingrx::binding {

using Handle = uint64_t;

template <class Value>
class HandleTable {
 public:
  Handle put(Value value) {
    if (free_.empty()) {
      if (slots_.size() >= kSlots) fail("ERR_RANGE", "too many objects are alive: dispose those no longer needed");
      slots_.push_back({std::move(value), 0});
      return slots_.size();
    }
    const uint32_t index = free_.back();
    free_.pop_back();
    Slot& slot = slots_[index];
    slot.value.emplace(std::move(value));
    return slot.generation * kSlots + index + 1;
  }

  // nullptr for a handle that was freed or never given. Valid until the next put.
  Value* find(Handle handle) {
    const Handle position = (handle - 1) % kSlots;
    if (handle == 0 || position >= slots_.size()) return nullptr;
    Slot& slot = slots_[position];
    return slot.value && slot.generation == (handle - 1) / kSlots ? &*slot.value : nullptr;
  }

  // Takes the value out; nothing for a handle that was freed or never given.
  std::optional<Value> remove(Handle handle) {
    Value* found = find(handle);
    if (found == nullptr) return std::nullopt;
    Slot& slot = slots_[(handle - 1) % kSlots];
    std::optional<Value> taken(std::move(*found));
    slot.value.reset();
    slot.generation++;
    // A slot that has served 2^26 values is retired.
    if (slot.generation < kGenerations) {
      free_.push_back(static_cast<uint32_t>((handle - 1) % kSlots));
    } else {
      retired_++;
    }
    return taken;
  }

  size_t size() const { return slots_.size() - free_.size() - retired_; }

  // visit(handle, value) for each live value; it may not change the table.
  template <class Visit>
  void for_each(Visit visit) {
    for (size_t index = 0; index < slots_.size(); index++) {
      Slot& slot = slots_[index];
      if (slot.value) visit(Handle{slot.generation * kSlots + index + 1}, *slot.value);
    }
  }

 private:
  static constexpr Handle kSlots = Handle{1} << 26;
  static constexpr Handle kGenerations = Handle{1} << 26;

  struct Slot {
    std::optional<Value> value;
    Handle generation = 0;
  };
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  size_t retired_ = 0;
};

}  // namespace spikingrx::binding
