// One call from JavaScript: its arguments, checked as they are taken, and its answer.
#pragma once
#include <napi.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "binding/convert.h"
#include "binding/environment.h"
#include "binding/failure.h"

namespace spikingrx::binding {

class Call {
 public:
  Call(Environment& environment, const Napi::CallbackInfo& info) : environment(environment), info_(info) {}

  Napi::Env env() const { return info_.Env(); }
  Napi::Value operator[](size_t index) const { return info_[index]; }

  const at::Tensor& tensor(size_t index, const char* name) const {
    return environment.tensors.get(to_handle(info_[index], name), name);
  }
  // Undefined for handle 0.
  at::Tensor optional_tensor(size_t index, const char* name) const;
  std::vector<at::Tensor> tensors(size_t index, const char* name) const;
  std::shared_ptr<NetworkEntry> network(size_t index) const;
  std::shared_ptr<TrainerEntry> trainer(size_t index) const;
  Optimizer& optimizer(size_t index) const;

  Napi::Value give(at::Tensor tensor) const { return from_handle(env(), environment.tensors.put(std::move(tensor))); }
  Napi::Value nothing() const { return env().Undefined(); }

  Environment& environment;

 private:
  const Napi::CallbackInfo& info_;
};

// work() runs on the executor thread; deliver(environment, result) makes the JavaScript value that resolves the
// promise. Whatever either throws rejects it.
template <class Work, class Deliver>
class PromiseJob final : public Job {
 public:
  PromiseJob(Environment& environment, Work work, Deliver deliver)
      : environment_(environment),
        deferred_(Napi::Promise::Deferred::New(environment.env())),
        work_(std::move(work)),
        deliver_(std::move(deliver)) {}

  Napi::Promise promise() const { return deferred_.Promise(); }

  void work() noexcept override {
    try {
      result_ = (*work_)();
    } catch (...) {
      failure_ = current_failure();
    }
    work_.reset();  // what it captured ends here, not when JavaScript finds the time
  }

  void finish(Napi::Env env) noexcept override {
    // A terminating worker refuses every call; then there is nobody to tell.
    try {
      settle(env);
      environment_.tensors.settle(env);
    } catch (const Napi::Error&) {
    }
  }

 private:
  void settle(Napi::Env env) {
    if (!failure_) {
      try {
        deferred_.Resolve(deliver_(environment_, std::move(*result_)));
        return;
      } catch (...) {
        failure_ = current_failure();
      }
    }
    deferred_.Reject(failure_->to_js(env).Value());
  }

  Environment& environment_;
  Napi::Promise::Deferred deferred_;
  std::optional<Work> work_;
  Deliver deliver_;
  std::optional<std::invoke_result_t<Work&>> result_;
  std::optional<Failure> failure_;
};

// here: it need not run on the executor's thread where nothing else is under way.
template <class Work, class Deliver>
Napi::Value run_job(Call& call, Work work, Deliver deliver, bool here = false) {
  auto job = std::make_unique<PromiseJob<Work, Deliver>>(call.environment, std::move(work), std::move(deliver));
  const Napi::Promise promise = job->promise();
  Executor& executor = call.environment.executor;
  if (here && executor.idle())
    executor.run_here(call.env(), std::move(job));
  else
    executor.post(call.env(), std::move(job));
  return promise;
}

// For jobs that give nothing.
struct Nothing {};
inline Napi::Value deliver_nothing(Environment& environment, Nothing) { return environment.env().Undefined(); }

// The functions of the addon, each under one guard that turns exceptions into coded errors.
using Function = Napi::Value (*)(Call&);

class Exports {
 public:
  Exports(Environment& environment, Napi::Object object) : environment_(environment), object_(object) {}
  void add(const char* name, Function function);

 private:
  Environment& environment_;
  Napi::Object object_;
};

void export_tensors(Exports& exports);
void export_operators(Exports& exports);
void export_networks(Exports& exports);
void export_trainers(Exports& exports);
void export_optimizers(Exports& exports);
void export_process(Exports& exports);

}  // namespace spikingrx::binding
