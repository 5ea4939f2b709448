/** Spiking neural networks for Node.js on libtorch: describe (`snn`), train and use (`Model`), compute (`Tensor`). */

// Data
export type {
  ArrayDataset,
  ArraySource,
  Batch,
  BatchOptions,
  Dataset,
  InputArray,
  IterableDataset,
  IterableOptions,
  IterableSample,
  MnistOptions,
  Sample,
  SampleSource,
  TargetArray,
  TrainTest,
} from './data/index.js'
export { datasets, prefetch } from './data/index.js'
// Errors
export * from './errors.js'
// Files
export {
  readSafetensors,
  type SafetensorsDtype,
  type SafetensorsFile,
  type SafetensorsTensor,
  writeSafetensors,
} from './io/safetensors.js'
export type { Serving } from './io/serving.js'
// Networks
export type { ActivityOptions, LayerTotals, ModelActivity } from './model/activity.js'
export { withSteps } from './model/copy.js'
export type { Engine } from './model/engine.js'
export type { ModelInput } from './model/inputs.js'
export type {
  Activation,
  Connect,
  ConvBlockOptions,
  InitialWeights,
  Layer,
  LayerKind,
  LeakyReadoutOptions,
  LifOptions,
  LinearOptions,
  PairOption,
  Reset,
  SewBlockOptions,
  SpikeNormOptions,
  Statistics,
} from './model/layers.js'
export { type CreateOptions, type ForwardOptions, type LoadOptions, Model, type SaveOptions } from './model/model.js'
export type { NetworkDtype } from './model/network.js'
export type { Prediction, PredictOptions } from './model/predict.js'
export { type QuantizeOptions, quantizeWeights } from './model/quantize.js'
export type { LayerRecording, RecordedArray, Recording } from './model/record.js'
export { parseSpec } from './model/schema.js'
export type { Shape } from './model/shape.js'
export { type LayerSummary, type NetworkInput, NetworkSpec, type SpecJson, snn } from './model/spec.js'
export type { Stream, StreamStep } from './model/stream.js'
export type { Surrogate, SurrogateKind } from './model/surrogate.js'
// Blocks and optimisers over tensors
export * as nn from './nn/index.js'
export { clipGradientNorm, createOptimizer, type Optimizer } from './nn/optimizer.js'
export type { Device } from './runtime/device.js'
// What was found on this machine
export { type DoctorReport, doctor } from './runtime/doctor.js'
// The tensor layer
export * from './tensor/index.js'
// Training
export type { EvaluateOptions, Evaluation } from './train/evaluate.js'
export type {
  CheckpointEvent,
  EndEvent,
  EpochEvent,
  ResumeEvent,
  StartEvent,
  StepEvent,
  TrainEvent,
} from './train/events.js'
export { type Loss, losses } from './train/losses.js'
export type { Figures } from './train/metrics.js'
export {
  type AdamOptions,
  adam,
  adamW,
  type OptimizerDescription,
  type SgdOptions,
  sgd,
} from './train/optimizers.js'
export type { CheckpointOptions, TrainOptions } from './train/options.js'
export { firingRate, type Regularizer } from './train/regularizers.js'
export {
  constant,
  cosine,
  learningRateAt,
  oneCycle,
  type ScheduleDescription,
  stepDecay,
  type WarmupOptions,
} from './train/schedules.js'
