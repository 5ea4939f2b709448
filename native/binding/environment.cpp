#include "binding/environment.h"

#include "binding/failure.h"
#include "model/network.h"
#include "model/optimizer.h"
#include "model/trainer.h"

namespace spikingrx::binding {

NetworkEntry::NetworkEntry(std::shared_ptr<Network> network) : network(std::move(network)) {}
NetworkEntry::~NetworkEntry() = default;

std::unique_lock<std::mutex> NetworkEntry::own() {
  std::unique_lock lock(mutex, std::try_to_lock);
  if (!lock.owns_lock()) fail("ERR_BUSY", "the network is training; await it or use a second model");
  return lock;
}

TrainerEntry::TrainerEntry(std::shared_ptr<NetworkEntry> network, std::unique_ptr<Trainer> trainer)
    : network(std::move(network)), trainer(std::move(trainer)) {}
TrainerEntry::~TrainerEntry() = default;

Environment::Environment(Napi::Env env) : env_(env) {}

Environment::~Environment() {
  executor.stop();
  tensors.clear(env_);
}

}  // namespace spikingrx::binding
