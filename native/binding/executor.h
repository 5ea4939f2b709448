// The thread of an environment on which long work runs: whole training steps, evaluations, asynchronous operators.
//
// One thread, because libtorch's team of workers belongs to the thread that calls it: on a pool, each thread would get
// a team of its own. Jobs run in the order of their posts; each comes back to the JavaScript thread by one thread-safe
// function, which keeps the event loop alive only while jobs are on their way.
#pragma once
#include <napi.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace spikingrx::binding {

class Job {
 public:
  virtual ~Job() = default;
  virtual void work() noexcept = 0;  // on the executor thread, or where run_here was called
  virtual void finish(
      Napi::Env env) noexcept = 0;  // on the JavaScript thread; not called when the environment ends before
};

class Executor {
 public:
  ~Executor() { stop(); }

  // On the JavaScript thread. The thread starts with the first job.
  void post(Napi::Env env, std::unique_ptr<Job> job);
  // The same for short work, where nothing is under way: it runs here and now, and is told of like others, in a later
  // turn of the event loop, so that a loop of short calls stops neither timers nor sockets.
  void run_here(Napi::Env env, std::unique_ptr<Job> job);
  // Everything that was posted has been delivered. On the JavaScript thread.
  bool idle() const { return pending_ == 0; }

  // Waits for the running job and ends the thread; jobs not begun never run. Later posts throw.
  void halt();
  // halt, and lets go of the environment: on the JavaScript thread, before the environment ends.
  void stop();

 private:
  void start(Napi::Env env);
  void halt_at_exit(Napi::Env env);
  void run();
  void deliver(napi_env env);

  std::thread thread_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Job>> waiting_;
  std::vector<std::unique_ptr<Job>> done_;
  bool stopped_ = false;

  napi_threadsafe_function deliver_ = nullptr;
  Napi::FunctionReference set_immediate_, deliver_later_;
  size_t pending_ = 0;  // posted and not delivered; JavaScript thread only
};

}  // namespace spikingrx::binding
