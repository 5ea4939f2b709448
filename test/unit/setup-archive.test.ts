import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { inspect, readEntryText, unpack } from '../../lib/runtime/setup/archive.js'
import type { SetupEvent } from '../../lib/runtime/setup/events.js'
import { type ZipEntry, zipArchive } from '../zip-archive.js'

let folder: string
let out: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'spikingrx-archive-'))
  out = path.join(folder, 'out')
  mkdirSync(out)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function archive(entries: readonly ZipEntry[]): string {
  const file = path.join(folder, 'archive.zip')
  writeFileSync(file, zipArchive(entries))
  return file
}
const report = () => undefined
const link = (name: string, target: string): ZipEntry => ({ name, content: target, mode: 0o120777 })

describe('unpacking', () => {
  it('writes files, folders, modes and links that stay inside, and counts the bytes', async () => {
    const events: SetupEvent[] = []
    const file = archive([
      { name: 'torch/', mode: 0o040755 },
      { name: 'torch/lib/liba.so.1', content: 'a'.repeat(1000), mode: 0o100755 },
      link('torch/lib/liba.so', 'liba.so.1'),
      { name: 'torch/empty', content: '' },
      { name: 'torch/stored', content: 'as it is', stored: true },
    ])
    const bytes = await unpack(file, out, { report: (event) => events.push(event) })
    expect(bytes).toBe(1000 + 'liba.so.1'.length + 8)
    expect(readFileSync(path.join(out, 'torch/lib/liba.so'), 'utf8')).toBe('a'.repeat(1000))
    expect(readlinkSync(path.join(out, 'torch/lib/liba.so'))).toBe('liba.so.1')
    expect(statSync(path.join(out, 'torch/lib/liba.so.1')).mode & 0o777).toBe(0o755)
    expect(statSync(path.join(out, 'torch/empty')).mode & 0o777).toBe(0o644)
    expect(events.at(-1)).toMatchObject({
      type: 'progress',
      work: 'unpack',
      name: 'archive.zip',
      done: 1008,
      total: bytes,
    })
  })

  it('puts entries elsewhere, or leaves them out', async () => {
    const file = archive([
      { name: 'libtorch/lib/x', content: 'x' },
      { name: 'other', content: 'y' },
    ])
    const place = (name: string) => (name.startsWith('libtorch/') ? name.replace('libtorch', 'torch') : null)
    await unpack(file, out, { report, place })
    expect(readdirSync(out)).toEqual(['torch'])
  })

  it.each<[string, ZipEntry[], RegExp]>([
    ['climbs out', [{ name: '../escaped', content: 'x' }], /no usable archive: invalid relative path: \.\.\/escaped/],
    ['climbs out in the middle', [{ name: 'a/../../escaped', content: 'x' }], /invalid relative path/],
    ['is absolute', [{ name: '/tmp/escaped', content: 'x' }], /no usable archive: absolute path: \/tmp\/escaped/],
    ['uses backslashes', [{ name: '..\\escaped', content: 'x' }], /no usable archive: invalid characters/],
    ['links out', [link('out', '../..')], /the link out leads outside its folder/],
    ['links to an absolute path', [link('etc', '/etc')], /the link etc leads outside/],
    ['links to nothing', [link('none', 'nothing')], /the link none leads outside its folder, or nowhere/],
    [
      'links out through a link',
      [
        { name: 'd/e/f/x', content: 'x' },
        { name: 's/y', content: 'y' },
        link('d/e/f/l', '../../../s'),
        link('d/e/f/l/k', '../../../out'),
      ],
      /leads outside its folder|no usable archive/,
    ],
    [
      'writes through a link',
      [link('d', '..'), { name: 'd/escaped', content: 'x' }],
      /leads outside its folder|no usable archive/,
    ],
    ['holds a device', [{ name: 'dev', mode: 0o020666 }], /dev is neither file, folder nor link/],
    [
      'has a name twice',
      [
        { name: 'a', content: 'x' },
        { name: './a', content: 'y' },
      ],
      /is in it twice|invalid relative path/,
    ],
    ['is encrypted', [{ name: 'a', content: 'x', encrypted: true }], /a is encrypted/],
    [
      'packs a thousandfold',
      [{ name: 'bomb', content: Buffer.alloc(20 << 20) }],
      /would unpack to 100 times its size or more/,
    ],
    ['is damaged', [{ name: 'a', content: 'x', crc: 1 }], /a has another checksum/],
    [
      'is longer than it says',
      [{ name: 'a', content: 'long'.repeat(10), declaredSize: 4 }],
      /no usable archive: .*(too many bytes|size)/i,
    ],
    [
      'is shorter than it says',
      [{ name: 'a', content: 'short', declaredSize: 40 }],
      /no usable archive: .*(not enough bytes|size)/i,
    ],
  ])('refuses an archive that %s', async (_what, entries, message) => {
    const file = archive(entries)
    await expect(unpack(file, out, { report })).rejects.toMatchObject({
      code: 'ERR_SETUP_ARCHIVE',
      message: expect.stringMatching(message),
    })
    expect(existsSync(path.join(folder, 'escaped'))).toBe(false)
    expect(existsSync('/tmp/escaped')).toBe(false)
  })

  it.each([
    ['what is no archive', Buffer.from('no archive at all, but long enough to look for an end')],
    ['nothing', Buffer.alloc(0)],
    ['half an archive', zipArchive([{ name: 'a', content: 'x'.repeat(5000), stored: true }]).subarray(0, 2000)],
  ])('refuses %s', async (_what, content) => {
    const file = path.join(folder, 'no.zip')
    writeFileSync(file, content)
    await expect(unpack(file, out, { report })).rejects.toMatchObject({ code: 'ERR_SETUP_ARCHIVE' })
    expect(readdirSync(out)).toEqual([])
  })

  it('stops when it is told to', async () => {
    const file = archive([
      { name: 'a', content: 'x' },
      { name: 'b', content: 'y' },
    ])
    const controller = new AbortController()
    const stop = () => controller.abort()
    await expect(unpack(file, out, { report: stop, signal: controller.signal })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    })
    expect(existsSync(path.join(out, 'b'))).toBe(false)
  })
})

describe('looking into an archive', () => {
  it('tells names and bytes, and reads a small entry', async () => {
    const file = archive([
      { name: 'a.dist-info/METADATA', content: 'Name: a\n' },
      { name: 'b', content: 'bb' },
    ])
    expect(await inspect(file)).toEqual({ names: ['a.dist-info/METADATA', 'b'], bytes: 10 })
    expect(await readEntryText(file, /METADATA$/)).toBe('Name: a\n')
    expect(await readEntryText(file, /RECORD$/)).toBeNull()
  })

  it('says when there is none', async () => {
    await expect(inspect(path.join(folder, 'none.whl'))).rejects.toMatchObject({ code: 'ERR_SETUP_SOURCE' })
  })
})
