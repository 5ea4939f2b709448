// Serving networks from a program: as a server of its own, and inside an application that has routes of its own.
//
// Run: npx tsx examples/serve.ts [folder of models] [--stay]     with --stay it serves until Ctrl-C
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Fastify from 'fastify'
import { datasets } from 'spikingrx'
import { openRepository, serve, spikingrxPlugin } from 'spikingrx/serve'

const { positionals, values } = parseArgs({ allowPositionals: true, options: { stay: { type: 'boolean' } } })
const models = positionals[0] ?? fileURLToPath(new URL('../models/demo', import.meta.url))

const { test } = await datasets.mnist()
const { input: image, target } = test.sample(0)

// A server: every endpoint of the Open Inference Protocol v2, metrics and the page at /.
{
  await using service = await serve({ models, port: 0, defaults: { batching: { maximumSize: 32 } } })
  const answer = await fetch(`${service.address}/v2/models/digits/infer`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      inputs: [{ name: 'input', datatype: 'UINT8', shape: [1, 1, 28, 28], data: [...image] }],
      outputs: [{ name: 'classes' }],
    }),
  })
  const { outputs } = (await answer.json()) as { outputs: { data: number[] }[] }
  console.log(`the server says ${outputs[0]?.data[0]}, the image shows a ${target}`)
}

// An application: the same endpoints below a prefix, and models for routes of one's own.
const repository = await openRepository(models)
const app = Fastify()
app.get('/', () => 'an application of its own\n')
app.register(spikingrxPlugin, { prefix: '/snn', repository })
app.get('/digit', async () => {
  const result = await repository.model('digits').infer({
    inputs: new Map([['input', { datatype: 'UINT8', shape: [1, 1, 28, 28], data: Uint8Array.from(image) }]]),
    outputs: ['probabilities'],
  })
  const { spikes, synapticOperations } = result.activity
  return { probabilities: [...result.outputs.get('probabilities')!.data], spikes, synapticOperations }
})
const address = await app.listen({ port: 0, host: '127.0.0.1' })

const { ready } = (await (await fetch(`${address}/snn/v2/models/digits/ready`)).json()) as { ready: boolean }
const digit = (await (await fetch(`${address}/digit`)).json()) as { probabilities: number[]; spikes: number }
const sure = (100 * (digit.probabilities[target as number] ?? 0)).toFixed(0)
console.log(`below /snn: ready ${ready}; /digit: ${sure} % sure, with ${digit.spikes} spikes`)

if (values.stay === true) {
  console.log(`${address}/snn/ until Ctrl-C`)
  await new Promise((resolve) => process.once('SIGINT', resolve))
}
await app.close()
await repository.close(1000)
