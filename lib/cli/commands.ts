/** The subcommands. Each is loaded when it is called, so that `--help` is there at once. */
import type { Command } from './command.js'

export interface CommandEntry {
  readonly name: string
  readonly summary: string
  load(): Promise<Command>
}

export const commands: readonly CommandEntry[] = [
  {
    name: 'train',
    summary: 'train a spiking network on MNIST or Fashion-MNIST and draw what it learned',
    load: async () => (await import('./train.js')).command,
  },
  {
    name: 'evaluate',
    summary: 'accuracy, confusions and firing rates of a checkpoint on the test images',
    load: async () => (await import('./evaluate.js')).command,
  },
  {
    name: 'predict',
    summary: 'what a checkpoint takes an image for',
    load: async () => (await import('./predict.js')).command,
  },
  {
    name: 'info',
    summary: 'what a checkpoint holds: layers, parameters, sizes',
    load: async () => (await import('./info.js')).command,
  },
  {
    name: 'setup',
    summary: 'fetch libtorch, for the CPU or for CUDA, into the user cache',
    load: async () => (await import('./setup.js')).command,
  },
  {
    name: 'serve',
    summary: 'answer inference requests over HTTP with the models of a folder',
    load: async () => (await import('./serve.js')).command,
  },
  {
    name: 'doctor',
    summary: 'what was found on this machine, and what to do about what was not',
    load: async () => (await import('./doctor.js')).command,
  },
  {
    name: 'study',
    summary: 'the LIF neuron against activation functions: a report with figures and pictures',
    load: async () => (await import('./study.js')).command,
  },
  {
    name: 'receiver',
    summary: 'train a spiking OFDM receiver, measure it beside classical ones, look at one slot',
    load: async () => (await import('./receiver.js')).command,
  },
  {
    name: 'demo',
    summary: 'one module at work, with figures and pictures',
    load: async () => (await import('./demo.js')).command,
  },
]
