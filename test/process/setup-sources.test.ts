import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeTorchWheel, sha256, zipArchive } from '../zip-archive.js'
import { runSetup } from './setup-process.js'
import { htmlIndex, serve } from './setup-server.js'

let folder: string
let cache: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'spikingrx-sources-'))
  cache = path.join(folder, 'cache')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const home = (name = 'libtorch-2.13.0-cpu') => path.join(cache, 'spikingrx', name)
const cpuName = 'torch-2.13.0+cpu-cp312-cp312-manylinux_2_28_x86_64.whl'
const zip = zipArchive([
  { name: 'libtorch/lib/libc10.so', content: 'c10' },
  { name: 'libtorch/lib/libtorch_cpu.so', content: 'torch_cpu' },
  { name: 'libtorch/build-version', content: '2.13.0+cpu\n' },
])

describe('the official zip', () => {
  it('comes from an address, its hash checked as pip does, and is laid out as the wheel is', async () => {
    const name = 'libtorch-shared-with-deps-2.13.0+cpu.zip'
    await using server = await serve({ files: { [name]: zip } })
    const address = `${server.address}/files/${encodeURIComponent(name)}`
    const wrong = await runSetup({ cache, from: `${address}#sha256=${'b'.repeat(64)}` })
    expect(wrong.error?.code).toBe('ERR_SETUP_CHECKSUM')
    const { code, result } = await runSetup({ cache, from: `${address}#sha256=${sha256(zip)}` })
    expect(code).toBe(0)
    expect(result).toMatchObject({ version: '2.13.0+cpu', folder: home(), source: address })
    expect(readFileSync(path.join(home(), 'torch/lib/libtorch_cpu.so'), 'utf8')).toBe('torch_cpu')
  })

  it('is found below another host by --mirror', async () => {
    const place = '/libtorch/cpu/libtorch-shared-with-deps-2.13.0%2Bcpu.zip'
    await using server = await serve({ pages: {} })
    const { error, notes } = await runSetup({ cache, from: 'zip', mirror: server.address })
    expect(error?.code).toBe('ERR_SETUP_NETWORK')
    expect(server.seen.map(({ url }) => url)).toEqual([place])
    expect(notes.join('\n')).toContain('comes without a hash (#sha256=...)')
  })
})

describe('what lies on this disk', () => {
  it('a wheel', async () => {
    const file = path.join(folder, cpuName)
    writeFileSync(file, fakeTorchWheel())
    const { code, result } = await runSetup({ cache, from: file })
    expect([code, result?.version, result?.source]).toEqual([0, '2.13.0+cpu', file])
    expect(readdirSync(folder)).toContain(cpuName)
  })

  it('a folder of wheels', async () => {
    writeFileSync(path.join(folder, cpuName), fakeTorchWheel())
    const { code, result } = await runSetup({ cache, from: folder })
    expect([code, result?.source]).toEqual([0, `wheels in ${folder}`])
  })

  it('a libtorch, of which links become files', async () => {
    const root = path.join(folder, 'libtorch')
    mkdirSync(path.join(root, 'lib'), { recursive: true })
    writeFileSync(path.join(root, 'build-version'), '2.13.1+cpu\n')
    writeFileSync(path.join(root, 'lib/libc10.so.1'), 'c10')
    symlinkSync('libc10.so.1', path.join(root, 'lib/libc10.so'))
    symlinkSync('..', path.join(root, 'lib/circle'))
    writeFileSync(path.join(root, 'lib/libtorch_cpu.so'), 'torch_cpu')
    const { code, result } = await runSetup({ cache, from: root })
    expect([code, result?.folder]).toEqual([0, home('libtorch-2.13.1-cpu')])
    rmSync(root, { recursive: true })
    expect(readdirSync(path.join(home('libtorch-2.13.1-cpu'), 'torch/lib')).sort()).toEqual([
      'libc10.so',
      'libc10.so.1',
      'libtorch_cpu.so',
    ])
    expect(readFileSync(path.join(home('libtorch-2.13.1-cpu'), 'torch/lib/libc10.so'), 'utf8')).toBe('c10')
  })

  it.each<[string, Buffer | null, string, RegExp]>([
    ['nothing', null, 'ERR_SETUP_SOURCE', /does not exist: give a wheel, a zip, a folder or an address/],
    [
      'an archive without libtorch',
      zipArchive([{ name: 'a', content: 'b' }]),
      'ERR_SETUP_SOURCE',
      /holds no libtorch for Linux/,
    ],
    ['half a wheel', fakeTorchWheel({ padding: 1000 }).subarray(0, 900), 'ERR_SETUP_ARCHIVE', /no usable archive/],
    [
      'a damaged wheel',
      Buffer.from(fakeTorchWheel({ padding: 1000 }).toString('latin1').replace('.....', ',....'), 'latin1'),
      'ERR_SETUP_ARCHIVE',
      /libtorch_cpu\.so has another checksum/,
    ],
    [
      'another version',
      fakeTorchWheel({ version: '2.12.0+cpu' }),
      'ERR_SETUP_SOURCE',
      /is of no use: is libtorch 2\.12\.0\+cpu \(cpu build\), this package has a core for 2\.13/,
    ],
    [
      'the CUDA build',
      fakeTorchWheel({ version: '2.13.0+cu130', cuda: true }),
      'ERR_SETUP_SOURCE',
      /holds a CUDA build of libtorch: use --cuda/,
    ],
  ])('refuses %s and leaves no trace', async (_what, content, code, message) => {
    const file = path.join(folder, cpuName)
    if (content) writeFileSync(file, content)
    const { error } = await runSetup({ cache, from: file })
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(content ? readdirSync(path.join(cache, 'spikingrx')) : []).toEqual([])
  })
})

it('refuses another version by its name, before anything is fetched', async () => {
  await using server = await serve({})
  const from = `${server.address}/files/torch-2.12.1%2Bcpu-cp311-cp311-linux_x86_64.whl`
  const { error } = await runSetup({ cache, from })
  expect(error).toMatchObject({
    code: 'ERR_SETUP_SOURCE',
    message: `--from ${from} is libtorch 2.12.1, this package has a core for 2.13`,
  })
  expect(server.seen).toEqual([])
})

describe('the CUDA build', () => {
  const name = 'torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl'
  const requires = [
    'filelock',
    'sympy>=1.13.3',
    'cuda-toolkit[cublas,cudart]==13.0.2; platform_system == "Linux"',
    'nvidia-nccl-cu13==2.28.9; platform_system == "Linux"',
    'triton==3.6.0; platform_system == "Linux"',
  ]
  const torch = fakeTorchWheel({ version: '2.13.0+cu130', cuda: true, requires })
  const library = (file: string) => zipArchive([{ name: `nvidia/${file}`, content: file }])
  const toolkit = zipArchive([
    {
      name: 'cuda_toolkit-13.0.2.dist-info/METADATA',
      content: [
        "Requires-Dist: nvidia-cublas==13.1.0.3.*; (sys_platform == 'linux' or sys_platform == 'win32') and extra == 'cublas'",
        "Requires-Dist: nvidia-cuda-runtime==13.0.96.*; (sys_platform == 'linux') and extra == 'cudart'",
        "Requires-Dist: nvidia-npp==13.0.1.2.*; (sys_platform == 'linux') and extra == 'npp'",
        "Requires-Dist: nvidia-npp==13.0.1.2.*; (sys_platform == 'linux') and extra == 'all'",
      ].join('\n'),
    },
  ])
  const files: Record<string, Buffer> = {
    [name]: torch,
    'cuda_toolkit-13.0.2-py2.py3-none-any.whl': toolkit,
    'nvidia_cublas-13.1.0.3-py3-none-manylinux_2_27_x86_64.whl': library('cu13/lib/libcublas.so.13'),
    'nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl':
      library('cu13/lib/libcudart.so.13'),
    'nvidia_nccl_cu13-2.28.9-py3-none-manylinux_2_18_x86_64.whl': library('nccl/lib/libnccl.so.2'),
  }
  const page = (...names: string[]) =>
    htmlIndex(Object.fromEntries(names.map((one) => [one, sha256(files[one] ?? '')])))
  const names = Object.keys(files)
  const pages = {
    '/simple/torch/': page(name),
    '/simple/cuda-toolkit/': page(names[1]!),
    '/simple/nvidia-cublas/': page(names[2]!, 'nvidia_cublas-13.2.0.1-py3-none-manylinux_2_27_x86_64.whl'),
    '/simple/nvidia-cuda-runtime/': page(names[3]!),
    '/simple/nvidia-nccl-cu13/': page(names[4]!),
  }

  it("comes with the NVIDIA libraries that torch names, beside it, and nothing else of Python's", async () => {
    await using server = await serve({ files, pages })
    const { code, result, notes } = await runSetup({ cache, build: 'cuda', mirror: `${server.address}/simple` })
    expect(code).toBe(0)
    expect(result).toMatchObject({
      status: 'ready',
      build: 'cuda',
      version: '2.13.0+cu130',
      folder: home('libtorch-2.13.0-cu130'),
    })
    expect(result?.files.map((file) => file.name).sort()).toEqual([...names].sort())
    const read = (file: string) => readFileSync(path.join(home('libtorch-2.13.0-cu130'), file), 'utf8')
    for (const file of ['cu13/lib/libcublas.so.13', 'cu13/lib/libcudart.so.13', 'nccl/lib/libnccl.so.2'])
      expect(read(`nvidia/${file}`)).toBe(file)
    expect(server.seen.map(({ url }) => url).filter((url) => /triton|sympy|filelock|npp/.test(url))).toEqual([])
    expect(notes[0]).toContain('no NVIDIA driver answers here (nvidia-smi): the CUDA build is set up all the same')
    expect(readdirSync(path.join(cache, 'spikingrx'))).toEqual(['libtorch-2.13.0-cu130'])
  })

  it.each(['a wheel', 'a folder'])('is what %s without a word of it in its name holds', async (what) => {
    for (const [file, content] of Object.entries(files)) writeFileSync(path.join(folder, file), content)
    const from = what === 'a wheel' ? path.join(folder, name) : folder
    const { result, notes } = await runSetup({ cache, build: null, from, mirror: 'http://127.0.0.1:9' })
    expect(result).toMatchObject({ status: 'ready', build: 'cuda', folder: home('libtorch-2.13.0-cu130') })
    expect(notes).toEqual(['loading it in a process of its own'])
  })

  it('shows at an address only once it is there', async () => {
    await using server = await serve({ files, pages })
    const from = `${server.address}/files/${name}#sha256=${sha256(torch)}`
    const { result } = await runSetup({ cache, build: null, from, mirror: `${server.address}/simple` })
    expect(result).toMatchObject({ status: 'ready', build: 'cuda', folder: home('libtorch-2.13.0-cu130') })
    expect(readdirSync(path.join(cache, 'spikingrx'))).toEqual(['libtorch-2.13.0-cu130'])
  })

  it('comes from a folder of wheels without a network', async () => {
    for (const [file, content] of Object.entries(files)) writeFileSync(path.join(folder, file), content)
    const { code } = await runSetup({ cache, build: 'cuda', from: folder, mirror: 'http://127.0.0.1:9' })
    expect(code).toBe(0)
    expect(readdirSync(path.join(home('libtorch-2.13.0-cu130'), 'nvidia')).sort()).toEqual(['cu13', 'nccl'])
  })

  it('is planned as far as the index tells without fetching wheels', async () => {
    const metadata = `Name: torch\n${requires.map((one) => `Requires-Dist: ${one}`).join('\n')}\n`
    const entries = (project: string, ...all: string[]) => ({
      type: 'application/vnd.pypi.simple.v1+json',
      body: JSON.stringify({
        name: project,
        files: all.map((one) => ({
          filename: one,
          url: `/files/${encodeURIComponent(one)}`,
          hashes: { sha256: sha256(files[one]!) },
          size: files[one]!.length,
          'core-metadata': /torch|toolkit/.test(one) ? { sha256: 'x' } : false,
        })),
      }),
    })
    const text = (body: string) => ({ type: 'text/plain', body })
    await using server = await serve({
      pages: {
        ...pages,
        '/simple/torch/': entries('torch', name),
        '/simple/cuda-toolkit/': entries('cuda-toolkit', names[1]!),
        [`/files/${name}.metadata`]: text(metadata),
        [`/files/${names[1]}.metadata`]: text("Requires-Dist: nvidia-cublas==13.1.0.3.*; extra == 'cublas'\n"),
      },
    })
    const { result } = await runSetup({ cache, build: 'cuda', mirror: `${server.address}/simple`, dryRun: true })
    expect(result?.files.map((file) => [file.name, file.size])).toEqual([
      [name, torch.length],
      [names[2], null],
      [names[4], null],
    ])
    expect(result?.unknown).toEqual([])
  })
})

describe('proxies', () => {
  it('are used for http and https, but not for hosts of NO_PROXY', async () => {
    const wheel = fakeTorchWheel()
    await using server = await serve({
      files: { [cpuName]: wheel },
      pages: { '/simple/torch/': htmlIndex({ [cpuName]: sha256(wheel) }) },
    })
    const asked: string[] = []
    const proxy = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      const { host: _, ...headers } = request.headers
      httpRequest(request.url!.replace('mirror.test', server.address.replace('http://', '')), { headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      }).end()
    })
    proxy.on('connect', (request, socket) => {
      asked.push(`CONNECT ${request.url}`)
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    try {
      const environment = { http_proxy: address, HTTPS_PROXY: address }
      const through = await runSetup({ cache, mirror: 'http://mirror.test/simple', environment })
      expect(through.code).toBe(0)
      expect(asked).toEqual([
        'GET http://mirror.test/simple/torch/',
        `GET http://mirror.test/files/${encodeURIComponent(cpuName)}`,
      ])

      asked.length = 0
      rmSync(home(), { recursive: true })
      const tunnel = await runSetup({ cache, mirror: 'https://mirror.test/simple', environment })
      expect(tunnel.error?.code).toBe('ERR_SETUP_NETWORK')
      expect(tunnel.error?.message).toContain('Proxy response (403)')
      expect(asked[0]).toBe('CONNECT mirror.test:443')

      asked.length = 0
      const direct = await runSetup({
        cache,
        mirror: `${server.address}/simple`,
        environment: { ...environment, NO_PROXY: '127.0.0.1' },
      })
      expect([direct.code, asked]).toEqual([0, []])
    } finally {
      proxy.closeAllConnections()
      proxy.close()
    }
  })
})
