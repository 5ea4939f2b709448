import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'
import { native } from '../runtime/addon.js'
import { type Device, resolveDevice } from '../runtime/device.js'
import { ServeError } from '../serve/errors.js'
import { FolderRepository } from '../serve/repository.js'
import { createServer, type Server } from '../serve/server.js'
import type { ModelSignature } from '../serve/service.js'
import { defineCommand, print } from './command.js'
import { EXIT, type ExitCode } from './exit.js'
import { definitions, modelSettings, repositoryPath, type ServeValues, serverOptions } from './serve-options.js'
import { stopSignal } from './stop-signal.js'
import { plural } from './wording.js'

export const command = defineCommand({
  name: 'serve',
  about:
    'Serves trained networks over HTTP by the Open Inference Protocol v2, which clients of Triton and KServe speak. ' +
    'Models lie in a folder: <name>/<version>/model.safetensors, or <name>.safetensors. Changed files are loaded ' +
    'beside the old ones and take their place without a dropped request.',
  positionals: [{ name: 'folder', optional: true, help: 'models to serve; or the .safetensors file of one' }],
  options: definitions,
  notes: [
    'A config.json beside the versions of a model says how it is served, over these options (docs/serving.md).',
    'SIGTERM or Ctrl-C: takes no more work, answers what was accepted, ends with 0. A second one quits at once.',
  ],
  examples: [
    'spikingrx serve --demo',
    'spikingrx serve models --host 0.0.0.0 --port 8000',
    'spikingrx serve model.safetensors --max-batch 16 --max-delay 2',
  ],
  run: ({ positionals: [folder], values }) => serve(repositoryPath(folder, values.demo), values),
})

async function serve(path: string, values: ServeValues): Promise<ExitCode> {
  // Threads that spin while they wait would take the processor from those that answer; read when libtorch is opened.
  process.env.OMP_WAIT_POLICY ??= 'PASSIVE'
  // V8's old generation may double before it is collected: four threads mark then for some 30 ms, and on two processors every
  // request of that time is late. V8's own limit was 8 MB above what survived, which load reaches every few seconds.
  setFlagsFromString('--heap-growing-percent=100')
  const options = await serverOptions(values)
  const { device } = resolveDevice((values.device ?? 'auto') as Device)
  const threads = values.threads ?? Math.max(1, availableParallelism() - 1)
  await native().setThreads(threads)

  let server: Server | undefined
  const repository = new FolderRepository(path, {
    settings: modelSettings(values, device),
    poll: 1000 * (values.poll ?? 2),
    log: (level, message, details) => server?.app.log[level](details, message),
  })
  using stop = stopSignal(() => print('Stopping: answering what was accepted (a second signal quits at once).'))
  try {
    await repository.check()
    server = await createServer({ ...options, repository })
    const address = await server.listen()
    print(`Serving ${path} at ${address} (${device}, ${plural(threads, 'thread')})`)
    await Promise.race([repository.start(), stop.asked])
    if (!stop.given) tellModels(repository, path)
    await stop.asked
  } finally {
    const deadline = stop.given ? performance.now() + 1000 * (values.drain ?? 20) : 0
    const left = (): number => Math.max(0, deadline - performance.now())
    await server?.close(left())
    await repository.close(left())
  }
  print('Stopped.')
  return EXIT.ok
}

/** @throws ServeError `ERR_SERVE_LOAD` when there are models and none of them works */
function tellModels(repository: FolderRepository, path: string): void {
  const entries = repository.index()
  const broken = entries.filter(({ state }) => state !== 'READY')
  if (entries.length === 0) print(`There is no model in ${path} yet: it is waited for.`)
  else if (broken.length === entries.length) {
    const [{ name, reason }] = broken as [(typeof broken)[number]]
    throw new ServeError(`no model can be served; ${name}: ${reason}`, 'ERR_SERVE_LOAD')
  }
  for (const { name, version, state } of entries) {
    if (state === 'READY') print(`  ${name} ${version}: ${interfaceOf(repository.model(name, version).signature)}`)
  }
  for (const { name, version, reason } of broken) {
    process.stderr.write(`  ${`${name} ${version}`.trim()} is not served: ${reason}\n`)
  }
}

/** "input UINT8 [-1, 1, 28, 28] -> scores, probabilities, classes" */
function interfaceOf({ inputs, outputs, labels }: ModelSignature): string {
  const takes = inputs.map(({ name, datatype, shape }) => `${name} ${datatype} [${shape.join(', ')}]`)
  const classes = labels === undefined ? '' : ` (${labels.length} classes)`
  return `${takes.join(', ')} -> ${outputs.map(({ name }) => name).join(', ')}${classes}`
}
