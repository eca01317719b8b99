// Recurrences over sequences by name, and their cells.
#pragma once
#include <string_view>

#include "ops/call.h"

namespace kagari {

KG_DECLARE_ROW(rnn_scan)
KG_DECLARE_ROW(rnn_scan_backward)

enum class RnnCell : uint8_t { lstm, gru, tanh, relu };
RnnCell rnn_cell(std::string_view mode);

// The steps of packed sequences: step t has `count[t]` rows from row `first[t]` on. Counts never
// grow, so the sequences of a step are the first ones of the step before.
struct RnnSteps {
  RnnSteps(Ints sizes, int64_t rows, int64_t batch);
  int64_t length() const { return int64_t(count.size()); }
  std::vector<int64_t> first, count;
};

}  // namespace kagari
