/** Writes zip archives for tests, also such as no honest program writes. */
import { createHash } from 'node:crypto'
import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipEntry {
  readonly name: string
  readonly content?: string | Buffer
  /** Unix mode with its type; 0o100644 by default. */
  readonly mode?: number
  /** Lies of the central directory. */
  readonly crc?: number
  readonly declaredSize?: number
  readonly encrypted?: boolean
  readonly stored?: boolean
}

export function zipArchive(entries: readonly ZipEntry[]): Buffer {
  const bodies: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { name, content = '', mode = 0o100644, crc, declaredSize, encrypted = false, stored = false } of entries) {
    const raw = Buffer.from(content)
    const packed = stored ? raw : deflateRawSync(raw)
    const fileName = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(0x0800 | (encrypted ? 1 : 0), 2)
    common.writeUInt16LE(stored ? 0 : 8, 4)
    common.writeUInt16LE(0x21, 8)
    common.writeUInt32LE(crc ?? crc32(raw), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(declaredSize ?? raw.length, 18)
    common.writeUInt16LE(fileName.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, fileName, packed])
    const central = Buffer.alloc(14)
    central.writeUInt32LE((mode << 16) >>> 0, 6)
    central.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), common, central, fileName]))
    bodies.push(local)
    offset += local.length
  }
  const index = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(index.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...bodies, index, end])
}

/** A torch wheel as small as can be; the libraries are text, one of them longer by `padding` bytes that are not packed. */
export function fakeTorchWheel({
  version = '2.13.0+cpu',
  cuda = false,
  requires = [] as readonly string[],
  padding = 0,
} = {}): Buffer {
  const info = `torch-${version}.dist-info`
  return zipArchive([
    {
      name: 'torch/version.py',
      content: `__version__ = '${version}'\n${cuda ? "cuda: Optional[str] = '13.0'\n" : ''}`,
    },
    { name: 'torch/lib/libc10.so', content: 'c10' },
    { name: 'torch/lib/libtorch_cpu.so', content: `torch_cpu${'.'.repeat(padding)}`, stored: true },
    ...(cuda ? [{ name: 'torch/lib/libtorch_cuda.so', content: 'torch_cuda' }] : []),
    { name: 'torch/include/ATen/ATen.h', content: '// header\n' },
    {
      name: `${info}/METADATA`,
      content: [
        'Metadata-Version: 2.1',
        'Name: torch',
        ...requires.map((one) => `Requires-Dist: ${one}`),
        '',
        'text',
      ].join('\n'),
    },
  ])
}

export const sha256 = (content: Buffer | string): string => createHash('sha256').update(content).digest('hex')
