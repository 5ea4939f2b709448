/**
 * What dense and event-driven products cost on this machine, by which the engine `'auto'` chooses: measured once (about
 * 20 ms), kept in the user cache, read by every later process. The choice moves results by rounding only.
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { ArgumentError } from '../errors.js'
import { replaceFile } from '../io/replace-file.js'
import type { Native } from '../native.js'
import { native } from '../runtime/addon.js'
import { packageVersion } from '../runtime/files.js'
import { cacheFolder } from '../runtime/locate.js'

/** `default` for the values that come with the package, or seven numbers, as in native/model/engine_costs.h. */
const VARIABLE = 'SPIKINGRX_ENGINE_COSTS'

/** Numbers of native/model/engine_costs.h. */
const COUNT = 7

export interface CostsContext {
  /** Where they are kept. */
  readonly folder: string
  /** What they depend on: processor, package, libtorch. */
  readonly machine: string
  /** Value of SPIKINGRX_ENGINE_COSTS. */
  readonly override: string | undefined
  readonly addon: Pick<Native, 'measureEngineCostsAsync' | 'setEngineCosts'>
}

let known: Promise<void> | undefined
let ready = false

/** Whether nothing is left to wait for. */
export function engineCostsKnown(): boolean {
  return ready
}

/** Makes the costs of this machine those in use, once a thread. @throws ArgumentError `ERR_RANGE` for a bad override */
export function knowEngineCosts(): Promise<void> {
  known ??= adoptCosts(thisMachine()).then(() => {
    ready = true
  })
  // A bad override is told each time.
  known.catch(() => {
    known = undefined
  })
  return known
}

/** @returns where the costs are from */
export async function adoptCosts(context: CostsContext): Promise<'override' | 'cache' | 'measured'> {
  const { folder, machine, override, addon } = context
  if (override !== undefined && override !== '') {
    if (override !== 'default') addon.setEngineCosts(readOverride(override))
    return 'override'
  }
  const name = createHash('sha256').update(machine).digest('hex').slice(0, 16)
  const file = path.join(folder, `engine-costs-${name}.json`)
  const kept = await readCosts(file, machine)
  if (kept) {
    addon.setEngineCosts(kept)
    return 'cache'
  }
  const costs = await addon.measureEngineCostsAsync()
  addon.setEngineCosts(costs)
  await keepCosts(file, machine, costs)
  return 'measured'
}

function thisMachine(): CostsContext {
  return {
    folder: cacheFolder({ environment: process.env, home: os.homedir() }),
    machine: [os.cpus()[0]?.model.trim(), process.arch, packageVersion(), native().versions().libtorch].join(' | '),
    override: process.env[VARIABLE],
    addon: native(),
  }
}

function readOverride(text: string): number[] {
  const costs = text.split(',').map(Number)
  if (areCosts(costs)) return costs
  throw new ArgumentError(
    `${VARIABLE} must be "default" or ${COUNT} positive numbers with commas between, got ${JSON.stringify(text.slice(0, 80))}`,
    'ERR_RANGE',
  )
}

function areCosts(costs: unknown): costs is number[] {
  return (
    Array.isArray(costs) &&
    costs.length === COUNT &&
    costs.every((cost) => typeof cost === 'number' && Number.isFinite(cost) && cost > 0)
  )
}

/** Undefined for a file that is missing, damaged or of another machine. */
async function readCosts(file: string, machine: string): Promise<number[] | undefined> {
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'))
    if (typeof content !== 'object' || content === null) return undefined
    const { machine: measured, costs } = content as { readonly machine?: unknown; readonly costs?: unknown }
    return measured === machine && areCosts(costs) ? costs : undefined
  } catch {
    return undefined
  }
}

/** Without a cache to write to, the next process measures again. */
async function keepCosts(file: string, machine: string, costs: readonly number[]): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true })
    await replaceFile(file, async (handle) => {
      await handle.writeFile(`${JSON.stringify({ machine, costs })}\n`)
    })
  } catch {}
}
