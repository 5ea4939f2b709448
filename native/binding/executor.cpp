#include "binding/executor.h"

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "binding/failure.h"

namespace spikingrx::binding {
namespace {

// process.exit() on the main thread runs no cleanup hooks, but it runs the destructors of libtorch's statics, under a
// job that may still be at work: every executor is halted before that. Leaked on purpose.
class RunningExecutors {
 public:
  static RunningExecutors& instance() {
    static auto* instance = [] {
      auto* made = new RunningExecutors;
      std::atexit([] { RunningExecutors::instance().halt_all(); });
      return made;
    }();
    return *instance;
  }

  void add(Executor* executor) {
    std::lock_guard lock(mutex_);
    executors_.push_back(executor);
  }

  void remove(Executor* executor) {
    std::lock_guard lock(mutex_);
    std::erase(executors_, executor);
  }

 private:
  void halt_all() {
    std::vector<Executor*> executors;
    {
      std::lock_guard lock(mutex_);
      executors = executors_;
    }
    for (Executor* executor : executors) executor->halt();
  }

  std::mutex mutex_;
  std::vector<Executor*> executors_;
};

}  // namespace

void Executor::post(Napi::Env env, std::unique_ptr<Job> job) {
  if (deliver_ == nullptr) start(env);
  {
    std::lock_guard lock(mutex_);
    if (stopped_) fail("ERR_DISPOSED", "this thread is being torn down");
    waiting_.push_back(std::move(job));
  }
  wake_.notify_one();
  if (pending_++ == 0) napi_ref_threadsafe_function(env, deliver_);
}

void Executor::run_here(Napi::Env env, std::unique_ptr<Job> job) {
  if (deliver_ == nullptr) start(env);
  {
    std::lock_guard lock(mutex_);
    if (stopped_) fail("ERR_DISPOSED", "this thread is being torn down");
  }
  job->work();
  {
    std::lock_guard lock(mutex_);
    done_.push_back(std::move(job));
  }
  if (pending_++ == 0) napi_ref_threadsafe_function(env, deliver_);
  // Not by the thread-safe function: what its calls lead to is delivered in the same turn, up to a thousand times.
  set_immediate_.Call({deliver_later_.Value()});
}

void Executor::start(Napi::Env env) {
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  const auto call = [](napi_env env, napi_value, void* executor, void*) {
    if (env != nullptr) static_cast<Executor*>(executor)->deliver(env);
  };
  const napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, Napi::String::New(env, "spikingrx"),
                                                             0, 1, nullptr, nullptr, this, call, &deliver_);
  if (status != napi_ok) fail("ERR_NATIVE", "the executor thread could not be started");
  napi_unref_threadsafe_function(env, deliver_);
  set_immediate_ = Napi::Persistent(env.Global().Get("setImmediate").As<Napi::Function>());
  deliver_later_ =
      Napi::Persistent(Napi::Function::New(env, [this](const Napi::CallbackInfo& info) { deliver(info.Env()); }));
  RunningExecutors::instance().add(this);
  halt_at_exit(env);
}

// The first backward makes statics of libtorch that die before any atexit handler of ours could run, under a step that
// is still at work. The exit event comes before them all, after process.exit() and after an uncaught exception.
void Executor::halt_at_exit(Napi::Env env) {
  const auto process = env.Global().Get("process").As<Napi::Object>();
  const auto halt = Napi::Function::New(env, [this](const Napi::CallbackInfo&) { this->halt(); });
  process.Get("once").As<Napi::Function>().Call(process, {Napi::String::New(env, "exit"), halt});
}

void Executor::run() {
  for (;;) {
    std::unique_ptr<Job> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
      if (stopped_) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
    }
    job->work();
    {
      std::lock_guard lock(mutex_);
      if (stopped_) return;
      done_.push_back(std::move(job));
      // Under the lock: stop() can't end the thread-safe function between the check and the call.
      if (done_.size() == 1) napi_call_threadsafe_function(deliver_, nullptr, napi_tsfn_nonblocking);
    }
  }
}

void Executor::deliver(napi_env env) {
  std::vector<std::unique_ptr<Job>> done;
  {
    std::lock_guard lock(mutex_);
    done.swap(done_);
  }
  for (auto& job : done) {
    Napi::HandleScope scope(env);
    job->finish(env);
    if (--pending_ == 0) napi_unref_threadsafe_function(env, deliver_);
  }
}

void Executor::halt() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Executor::stop() {
  halt();
  if (deliver_ != nullptr) {
    RunningExecutors::instance().remove(this);
    napi_release_threadsafe_function(deliver_, napi_tsfn_abort);
    deliver_ = nullptr;
    set_immediate_.Reset();
    deliver_later_.Reset();
  }
  waiting_.clear();
  done_.clear();
}

}  // namespace spikingrx::binding
