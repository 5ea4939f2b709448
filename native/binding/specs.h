// Specs of networks, losses, optimizers and schedules from plain JavaScript objects; what they mean is the core's
// concern.
#pragma once
#include <napi.h>

#include <string>

#include "model/spec.h"
#include "model/trainer.h"

namespace spikingrx::binding {

Spec to_spec(Napi::Value value, const std::string& name);
NetworkSpec to_network_spec(Napi::Value value);
TrainerSpec to_trainer_spec(Napi::Value value);

}  // namespace spikingrx::binding
