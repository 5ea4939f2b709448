import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { adoptCosts, type CostsContext } from '../../lib/model/engine-costs.js'
import { native } from '../../lib/runtime/addon.js'

const measured = [1e-6, 2e-11, 3e-11, 4e-5, 5e-11, 6e-11, 7e-9]

let folder: string
let measurements: number
let adopted: (readonly number[])[]
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'spikingrx-costs-'))
  measurements = 0
  adopted = []
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function context(changes: Partial<CostsContext> = {}): CostsContext {
  const addon = {
    measureEngineCostsAsync: async () => {
      measurements++
      return measured
    },
    setEngineCosts: (costs: readonly number[]) => {
      adopted.push(costs)
    },
  }
  return { folder: path.join(folder, 'cache'), machine: 'cpu | x64', override: undefined, addon, ...changes }
}

it('measures once a machine', async () => {
  expect(await adoptCosts(context())).toBe('measured')
  expect(await adoptCosts(context())).toBe('cache')
  expect(await adoptCosts(context({ machine: 'other cpu | x64' }))).toBe('measured')
  expect(measurements).toBe(2)
  expect(adopted).toEqual([measured, measured, measured])
})

it('measures again where the file is damaged', async () => {
  await adoptCosts(context())
  const [name = ''] = await readdir(path.join(folder, 'cache'))
  const contents = [
    '',
    'null',
    '{"machine":"cpu | x64"}',
    '{"machine":"cpu | x64","costs":[1,2,3]}',
    '{"machine":"cpu | x64","costs":[1,1,1,1,1,1,-1]}',
    '{"machine":"cpu | arm","costs":[1,1,1,1,1,1,1]}',
  ]
  for (const content of contents) {
    await writeFile(path.join(folder, 'cache', name), content)
    expect(await adoptCosts(context())).toBe('measured')
  }
  expect(await adoptCosts(context())).toBe('cache')
})

it('needs no cache', async () => {
  await writeFile(path.join(folder, 'cache'), 'a file where the folder should be')
  expect(await adoptCosts(context())).toBe('measured')
  expect(adopted).toEqual([measured])
})

it('takes those of the environment, and refuses what is none', async () => {
  await mkdir(path.join(folder, 'cache'))
  expect(await adoptCosts(context({ override: 'default' }))).toBe('override')
  expect(adopted).toEqual([])
  expect(await adoptCosts(context({ override: '1,2,3,4,5,6,7e-9' }))).toBe('override')
  expect(adopted).toEqual([[1, 2, 3, 4, 5, 6, 7e-9]])
  for (const override of ['fast', '1,2,3', '1,2,3,4,5,6,0', '1,2,3,4,5,6,NaN', '1,2,3,4,5,6,Infinity']) {
    await expect(adoptCosts(context({ override }))).rejects.toMatchObject({ code: 'ERR_RANGE' })
  }
  expect(measurements).toBe(0)
})

it('measures positive seconds with the addon, which refuses anything else', async () => {
  const costs = await native().measureEngineCostsAsync()
  expect(costs).toHaveLength(7)
  for (const cost of costs) expect(cost).toSatisfy((value: number) => value > 0 && value < 0.1)
  expect(() => native().setEngineCosts([1, 2])).toThrow(expect.objectContaining({ code: 'ERR_SHAPE' }))
  expect(() => native().setEngineCosts([...costs.slice(1), 0])).toThrow(expect.objectContaining({ code: 'ERR_RANGE' }))
  native().setEngineCosts(costs)
})
