/**
 * The radio link: OFDM slots like 5G NR's through 3GPP's channels, receivers from soft bits to error rates. `spikingrx/receiver`.
 *
 * Complex numbers are a last axis of 2; Es is the energy of a data symbol, 1; SNR is Es/N0 of a resource element in dB.
 */
export {
  networkActivity,
  type PopulationActivity,
  type ReceiverActivity,
  type ReceiverActivityOptions,
  receiverActivity,
  untrainedActivity,
} from './activity.js'
export {
  type ActivityStepsOptions,
  activityOverSteps,
  compareEnergy,
  type EnergyComparison,
  type StepsActivity,
} from './activity-steps.js'
export type { Drawn, SampleOptions } from './arguments.js'
export { type BatchOptions, type ReceiverBatch, receiverBatches } from './batches.js'
export {
  type AwgnChannel,
  type Channel,
  channelKinds,
  type DelayLineChannel,
  type DelayProfile,
  largestSpeed,
  type RayleighChannel,
} from './channel.js'
export { type CodedLinkOptions, transportBlockCode } from './coded-link.js'
export * from './coding.js'
export {
  type ComparedLevel,
  type CompareOptions,
  compareReceivers,
  type LevelComparison,
  type Rates,
  type ReceiverComparison,
} from './compare.js'
export { bitsPerSymbol, constellation, type Modulation, modulations } from './constellation.js'
export {
  type ChannelEstimate,
  type ChannelEstimator,
  type LeastSquaresOptions,
  type LmmseOptions,
  leastSquares,
  lmmse,
  perfectKnowledge,
} from './estimation.js'
export { elementKinds, type GridOptions, type PilotOptions, ResourceGrid, resourceGrid } from './grid.js'
export { gatherBits, scatterBits } from './layout.js'
export { type BlockCode, type LinkPoint, type LinkQuality, type MeasureOptions, measureLink } from './link.js'
export { type Estimate, type SlotQuality, slotQuality, wilson } from './metrics.js'
export {
  type GridShape,
  type ReceiverKind,
  type ReceiverNetworkOptions,
  receiverKinds,
  receiverNetwork,
} from './network.js'
export { neuralReceiver } from './neural-receiver.js'
export { type ReceiverPreset, type ReceiverPresetName, receiverPresets } from './presets.js'
export {
  classicalReceiver,
  type DemapperMethod,
  type DetectionOptions,
  demap,
  type EqualisedSymbols,
  type Equaliser,
  equalise,
  leastSquaresReceiver,
  lmmseReceiver,
  networkInput,
  perfectReceiver,
  type Receiver,
} from './receivers.js'
export { readSlots, writeComplex, writeLlrs } from './recorded.js'
export { type ReceivedSlots, type SlotOptions, Slots, simulateSlots, symbolSnr } from './slots.js'
export { type RatePoint, rateCurve, type SnrAt, snrAt, snrLoss } from './snr-at.js'
export { theoreticalBitErrorRate, theoreticalCombiningErrorRate } from './theory.js'
export { type TrainingSlotOptions, trainingSlots } from './training-slots.js'
export { demodulateOfdm, modulateOfdm, type OfdmOptions } from './waveform.js'
