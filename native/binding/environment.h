// What one JavaScript environment (the main thread or a worker) owns: tensors, networks, trainers, optimizers and the
// executor thread. Used on the environment's own thread only, but for what carries a mutex.
#pragma once
#include <napi.h>

#include <deque>
#include <memory>
#include <mutex>

#include "binding/executor.h"
#include "binding/handle_table.h"
#include "binding/operator_table.h"
#include "binding/short_work.h"
#include "binding/tensor_table.h"

namespace spikingrx {
class Network;
class Optimizer;
class Trainer;
}  // namespace spikingrx

namespace spikingrx::binding {

// A network is used by one thread at a time: jobs wait for it, synchronous calls fail with ERR_BUSY.
struct NetworkEntry {
  explicit NetworkEntry(std::shared_ptr<Network> network);
  ~NetworkEntry();
  std::unique_lock<std::mutex> wait() { return std::unique_lock(mutex); }
  std::unique_lock<std::mutex> own();

  std::shared_ptr<Network> network;
  std::mutex mutex;  // guards network and inference
  ShortWork inference;
  LoneCalls calls;  // of inference; JavaScript thread only
};

// A trainer changes its network: it is guarded by the network's mutex.
struct TrainerEntry {
  TrainerEntry(std::shared_ptr<NetworkEntry> network, std::unique_ptr<Trainer> trainer);
  ~TrainerEntry();

  std::shared_ptr<NetworkEntry> network;
  std::unique_ptr<Trainer> trainer;
};

class Call;
class Environment;

// What each exported function carries.
struct Entry {
  Environment& environment;
  Napi::Value (*function)(Call&);
};

class Environment {
 public:
  explicit Environment(Napi::Env env);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  Napi::Env env() const { return env_; }

  TensorTable tensors;
  HandleTable<std::shared_ptr<NetworkEntry>> networks;
  HandleTable<std::shared_ptr<TrainerEntry>> trainers;
  HandleTable<std::unique_ptr<Optimizer>> optimizers;
  OperatorTable operators;
  Executor executor;
  std::deque<Entry> entries;

 private:
  Napi::Env env_;
};

}  // namespace spikingrx::binding
