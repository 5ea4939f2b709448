import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeTorchWheel, sha256 } from '../zip-archive.js'
import { runSetup } from './setup-process.js'
import { etagOf, htmlIndex, type Misbehaviour, sendFile, sendPart, serve } from './setup-server.js'

const name = 'torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl'
const wheel = fakeTorchWheel({ padding: 3 << 20 })
const half = 2 << 20

let cache: string
beforeEach(() => {
  cache = mkdtempSync(path.join(tmpdir(), 'spikingrx-setup-'))
})
afterEach(() => rmSync(cache, { recursive: true, force: true }))

const home = () => path.join(cache, 'spikingrx/libtorch-2.13.0-cpu')
/** What is left in the cache: names of files and folders at its top. */
const left = () => readdirSync(path.join(cache, 'spikingrx')).sort()

function index(hash = sha256(wheel)) {
  return { '/simple/torch/': htmlIndex({ [name]: hash, 'torch-2.13.0+cpu-cp311-cp311-win_amd64.whl': 'f'.repeat(64) }) }
}
const serveWheel = (misbehave?: Misbehaviour, hash?: string) =>
  serve({ files: { [name]: wheel }, pages: index(hash), ...(misbehave ? { misbehave } : {}) })

describe('setup from an index', () => {
  it('fetches the wheel, unpacks it, and leaves nothing else', async () => {
    await using server = await serveWheel()
    const { code, result } = await runSetup({ cache, mirror: `${server.address}/simple` })
    expect(code).toBe(0)
    expect(result).toMatchObject({
      status: 'ready',
      build: 'cpu',
      version: '2.13.0+cpu',
      folder: home(),
      files: [{ name, url: `${server.address}/files/${encodeURIComponent(name)}`, sha256: sha256(wheel) }],
      verified: { libtorch: '2.13.0' },
    })
    expect(left()).toEqual(['libtorch-2.13.0-cpu'])
    expect(readFileSync(path.join(home(), 'torch/lib/libc10.so'), 'utf8')).toBe('c10')
    expect(existsSync(path.join(home(), 'torch/include/ATen/ATen.h'))).toBe(true)

    const again = await runSetup({ cache, mirror: `${server.address}/simple` })
    expect(again.result?.status).toBe('present')
    expect(server.requestsFor(name)).toHaveLength(1)
  })

  it('only says what it would do with --dry-run', async () => {
    await using server = await serveWheel()
    const { code, result } = await runSetup({ cache, mirror: `${server.address}/simple/`, dryRun: true })
    expect(code).toBe(0)
    expect(result).toMatchObject({ status: 'planned', folder: home(), files: [{ name, sha256: sha256(wheel) }] })
    expect(readdirSync(cache)).toEqual([])
    expect(server.requestsFor(name)).toEqual([])
  })

  it('goes on where the connection broke, if the file is still the same', async () => {
    await using server = await serveWheel((_request, response, file, nth) => {
      if (nth === 1) sendPart(response, file, half, 'break')
      return nth === 1
    })
    const { code, notes } = await runSetup({ cache, mirror: `${server.address}/simple` })
    expect(code).toBe(0)
    const [first, second] = server.requestsFor(name)
    expect(first).toMatchObject({ range: undefined })
    expect(second?.ifRange).toBe(etagOf(wheel))
    expect(second?.range).toMatch(/^bytes=[1-9]\d*-$/)
    expect(notes.join('\n')).toMatch(/; trying again in 0\.0 s/)
  })

  it('starts anew where the server knows no ranges', async () => {
    await using server = await serveWheel((_request, response, file, nth) => {
      if (nth === 1) sendPart(response, file, half, 'break')
      else response.writeHead(200, { 'content-length': file.length }).end(file)
      return true
    })
    const { code } = await runSetup({ cache, mirror: `${server.address}/simple` })
    expect(code).toBe(0)
    expect(server.requestsFor(name)).toHaveLength(2)
  })

  it('goes on after a stall', async () => {
    await using server = await serveWheel((_request, response, file, nth) => {
      if (nth === 1) sendPart(response, file, half, 'stall')
      return nth === 1
    })
    const { code, notes } = await runSetup({ cache, mirror: `${server.address}/simple` })
    expect(code).toBe(0)
    expect(notes.join('\n')).toContain('nothing came for 0.4 s')
    expect(server.requestsFor(name)[1]?.range).toMatch(/^bytes=[1-9]/)
  })

  it('refuses another hash, with both, and removes the file', async () => {
    const wrong = 'a'.repeat(64)
    await using server = await serveWheel(undefined, wrong)
    const { code, error } = await runSetup({ cache, mirror: `${server.address}/simple` })
    expect(code).toBe(1)
    expect(error).toMatchObject({ name: 'SetupError', code: 'ERR_SETUP_CHECKSUM' })
    expect(error?.message).toContain(`${name} has sha256 ${sha256(wheel)}, expected ${wrong}`)
    expect(existsSync(home())).toBe(false)
    expect(
      readdirSync(path.join(cache, 'spikingrx/downloads'), { recursive: true, withFileTypes: true }).filter((one) =>
        one.isFile(),
      ),
    ).toEqual([])
  })

  it('gives up on a server that says more than it sends', async () => {
    await using server = await serveWheel((_request, response, file) => {
      response
        .writeHead(200, { 'content-length': file.length + 1000 })
        .write(file, () => setTimeout(() => response.destroy(), 50))
      return true
    })
    const { code, error } = await runSetup({ cache, mirror: `${server.address}/simple` })
    expect([code, error?.code]).toEqual([1, 'ERR_SETUP_NETWORK'])
    expect(error?.message).toMatch(/^The download of torch-\S+ failed 3 times: .*Check the network/)
  })

  it('takes no file that is shorter than it should be', async () => {
    await using server = await serveWheel((_request, response, file) => {
      response.writeHead(200, { 'content-length': half }).end(file.subarray(0, half))
      return true
    })
    const { code, error } = await runSetup({ cache, mirror: `${server.address}/simple` })
    expect([code, error?.code]).toEqual([1, 'ERR_SETUP_CHECKSUM'])
    expect(existsSync(home())).toBe(false)
  })

  it("refuses a length that is not the index's before reading on", async () => {
    const files = [
      {
        filename: name,
        url: `/files/${encodeURIComponent(name)}`,
        hashes: { sha256: sha256(wheel) },
        size: wheel.length + 1,
      },
    ]
    const page = { type: 'application/vnd.pypi.simple.v1+json', body: JSON.stringify({ files }) }
    await using server = await serve({ files: { [name]: wheel }, pages: { '/simple/torch/': page } })
    const { error } = await runSetup({ cache, mirror: `${server.address}/simple` })
    expect(error).toMatchObject({ code: 'ERR_SETUP_CHECKSUM' })
    expect(error?.message).toContain(`is ${wheel.length} bytes long, its index says ${wheel.length + 1}`)
    expect(server.seen[0]?.accept).toContain('application/vnd.pypi.simple.v1+json')
  })

  it('waits out an error that may pass, and takes others at once', async () => {
    await using busy = await serveWheel((_request, response, _file, nth) => {
      if (nth === 1) response.writeHead(503, { 'retry-after': '0' }).end('busy')
      return nth === 1
    })
    const recovered = await runSetup({ cache, mirror: `${busy.address}/simple` })
    expect(recovered.code).toBe(0)
    expect(recovered.notes.join('\n')).toContain('answers 503')
    rmSync(home(), { recursive: true })

    await using broken = await serveWheel((_request, response) => Boolean(response.writeHead(500).end()))
    const failed = await runSetup({ cache, mirror: `${broken.address}/simple` })
    expect(failed.error).toMatchObject({ code: 'ERR_SETUP_NETWORK' })
    expect(failed.error?.message).toMatch(/failed 3 times: \S+ answers 500\. Check the network/)
    expect(broken.requestsFor(name)).toHaveLength(3)

    await using gone = await serveWheel((_request, response) => Boolean(response.writeHead(404).end()))
    const missing = await runSetup({ cache, mirror: `${gone.address}/simple` })
    expect(missing.error).toMatchObject({ code: 'ERR_SETUP_NETWORK' })
    expect(gone.requestsFor(name)).toHaveLength(1)
  })

  it('follows redirections, not for ever', async () => {
    await using files = await serve({ files: { [name]: wheel } })
    await using server = await serveWheel((request, response) =>
      Boolean(response.writeHead(302, { location: `${files.address}${request.url}` }).end()),
    )
    expect((await runSetup({ cache, mirror: `${server.address}/simple` })).code).toBe(0)
    expect(files.requestsFor(name)).toHaveLength(1)
    rmSync(home(), { recursive: true })

    await using circle = await serveWheel((request, response) =>
      Boolean(response.writeHead(302, { location: request.url ?? '' }).end()),
    )
    const { error } = await runSetup({ cache, mirror: `${circle.address}/simple` })
    expect(error).toMatchObject({ code: 'ERR_SETUP_NETWORK' })
    expect(error?.message).toContain('redirects more than 5 times')
  })

  it('says that the index has no such wheel', async () => {
    await using server = await serve({
      pages: {
        '/simple/torch/': htmlIndex({ 'torch-2.12.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl': 'f'.repeat(64) }),
      },
    })
    const { error } = await runSetup({ cache, mirror: `${server.address}/simple` })
    expect(error).toMatchObject({ code: 'ERR_SETUP_SOURCE' })
    expect(error?.message).toBe(
      `the index ${server.address}/simple has no wheel of torch==2.13.0 for Linux x64. Name another source with --mirror or --from`,
    )
  })

  it('sends the login of an address, and tells nobody', async () => {
    await using server = await serveWheel()
    const { code, result } = await runSetup({
      cache,
      mirror: `${server.address.replace('//', '//user:secret@')}/simple`,
    })
    expect(code).toBe(0)
    expect(server.seen.map(({ authorization }) => authorization)).toEqual(Array(2).fill(`Basic ${btoa('user:secret')}`))
    expect(JSON.stringify(result)).not.toContain('secret')
  })
})

describe('a setup that is ended', () => {
  it('by SIGKILL goes on at the next run', async () => {
    await using server = await serveWheel((_request, response, file, nth) => {
      if (nth === 1) sendPart(response, file, half, 'stall')
      return nth === 1
    })
    const killed = await runSetup({
      cache,
      mirror: `${server.address}/simple`,
      limits: { stall: 30_000 },
      watch: (event, child) => {
        if (event.type === 'progress' && event.done === half) setTimeout(() => child.kill('SIGKILL'), 100)
      },
    })
    expect([killed.code, killed.signal]).toEqual([null, 'SIGKILL'])
    expect(left()).toHaveLength(3)
    expect(left()).toEqual(expect.arrayContaining(['downloads', 'libtorch-2.13.0-cpu.lock']))

    const { code, result } = await runSetup({ cache, mirror: `${server.address}/simple` })
    expect([code, result?.status]).toEqual([0, 'ready'])
    expect(server.requestsFor(name)[1]?.range).toMatch(/^bytes=[1-9]\d*-$/)
    expect(left()).toEqual(['libtorch-2.13.0-cpu'])
  })

  it('by SIGKILL once it is unpacked leaves no half of a libtorch, and fetches nothing twice', async () => {
    await using server = await serveWheel()
    const killed = await runSetup({
      cache,
      mirror: `${server.address}/simple`,
      hang: true,
      watch: (event, child) => {
        if (event.type === 'note' && event.text.startsWith('loading it')) child.kill('SIGKILL')
      },
    })
    expect(killed.signal).toBe('SIGKILL')
    expect(existsSync(home())).toBe(false)
    expect(left().filter((one) => one.startsWith('libtorch-2.13.0-cpu.part-'))).toHaveLength(1)
    const { result } = await runSetup({ cache, mirror: `${server.address}/simple` })
    expect(result?.status).toBe('ready')
    expect(server.requestsFor(name)).toHaveLength(1)
    expect(left()).toEqual(['libtorch-2.13.0-cpu'])
  })

  it('by Ctrl-C keeps the part, and nothing else', async () => {
    await using server = await serveWheel((_request, response, file) => {
      sendPart(response, file, half, 'stall')
      return true
    })
    const { code, error } = await runSetup({
      cache,
      mirror: `${server.address}/simple`,
      limits: { stall: 30_000 },
      watch: (event, child) => {
        if (event.type === 'progress' && event.done === half) setTimeout(() => child.kill('SIGINT'), 100)
      },
    })
    expect([code, error?.code]).toEqual([1, 'ERR_ABORTED'])
    expect(left()).toEqual(['downloads'])
    const files = readdirSync(path.join(cache, 'spikingrx/downloads'), { recursive: true }).map(String)
    expect(files.filter((one) => one.endsWith('.whl.part'))).toHaveLength(1)
  })

  it('a part of a file that has changed since is not gone on with', async () => {
    const other = fakeTorchWheel({ padding: (3 << 20) + 5 })
    await using server = await serve({
      files: { [name]: other },
      misbehave: (request, response, file, nth) => {
        if (nth === 1) sendPart(response, wheel, half, 'break')
        else sendFile(request, response, file)
        return true
      },
    })
    const from = `${server.address}/files/${encodeURIComponent(name)}`
    const { code } = await runSetup({ cache, from })
    expect(code).toBe(0)
    expect(server.requestsFor(name)[1]).toMatchObject({ ifRange: etagOf(wheel) })
    expect(readFileSync(path.join(home(), 'torch/lib/libtorch_cpu.so')).length).toBe('torch_cpu'.length + (3 << 20) + 5)
  })
})

describe('two setups', () => {
  it('at once fetch once; the second waits and says so', async () => {
    await using server = await serveWheel((request, response, file) => {
      setTimeout(() => sendFile(request, response, file), 1500)
      return true
    })
    const start = () => runSetup({ cache, mirror: `${server.address}/simple`, limits: { stall: 30_000 } })
    const both = await Promise.all([start(), start()])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    expect(both.map(({ result }) => result?.status).sort()).toEqual(['present', 'ready'])
    expect(both.flatMap(({ notes }) => notes).filter((text) => text.startsWith('waiting for process'))).toHaveLength(1)
    expect(server.requestsFor(name)).toHaveLength(1)
    expect(left()).toEqual(['libtorch-2.13.0-cpu'])
  })

  it('a cache that can not be written ends with the reason', async () => {
    const file = path.join(cache, 'file')
    writeFileSync(file, '')
    await using server = await serveWheel()
    const { code, error } = await runSetup({ cache: file, mirror: `${server.address}/simple` })
    expect([code, error?.code]).toEqual([1, 'ERR_SETUP_DISK'])
    expect(error?.message).toContain(
      "can't be written: a part of the path is no folder. Free space or set XDG_CACHE_HOME",
    )
  })
})
