// Autocast: which floating dtype the arguments of an op get while it is on.
#pragma once
#include <memory>
#include <vector>

#include "bind/bind.h"
#include "ops/row.h"

namespace kagari {

// The arguments of one call after autocast; keeps alive what it made.
class Casts {
 public:
  // Puts casts of the values in their place, as the policy says.
  void apply(Autocast policy, const Signature& sig, Value* values);

 private:
  TensorImpl* cast(TensorImpl* t, Dtype to);
  std::vector<Tensor> made_;
  std::vector<std::unique_ptr<TensorImpl*[]>> lists_;
};

inline bool autocast_active() { return thread_state.flags & kAutocast; }
// Ops inside an op that was cast run as they are written.
class WithoutAutocast {
 public:
  WithoutAutocast() : before_(thread_state.flags & kAutocast) { thread_state.flags &= ~kAutocast; }
  ~WithoutAutocast() { thread_state.flags |= before_; }
  WithoutAutocast(const WithoutAutocast&) = delete;

 private:
  uint32_t before_;
};

bool read_autocast(std::string_view name, Autocast& policy);  // "lower", "fp32", "promote"

}  // namespace kagari
