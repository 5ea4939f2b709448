import { describe, expect, it } from 'vitest'
import { pipRequirement } from '../../lib/runtime/setup/pip.js'
import {
  compareReleases,
  markerHolds,
  releaseOf,
  requirementsOf,
  versionFits,
} from '../../lib/runtime/setup/requirement.js'
import { chooseWheel, hashOf, readHtmlPage, readJsonPage } from '../../lib/runtime/setup/simple-index.js'
import { fitsPlatform, parseWheelName } from '../../lib/runtime/setup/wheel-name.js'

const page = new URL('https://index.example/whl/cpu/torch/')
const hash = 'ab'.repeat(32)

describe('an index page', () => {
  it('in HTML gives addresses, hashes and what else the anchors say', () => {
    const html = `<!DOCTYPE html><html><head><base href="/elsewhere/"></head><body>
      <a href="../torch-2.13.0%2Bcpu-cp311-cp311-manylinux_2_28_x86_64.whl#sha256=${hash}" data-requires-python="&gt;=3.10" data-core-metadata="sha256=1">torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl</a><br/>
      <A class=x HREF='https://files.example/a&amp;b.whl' data-yanked>a&amp;b.whl</A>
      <a>no address</a><a href="http://[bad">broken</a></body></html>`
    expect(readHtmlPage(html, page)).toEqual([
      {
        name: 'torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl',
        url: new URL('https://index.example/torch-2.13.0%2Bcpu-cp311-cp311-manylinux_2_28_x86_64.whl'),
        sha256: hash,
        size: null,
        yanked: false,
        metadata: new URL('https://index.example/torch-2.13.0%2Bcpu-cp311-cp311-manylinux_2_28_x86_64.whl.metadata'),
      },
      {
        name: 'a&b.whl',
        url: new URL('https://files.example/a&b.whl'),
        sha256: null,
        size: null,
        yanked: true,
        metadata: null,
      },
    ])
  })

  it('in JSON gives sizes as well', () => {
    const files = [
      { filename: 'a.whl', url: 'a.whl', hashes: { sha256: hash }, size: 12, yanked: 'broken', 'core-metadata': true },
      { filename: 'b.whl', url: 'https://files.example/b.whl', hashes: {} },
      { filename: 3 },
    ]
    expect(readJsonPage(JSON.stringify({ files }), page)).toEqual([
      {
        name: 'a.whl',
        url: new URL('https://index.example/whl/cpu/torch/a.whl'),
        sha256: hash,
        size: 12,
        yanked: true,
        metadata: new URL('https://index.example/whl/cpu/torch/a.whl.metadata'),
      },
      {
        name: 'b.whl',
        url: new URL('https://files.example/b.whl'),
        sha256: null,
        size: null,
        yanked: false,
        metadata: null,
      },
    ])
    for (const text of ['<html>', '{}', '[]', ''])
      expect(() => readJsonPage(text, page)).toThrow(expect.objectContaining({ code: 'ERR_SETUP_NETWORK' }))
  })

  it('hashes are those of pip', () => {
    expect(hashOf(new URL(`https://a/b#egg=x&sha256=${hash.toUpperCase()}`))).toBe(hash)
    expect(hashOf(new URL('https://a/b#sha256=short'))).toBeNull()
    expect(hashOf(new URL('https://a/b'))).toBeNull()
  })
})

describe('the choice of a wheel', () => {
  const choose = (names: string[], yanked: string[] = []) =>
    chooseWheel(
      names.map((name) => ({ name, yanked: yanked.includes(name) })),
      'x64',
      ({ project, version }) => project === 'torch' && version.startsWith('2.13.'),
    )?.name
  const wheel = (version: string, python = 'cp311', platform = 'manylinux_2_28_x86_64', abi = python) =>
    `torch-${version}-${python}-${abi}-${platform}.whl`

  it('goes by version and platform, whatever Python it is for', () => {
    expect(choose([wheel('2.13.0', 'cp314'), wheel('2.13.0', 'cp312')])).toBe(wheel('2.13.0', 'cp314'))
    expect(choose([wheel('2.13.0', 'cp314'), wheel('2.13.0')])).toBe(wheel('2.13.0'))
    expect(choose([wheel('2.13.0'), wheel('2.13.10', 'cp310'), wheel('2.13.9')])).toBe(wheel('2.13.10', 'cp310'))
    expect(choose([wheel('2.13.1'), wheel('2.13.0')], [wheel('2.13.1')])).toBe(wheel('2.13.0'))
    expect(
      choose([wheel('2.12.0'), wheel('2.13.0', 'cp311', 'win_amd64'), 'torch-2.13.0.tar.gz', 'nonsense']),
    ).toBeUndefined()
    expect(choose([wheel('2.13.0', 'cp313', 'manylinux_2_28_x86_64', 'cp313t')])).toBeUndefined()
  })

  it('knows platforms', () => {
    const fits = (platform: string, architecture: string) =>
      fitsPlatform(parseWheelName(wheel('2.13.0', 'py3', platform, 'none'))!, architecture)
    expect(
      ['manylinux2014_x86_64.manylinux_2_17_x86_64', 'linux_x86_64', 'any'].map((one) => fits(one, 'x64')),
    ).toEqual([true, true, true])
    expect(
      ['manylinux_2_28_aarch64', 'musllinux_1_2_x86_64', 'macosx_14_0_arm64'].map((one) => fits(one, 'x64')),
    ).toEqual([false, false, false])
    expect(fits('manylinux_2_28_aarch64', 'arm64')).toBe(true)
  })
})

describe('requirements', () => {
  it('are read out of the head of METADATA', () => {
    const metadata = [
      'Metadata-Version: 2.4',
      'Requires-Dist: cuda-toolkit[cublas, cudart]==13.0.2; platform_system == "Linux"',
      'Requires-Dist: Nvidia_NCCL.cu13 (==2.28.9)',
      'Requires-Dist: filelock',
      '',
      'Requires-Dist: not-this-one',
    ].join('\r\n')
    expect(requirementsOf(metadata)).toEqual([
      {
        project: 'cuda-toolkit',
        extras: ['cublas', 'cudart'],
        versions: '==13.0.2',
        marker: 'platform_system == "Linux"',
      },
      { project: 'nvidia-nccl-cu13', extras: [], versions: '==2.28.9', marker: '' },
      { project: 'filelock', extras: [], versions: '', marker: '' },
    ])
  })

  it.each<[string, string, boolean]>([
    ['', '', true],
    ['platform_system == "Linux"', '', true],
    ['platform_system != "Linux"', '', false],
    ['platform_system == "Linux" and platform_machine == "x86_64"', '', true],
    ['platform_system == "Linux" and platform_machine == "aarch64"', '', false],
    ["(sys_platform == 'linux' or sys_platform == 'win32') and extra == 'cublas'", 'cublas', true],
    ["(sys_platform == 'linux' or sys_platform == 'win32') and extra == 'cublas'", 'npp', false],
    ["sys_platform == 'win32' or (sys_platform == 'linux' and extra == 'a')", 'a', true],
    ['python_version < "3.9" and platform_system == "Linux"', '', true],
    ["extra == 'docs'", '', false],
  ])('%s with extra "%s" holds: %s', (marker, extra, holds) => {
    expect(markerHolds(marker, { architecture: 'x64', extra })).toBe(holds)
  })

  it.each<[string, string, boolean]>([
    ['13.1.0.3', '==13.1.0.3.*', true],
    ['13.1.0.30', '==13.1.0.3.*', false],
    ['13.0', '==13.0.0', true],
    ['2.13.0+cpu', '==2.13.0', true],
    ['13.5.37', '>=13.0.88,<14', true],
    ['14.0', '>=13.0.88,<14', false],
    ['1.4.5', '~=1.4.2', true],
    ['1.5.0', '~=1.4.2', false],
    ['2.0', '!=2.0', false],
    ['2.0rc1', '>=1', false],
    ['anything', '', false],
    ['3.0.post1', '>3.0', true],
  ])('%s fits %s: %s', (version, versions, fits) => {
    expect(versionFits(version, versions)).toBe(fits)
  })

  it('compare numbers, not letters', () => {
    expect([compareReleases([2, 10], [2, 9]), compareReleases([2], [2, 0]), compareReleases([1, 9], [2])]).toEqual([
      1, 0, -1,
    ])
    expect(releaseOf('1.2.dev3')).toBeNull()
  })

  it('are told to pip so that it takes the build that is wanted', () => {
    const torch = { project: 'torch', versions: '==2.13.0' }
    expect(pipRequirement({ ...torch, local: (tag) => tag === 'cpu' })).toBe('torch==2.13.0+cpu')
    expect(pipRequirement({ ...torch, local: (tag) => tag === '' || (tag.startsWith('cu') && tag !== 'cpu') })).toBe(
      'torch===2.13.0',
    )
    expect(pipRequirement({ project: 'nvidia-cublas', versions: '==13.1.0.3.*' })).toBe('nvidia-cublas==13.1.0.3.*')
  })
})
