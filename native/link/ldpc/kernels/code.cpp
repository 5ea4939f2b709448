#include "link/ldpc/kernels/code.h"

#include "link/ldpc/kernels/base_graph_tables.h"

namespace spikingrx::ldpc {

const BaseGraph& base_graph(int64_t number) {
  static constexpr BaseGraph graphs[] = {{46, 68, 22, kGraph1Rows, kGraph1Edges},
                                         {42, 52, 10, kGraph2Rows, kGraph2Edges}};
  return graphs[number == 1 ? 0 : 1];
}

int32_t lifting_set(int64_t lifting) {
  if (lifting < 2 || lifting > kLargestLifting) return -1;
  while (lifting % 2 == 0 && lifting > 2) lifting /= 2;
  if (lifting == 2) return 0;
  return lifting <= 15 ? static_cast<int32_t>(lifting / 2) : -1;
}

Code lift(int64_t graph, int64_t lifting) {
  const BaseGraph& base = base_graph(graph);
  const int32_t set = lifting_set(lifting);
  Code code;
  code.lifting = lifting;
  code.rows = base.rows, code.columns = base.columns, code.information_columns = base.information_columns;
  code.row_starts.assign(base.row_starts, base.row_starts + base.rows + 1);
  for (int32_t i = 0; i < base.row_starts[base.rows]; i++)
    code.edges.push_back({base.edges[i].column, static_cast<int32_t>(base.edges[i].shifts[set] % lifting)});
  return code;
}

}  // namespace spikingrx::ldpc
