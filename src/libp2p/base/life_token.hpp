// Tells a late callback whether its object still lives. The object has a LifeToken as a member. What outlives a call (a
// posted task, a callback of a timer or a worker, a loop that calls listeners) holds a LifeWatch. The usual form is
// `runtime.post(life_.guard(callback))`: the callback does nothing when the object is gone.
//
// Owner: the object. Thread: the token and guarded calls belong to one thread; a watch may be copied and destroyed on
// any. Cost: one allocation per token.
#pragma once

#include <memory>
#include <type_traits>
#include <utility>

namespace libp2p {

class LifeWatch {
 public:
  // False once the token has ended or is gone.
  explicit operator bool() const { return *alive_; }

 private:
  friend class LifeToken;
  explicit LifeWatch(std::shared_ptr<const bool> alive) : alive_(std::move(alive)) {}
  std::shared_ptr<const bool> alive_;
};

class LifeToken {
 public:
  LifeToken() = default;
  ~LifeToken() { end(); }
  LifeToken(const LifeToken&) = delete;
  LifeToken& operator=(const LifeToken&) = delete;

  // From now on every watch says that the object is gone: for one that is closed before it is destroyed.
  void end() { *alive_ = false; }
  LifeWatch watch() const { return LifeWatch(alive_); }

  // `call`, which does nothing once the object is gone. It may return nothing.
  template <class Call>
  auto guard(Call call) const {
    return [watch = watch(), call = std::move(call)](auto&&... arguments) mutable {
      static_assert(std::is_void_v<decltype(call(std::forward<decltype(arguments)>(arguments)...))>,
                    "a guarded call has no result to give when the object is gone");
      if (watch) call(std::forward<decltype(arguments)>(arguments)...);
    };
  }

 private:
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace libp2p
