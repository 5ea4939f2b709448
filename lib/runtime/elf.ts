import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

/** e_machine by Node's name of the architecture. */
const MACHINES: Readonly<Record<string, number>> = { x64: 62, arm64: 183 }
const MACHINE_NAMES: Readonly<Record<number, string>> = { 3: 'x86', 40: 'arm', 62: 'x64', 183: 'arm64', 243: 'riscv' }
const SHARED_OBJECT = 3
const LOADED_SEGMENT = 1

/**
 * Why a file is no shared library that can be opened here, or null. Headers and sizes only, a few hundred bytes: opening
 * half a library maps pages that have no file behind them, and touching one ends the process with SIGBUS.
 *
 *     whole:  e_phoff + e_phnum e_phentsize,  p_offset + p_filesz of each loaded segment,
 *             e_shoff + e_shnum e_shentsize   all <= size of the file
 */
export function elfProblem(file: string, architecture: string): string | null {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (error) {
    return `can't be read (${(error as NodeJS.ErrnoException).code})`
  }
  try {
    return checkElf(descriptor, architecture)
  } catch (error) {
    return `can't be read (${(error as NodeJS.ErrnoException).code})`
  } finally {
    closeSync(descriptor)
  }
}

function checkElf(descriptor: number, architecture: string): string | null {
  const size = fstatSync(descriptor).size
  const header = readAt(descriptor, 0, 64)
  if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46) return 'is no ELF library'
  if (header[4] !== 2 || header[5] !== 1) return 'is not a 64-bit little-endian library'
  const machine = header.readUInt16LE(18)
  const wanted = MACHINES[architecture]
  if (wanted !== undefined && machine !== wanted)
    return `is for ${MACHINE_NAMES[machine] ?? `machine ${machine}`}, this is ${architecture}`
  if (header.readUInt16LE(16) !== SHARED_OBJECT) return 'is no shared library'

  const segments = {
    at: Number(header.readBigUInt64LE(32)),
    size: header.readUInt16LE(54),
    count: header.readUInt16LE(56),
  }
  const sections = {
    at: Number(header.readBigUInt64LE(40)),
    size: header.readUInt16LE(58),
    count: header.readUInt16LE(60),
  }
  const ends = [segments, sections].map((table) => table.at + table.size * table.count)
  if (segments.size >= 40 && ends[0]! <= size) {
    const table = readAt(descriptor, segments.at, segments.size * segments.count)
    for (let at = 0; at < table.length; at += segments.size) {
      if (table.readUInt32LE(at) === LOADED_SEGMENT)
        ends.push(Number(table.readBigUInt64LE(at + 8)) + Number(table.readBigUInt64LE(at + 32)))
    }
  }
  const end = Math.max(...ends)
  return end <= size ? null : `is cut off: ${size} bytes of at least ${end}`
}

function readAt(descriptor: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length)
  return buffer.subarray(0, readSync(descriptor, buffer, 0, length, position))
}
