// The registry, a layer's kind and how it is made; and layers one after the other.
#include "model/layer.h"

#include "error.h"
#include "model/convolution_layers.h"
#include "model/dense_layers.h"
#include "model/encoder_layers.h"
#include "model/neuron_layers.h"
#include "model/sew_block.h"

namespace spikingrx {

std::shared_ptr<Layer> make_layer(const Spec& spec, const std::string& name, Build& build) {
  const std::string& kind = spec.kind;
  if (kind == "convBlock") return std::make_shared<ConvLayer>(spec, name, build);
  if (kind == "spikeNorm") return std::make_shared<SpikeNormLayer>(spec, name, build);
  if (kind == "lif") return std::make_shared<LifLayer>(spec, name, build);
  if (kind == "sewBlock") return std::make_shared<SewBlockLayer>(spec, name, build);
  if (kind == "linear") return std::make_shared<LinearLayer>(spec, name, build);
  if (kind == "averagePool" || kind == "maxPool") return std::make_shared<PoolLayer>(spec, name, build);
  if (kind == "flatten") return std::make_shared<FlattenLayer>(name, build);
  if (kind == "timeMean") return std::make_shared<TimeMeanLayer>(name);
  if (kind == "dropout") return std::make_shared<DropoutLayer>(spec, name);
  if (kind == "relu") return std::make_shared<ReluLayer>(name);
  if (kind == "leakyReadout") return std::make_shared<LeakyReadoutLayer>(spec, name, build);
  if (kind == "normalize") return std::make_shared<NormalizeLayer>(spec, name, build);
  if (kind == "directEncoder") return std::make_shared<DirectEncoderLayer>(name);
  if (kind == "rateEncoder") return std::make_shared<RateEncoderLayer>(name);
  if (kind == "latencyEncoder") return std::make_shared<LatencyEncoderLayer>(spec, name, build);
  SPIKINGRX_CHECK(false, "ERR_RANGE", name, ": unknown layer kind '", kind, "'");
}

Signal run_layers(const std::vector<std::shared_ptr<Layer>>& layers, size_t count, Signal signal, Pass& pass) {
  for (size_t i = 0; i < count; i++) {
    const auto both = i + 1 < count ? layers[i]->forward_with(*layers[i + 1], signal, pass) : std::nullopt;
    signal = both ? *both : layers[i]->forward(signal, pass);
    if (both) i++;
  }
  return signal;
}

}  // namespace spikingrx
