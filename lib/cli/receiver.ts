import { channelKinds } from '../receiver/channel.js'
import { modulations } from '../receiver/constellation.js'
import { receiverKinds } from '../receiver/network.js'
import { receiverPresets } from '../receiver/presets.js'
import { defineCommand } from './command.js'
import { UsageError } from './failure.js'
import * as options from './options.js'

const presets = Object.keys(receiverPresets) as (keyof typeof receiverPresets)[]

const definitions = {
  preset: {
    kind: 'choice',
    choices: presets,
    help: `train: ${presets.map((name) => `${name} = ${receiverPresets[name].title}`).join('; ')} (default tiny)`,
  },
  kind: { kind: 'choice', choices: receiverKinds, help: 'train: spiking (default), or its dense twin' },
  iterations: { kind: 'integer', min: 1, max: 10_000_000, help: "train: training steps (default: the preset's)" },
  'batch-size': { ...options.batchSize, help: "train: slots a step (default: the preset's)" },
  steps: {
    kind: 'integer',
    min: 1,
    max: 100,
    help: "train: time steps T (default: the preset's); evaluate: run a spiking receiver for so many (default: as trained)",
  },
  resume: { kind: 'flag', help: 'train: go on with the run in --out' },
  twin: {
    kind: 'text',
    value: 'FILE',
    help: 'evaluate, demo: another checkpoint to set beside it, such as the dense twin',
  },
  channel: { kind: 'choice', choices: channelKinds, help: 'evaluate, demo: default tdl-a' },
  'delay-spread': {
    kind: 'number',
    min: 0,
    max: 10_000,
    value: 'NS',
    help: 'evaluate, demo: rms, in ns (default 100)',
  },
  speed: { kind: 'number', min: 0, max: 500, value: 'M/S', help: 'evaluate, demo: in m/s (default 15)' },
  modulation: {
    kind: 'choice',
    choices: modulations,
    help: 'evaluate: without a checkpoint (default qpsk); a checkpoint has its own',
  },
  coded: {
    kind: 'number',
    min: 0.1,
    max: 0.95,
    value: 'RATE',
    help: 'evaluate: a transport block of this code rate in each slot (5G NR LDPC); default: uncoded, a block is a slot',
  },
  snr: {
    kind: 'text',
    value: 'FROM:TO:STEP',
    pattern: { matches: /^-?\d+(\.\d+)?(:-?\d+(\.\d+)?:\d+(\.\d+)?)?$/, wanted: 'a number, or from:to:step, in dB' },
    help: 'Es/N0 in dB; evaluate: default -2:16:3; demo: one, default 10',
  },
  nearest: { kind: 'flag', help: 'evaluate: least squares with nearest interpolation as well' },
  slots: { kind: 'integer', min: 1, max: 10_000_000, help: 'evaluate: most slots a point (default 2000)' },
  'block-errors': {
    kind: 'integer',
    min: 1,
    max: 10_000_000,
    help: 'evaluate: block errors of each receiver that end a point before (default 100)',
  },
  slot: {
    kind: 'text',
    value: 'FILE.npy',
    help: 'demo: decode a recorded slot, complex [symbols, subcarriers]; its noise power is that of --snr',
  },
  export: { kind: 'text', value: 'FILE.npy', help: 'demo: write the received grid of the simulated slot' },
  llrs: { kind: 'text', value: 'FILE.npy', help: "demo: write the network's soft bits" },
  seed: { ...options.seed, help: 'same seed, same figures (default 1)' },
  device: options.device,
  threads: options.threads,
  out: { kind: 'text', value: 'FOLDER', help: 'where it goes (default: runs/receiver-...)' },
  json: { kind: 'flag', help: 'print JSON instead of text' },
} as const satisfies options.Options

export type ReceiverValues = options.Values<typeof definitions>

export const command = defineCommand({
  name: 'receiver',
  about:
    'A spiking receiver for OFDM slots. train: trains it (or its dense twin) on simulated slots and stores it. evaluate: bit and block error ' +
    'rates over SNR beside least squares, LMMSE and perfect channel knowledge. demo: one slot through a trained receiver: constellation, ' +
    'channel estimate, soft bits, spikes. Both write a report in HTML with its pictures, CSV and JSON. quantize: 8-bit weights, and what they ' +
    'cost. activity: spikes by block, operations and energy beside the dense twin.',
  positionals: [
    {
      name: 'what to do',
      choices: ['train', 'evaluate', 'demo', 'quantize', 'activity'],
      help: 'train a network, measure one, look at one slot, store it with 8-bit weights, or count its spikes',
    },
    {
      name: 'checkpoint',
      optional: true,
      help: 'a trained receiver. evaluate without one: the classical ones alone; demo: the one that comes with the package',
    },
  ],
  options: definitions,
  notes: ['Ctrl-C saves a checkpoint and stops; --resume goes on from it, to the same bits.'],
  examples: [
    'spikingrx receiver train --preset tiny',
    'spikingrx receiver train --kind dense --out runs/twin',
    'spikingrx receiver evaluate runs/receiver-tiny-snn/model.safetensors --twin runs/twin/model.safetensors',
    'spikingrx receiver quantize runs/receiver-tiny-snn/model.safetensors --coded 0.5',
    'spikingrx receiver demo --snr 5 --export slot.npy',
    'spikingrx receiver demo --snr 5 --slot slot.npy --llrs llrs.npy',
    'spikingrx receiver activity runs/receiver-tiny-snn/model.safetensors --twin runs/twin/model.safetensors',
    'spikingrx receiver evaluate --modulation 16qam --channel tdl-c --coded 0.5',
  ],
  run: async ({ positionals: [action, checkpoint], values }) => {
    if (action === 'train') {
      if (checkpoint !== undefined) throw new UsageError('receiver train takes no checkpoint; --out names its folder')
      return (await import('./receiver-train.js')).trainReceiver(values)
    }
    if (action === 'quantize') {
      if (checkpoint === undefined) throw new UsageError('receiver quantize needs a checkpoint')
      return (await import('./receiver-quantize.js')).quantizeReceiver(checkpoint, values)
    }
    if (action === 'demo') return (await import('./receiver-demo.js')).demoReceiver(checkpoint, values)
    if (action === 'activity') {
      if (checkpoint === undefined) throw new UsageError('receiver activity needs a checkpoint')
      return (await import('./receiver-activity.js')).showActivity(checkpoint, values)
    }
    return (await import('./receiver-evaluate.js')).evaluateReceiver(checkpoint, values)
  },
})
