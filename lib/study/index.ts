/**
 * The LIF study: the neuron in physical units, its F-I curve, activation functions fitted to it, and counting what dense and spiking networks
 * compute. `spikingrx/study`; the command line's `spikingrx study` is made of these functions.
 */

export type {
  Cell,
  ReportColumn,
  ReportParameter,
  ReportPicture,
  ReportSection,
  ReportSettings,
  ReportTable,
  ReportVersions,
  StoredSection,
} from '../report/section.js'
export {
  type Activation,
  type ActivationKind,
  activationKinds,
  activationLimit,
  activationRate,
  type HardSigmoid,
  type Relu,
  type Sigmoid,
  type Softplus,
  type Tanh,
} from './activation.js'
export { type ConvolutionShape, convolutionConnections } from './convolution.js'
export {
  type ConstantCurrent,
  type Current,
  currentAt,
  type NoiseCurrent,
  type RampCurrent,
  type SampledCurrent,
  type StepCurrent,
} from './current.js'
export {
  type DimensionlessNeuron,
  dimensionlessRate,
  fromDimensionless,
  fromDimensionlessCurrent,
  type NeuronUnits,
  toDimensionless,
  toDimensionlessCurrent,
} from './dimensionless.js'
export {
  closedFormCurve,
  currentRange,
  type FiringCurve,
  type FiringCurveOptions,
  firingCurve,
  longCurrents,
  measuredRates,
  publishedCurrents,
  publishedProtocol,
  type RateMeasure,
} from './firing-curve.js'
export { type ActivationFit, type FitErrors, fitActivation, fitActivations, fitErrors } from './fit.js'
export { type EnergyCounter, openEnergyCounter } from './networks/energy-counter.js'
export { type FrontEntry, frontEntries, type LatencyCode, latencyCoded } from './networks/front-plans.js'
export {
  connectionsOf,
  type MeasureOptions,
  measureNetwork,
  type NetworkMeasurement,
  type NeuronActivity,
} from './networks/measure.js'
export { type FrontPoint, frontPlot, paretoFront } from './networks/pictures.js'
export { matchedConnections, matchedPlans, matchedSizes, matchedSteps } from './networks/plans.js'
export {
  checkPruning,
  connectionWeights,
  fanOuts,
  magnitudeMask,
  Pruner,
  type Pruning,
  pruningProgress,
} from './networks/pruning.js'
export {
  type CurvePoint,
  type NetworkPlan,
  type StudyData,
  type TrainedNetwork,
  type TrainNetworkOptions,
  trainNetwork,
} from './networks/train.js'
export {
  type InferenceTime,
  type InferenceTimeOptions,
  timeInference,
} from './networks/wall-time.js'
export {
  checkNeuron,
  firingRate,
  firingRates,
  firstSpikeTime,
  type LifNeuron,
  publishedNeuron,
  rheobase,
  timeConstant,
} from './neuron.js'
export {
  type Activity,
  type Connections,
  countOperations,
  denseMacs,
  energyPerOperation,
  energyProxy,
  fullyConnected,
  type LayerOperations,
  type MeasuredLayer,
  type OperationCount,
  type PublishedComparison,
  publishedComparison,
  synapses,
  synOps,
  withoutSkipping,
} from './operations.js'
export type { StudyContext, StudyPart } from './parts/part.js'
export { studyParts } from './parts/registry.js'
export { type RunStudyOptions, runStudy, type StudyResult } from './run.js'
export {
  type EulerOptions,
  type ExactOptions,
  publishedStep,
  type SimulateOptions,
  type Simulation,
  simulate,
  type Voltage,
} from './simulate.js'
