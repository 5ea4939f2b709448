import { join } from 'node:path'
import { type DemoName, demos } from '../demo/index.js'
import { defineCommand, print } from './command.js'
import { EXIT } from './exit.js'
import { json, seed } from './options.js'

const names = Object.keys(demos) as DemoName[]

export const command = defineCommand({
  name: 'demo',
  about:
    'Shows one module at work: lif a neuron that integrates, fires and resets; conv filters and feature maps; ' +
    'norm histograms before and after SpikeNorm; sew the spikes of a residual block.',
  positionals: [{ name: 'module', choices: names, help: 'which one' }],
  options: {
    out: { kind: 'text', value: 'FOLDER', help: 'where the pictures go (default: runs/demo-<module>)' },
    seed: { ...seed, help: 'same seed, same figures (default 0)' },
    json,
  },
  examples: ['spikingrx demo lif', 'spikingrx demo conv --seed 3 --out pictures'],
  run: async ({ positionals, values }) => {
    const name = positionals[0] as DemoName
    const { out: directory = join('runs', `demo-${name}`), seed: wanted = 0 } = values
    const result = await demos[name]({ directory, seed: wanted })
    if (values.json) print(JSON.stringify({ demo: name, ...result }))
    else print([...result.lines, 'Pictures:', ...result.pictures.map((path) => `  ${path}`)].join('\n'))
    return EXIT.ok
  },
})
