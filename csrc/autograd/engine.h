// The engine: walks a graph from its roots by sequence number, without recursion, in the caller's
// thread.
#pragma once
#include "autograd/meta.h"

namespace kagari::engine {

struct Options {
  bool keep_graph = false;
  bool create_graph = false;
  bool accumulate = true;  // into .grad; otherwise only `inputs` are wanted
  bool allow_unused = false;
};

// roots with their gradients; returns the gradients of `inputs` (undefined where unused).
std::vector<Tensor> run(const std::vector<Tensor>& roots, const std::vector<Tensor>& gradients,
                        const std::vector<Tensor>& inputs, const Options& options);

}  // namespace kagari::engine
