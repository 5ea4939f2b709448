/**
 * The processor's own energy counter, where Linux shows it: RAPL, `/sys/class/powercap/intel-rapl:N/energy_uj` of each package. Virtual
 * machines rarely have it, and since 2020 it needs root. It counts the whole package: also what other programs do.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface EnergyCounter {
  /** Microjoules since the last call, of all packages together. */
  microjoules(): Promise<number>
}

interface Package {
  readonly file: string
  /** The counter begins again at 0 beyond this. */
  readonly range: number
  last: number
}

/**
 * Opens the counter; undefined where the machine offers none that can be read.
 *
 * @param folder where Linux has it: `/sys/class/powercap`
 */
export async function openEnergyCounter(folder = '/sys/class/powercap'): Promise<EnergyCounter | undefined> {
  const names = await readdir(folder).catch(() => [])
  const packages: Package[] = []
  for (const name of names.filter((one) => /^intel-rapl:\d+$/.test(one)).sort()) {
    const file = join(folder, name, 'energy_uj')
    const [last, range] = await Promise.all([readCount(file), readCount(join(folder, name, 'max_energy_range_uj'))])
    if (last !== undefined && range !== undefined) packages.push({ file, range, last })
  }
  if (packages.length === 0) return undefined
  return {
    async microjoules() {
      let sum = 0
      for (const one of packages) {
        const now = (await readCount(one.file)) ?? one.last
        sum += now >= one.last ? now - one.last : now + one.range - one.last
        one.last = now
      }
      return sum
    },
  }
}

async function readCount(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const count = Number.parseInt(text, 10)
  return Number.isSafeInteger(count) ? count : undefined
}
