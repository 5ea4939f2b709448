// The operators of the channel code, by schema: CRC, LDPC and rate matching of TS 38.212, scrambling of TS 38.211. Bits
// are uint8 of 0 and 1, LLR = log P(bit = 1) / P(bit = 0); leading axes are a batch of words.
#include <torch/library.h>

TORCH_LIBRARY_FRAGMENT(spikingrx, library) {
  library.def("crc_attach(Tensor bits, str polynomial) -> Tensor");
  library.def("crc_check(Tensor bits, str polynomial) -> Tensor");
  library.def("gold_sequence(int length, int initial) -> Tensor");
  library.def("scramble(Tensor input, int initial) -> Tensor");
  library.def("ldpc_encode(Tensor bits, int graph, int lifting) -> Tensor");
  library.def(
      "ldpc_rate_match(Tensor words, int graph, int lifting, int information, int length, int redundancy_version=0, "
      "int bits_per_symbol=1, int buffer=0) -> Tensor");
  library.def(
      "ldpc_rate_recover(Tensor llr, int graph, int lifting, int information, int redundancy_version=0, "
      "int bits_per_symbol=1, int buffer=0, Tensor? earlier=None) -> Tensor");
  library.def(
      "ldpc_decode(Tensor llr, int graph, int lifting, int information, *, str update=\"sum-product\", "
      "str schedule=\"layered\", int iterations=20, bool stop_early=True, float scale=0.75, float offset=0., "
      "float clip=20., str? crc=None, bool posterior=False) "
      "-> (Tensor bits, Tensor llr, Tensor iterations, Tensor valid)");
}
