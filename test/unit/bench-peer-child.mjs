// A peer that behaves as its first argument says, for bench-peer.test.ts. The reference of the tests: every third spike.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const [manner] = process.argv.slice(2)
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)

if (manner === 'dies at once') {
  console.error('ImportError: no module named snntorch')
  process.exit(3)
}
if (manner === 'rubbish at once') console.log('Welcome to the library!')
else say({ ok: true, versions: { library: '1.2.3' } })

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  if (request.do === 'prepare') {
    if (manner === 'unsupported') say({ ok: false, kind: 'unsupported', error: 'no such case here' })
    else if (manner === 'dies while preparing') process.exit(7)
    else if (manner === 'killed while preparing') process.kill(process.pid, 'SIGKILL')
    else if (manner === 'never answers') setInterval(() => {}, 1000)
    else say({ ok: true, memory: 4096, compileSeconds: null, outputs: outputs(request.case) })
  } else if (request.do === 'run') {
    if (manner === 'dies while running') process.exit(7)
    else if (manner === 'rubbish while running') console.log('warning: 1.5 s')
    else if (manner === 'no times') say({ ok: true })
    else say({ ok: true, wall: 0.5, processor: 0.25 })
  } else say({ ok: true })
}

function outputs({ inputs, folder }) {
  const { shape } = inputs.current
  const length = shape.reduce((product, size) => product * size, 1)
  const spikes = Uint8Array.from({ length }, (_, i) => (i % 3 === 0 ? 1 : 0))
  const gradient = Float32Array.from({ length }, (_, i) => i / length)
  if (manner === 'other spikes') spikes.fill(1)
  if (manner === 'other shape')
    return { spikes: write('spikes', spikes.subarray(1)), gradient: write('gradient', gradient) }
  if (manner === 'no outputs') return {}
  return { spikes: write('spikes', spikes), gradient: write('gradient', gradient) }

  function write(name, values) {
    const file = join(folder, `${name}.bin`)
    writeFileSync(file, values)
    return { file, dtype: name === 'spikes' ? 'uint8' : 'float32', shape }
  }
}
