import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { elfProblem } from '../../lib/runtime/elf.js'
import { platformProblem } from '../../lib/runtime/platform.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'spikingrx-library-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('a library', () => {
  /** An ELF header with one loaded segment that ends at `end`. */
  function elf({ machine = 62, type = 3, end = 200, size = 200 } = {}): string {
    const bytes = Buffer.alloc(size)
    bytes.write('\x7fELF\x02\x01\x01', 'latin1')
    bytes.writeUInt16LE(type, 16)
    bytes.writeUInt16LE(machine, 18)
    bytes.writeBigUInt64LE(64n, 32)
    bytes.writeUInt16LE(56, 54)
    bytes.writeUInt16LE(1, 56)
    bytes.writeUInt32LE(1, 64)
    bytes.writeBigUInt64LE(0n, 72)
    bytes.writeBigUInt64LE(BigInt(end), 96)
    const file = path.join(folder, 'x.so')
    writeFileSync(file, bytes)
    return file
  }

  it('is told whole or not by its headers', () => {
    expect(elfProblem(elf(), 'x64')).toBeNull()
    expect(elfProblem(elf({ end: 201 }), 'x64')).toBe('is cut off: 200 bytes of at least 201')
    expect(elfProblem(elf({ machine: 183 }), 'x64')).toBe('is for arm64, this is x64')
    expect(elfProblem(elf({ type: 2 }), 'x64')).toBe('is no shared library')
    expect(elfProblem(path.join(folder, 'none'), 'x64')).toBe("can't be read (ENOENT)")
    expect(elfProblem(folder, 'x64')).toBe("can't be read (EISDIR)")
    writeFileSync(path.join(folder, 'empty'), '')
    expect(elfProblem(path.join(folder, 'empty'), 'x64')).toBe('is no ELF library')
  })
})

describe('the platform', () => {
  it('must have a glibc that is new enough', () => {
    expect(platformProblem('2.28', 'linux')).toBeNull()
    expect(platformProblem('3.0', 'linux')).toBeNull()
    expect(platformProblem('2.17', 'linux')).toMatch(
      /^this system has glibc 2\.17, libtorch needs 2\.28 or newer: use a newer system/,
    )
    expect(platformProblem(null, 'linux')).toMatch(/^this Node runs on musl libc/)
    expect(platformProblem(null, 'darwin')).toBeNull()
  })
})
