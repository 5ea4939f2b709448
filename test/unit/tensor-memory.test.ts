import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import * as t from '../../lib/tensor/index.js'
import { Tensor, tensor } from '../../lib/tensor/index.js'
import { codeOf, expectValues } from './tensor-expectations.js'

const alive = () => t.memory().tensors

describe('dispose', () => {
  it('frees the handle, once', () => {
    const before = alive()
    const x = tensor([1, 2])
    expect(alive()).toBe(before + 1)
    x.dispose()
    x.dispose()
    expect([alive(), x.disposed, String(x)]).toEqual([before, true, 'Tensor(disposed)'])
  })

  it('is what using calls', () => {
    const before = alive()
    {
      using x = tensor([1])
      expect(x.disposed).toBe(false)
      expect(alive()).toBe(before + 1)
    }
    expect(alive()).toBe(before)
  })

  it('makes every later use an error with a code', () => {
    const x = tensor([1, 2])
    x.dispose()
    const uses: (() => unknown)[] = [
      () => x.shape,
      () => x.toArray(),
      () => x.toTypedArray(),
      () => x.item(),
      () => x.grad,
      () => x.requireGrad(),
      () => x.backward(),
      () => x.detach(),
      () => t.add(x, 1),
      () => t.cat([x]),
      () => t.tensorOp('add.Tensor', [x, x], { alpha: 2 }),
    ]
    for (const use of uses) expect(codeOf(use)).toBe('ERR_DISPOSED StateError')
  })

  it('leaves views and the graph of a backward intact', () => {
    const x = tensor([1, 2], { requiresGrad: true })
    const y = t.square(x)
    const view = t.select(y, 0, 1)
    y.dispose()
    expectValues(view, 4)
    view.backward()
    expectValues(x.grad!, [0, 4])
  })
})

describe('scope', () => {
  it('frees what was made inside and hands out what is returned', () => {
    const before = alive()
    const kept = t.scope(() => t.add(t.mul(tensor([1, 2]), 2), t.ones([2])))
    expect(alive()).toBe(before + 1)
    expectValues(kept, [3, 5])
    kept.dispose()
    expect(alive()).toBe(before)
  })

  it('finds returned tensors in arrays, maps and objects', () => {
    const before = alive()
    const result = t.scope(() => {
      tensor([0])
      return { list: [tensor(1), [tensor(2)]] as const, map: new Map([['three', tensor(3)]]), count: 4 }
    })
    expect(alive()).toBe(before + 3)
    const [one, [two]] = result.list
    expect([one.item(), two!.item(), result.map.get('three')!.item(), result.count]).toEqual([1, 2, 3, 4])
    for (const x of [one, two!, result.map.get('three')!]) x.dispose()
  })

  it('gives what an inner scope returns to the outer one', () => {
    const before = alive()
    let inner: Tensor | undefined
    t.scope(() => {
      inner = t.scope(() => tensor([1]))
      expect(inner.disposed).toBe(false)
    })
    expect([inner!.disposed, alive()]).toEqual([true, before])
  })

  it('leaves tensors from outside and kept ones alone', () => {
    const outside = tensor([1])
    const kept = t.scope(() => {
      t.add(outside, 1)
      const x = t.keep(tensor([2]))
      return [x.item()]
    })
    expect(outside.disposed).toBe(false)
    expect(kept).toEqual([2])
    let escaped: Tensor | undefined
    t.scope(() => {
      t.scope(() => {
        escaped = t.keep(tensor([3]))
      })
    })
    expectValues(escaped!, [3])
    escaped!.dispose()
    outside.dispose()
  })

  it('frees when the body throws', () => {
    const before = alive()
    expect(() =>
      t.scope(() => {
        tensor([1])
        throw new Error('inside')
      }),
    ).toThrow('inside')
    expect(alive()).toBe(before)
  })

  it('lasts until the promise settles, apart from other tasks', async () => {
    const before = alive()
    const task = async (value: number): Promise<Tensor> => {
      const x = tensor([value])
      await sleep(1)
      const y = t.mul(x, 2)
      await sleep(1)
      return t.add(y, x)
    }
    const [one, two] = await Promise.all([t.scope(() => task(1)), t.scope(() => task(2))])
    expectValues(one, [3])
    expectValues(two, [6])
    expect(alive()).toBe(before + 2)
    one.dispose()
    two.dispose()
    await expect(
      t.scope(async () => {
        tensor([1])
        await sleep(1)
        throw new Error('later')
      }),
    ).rejects.toThrow('later')
    expect(alive()).toBe(before)
  })

  it('does not hold on to what was disposed of inside', async () => {
    setFlagsFromString('--expose-gc')
    const collectGarbage = runInNewContext('gc') as () => void
    let dropped: WeakRef<Tensor> | undefined
    await t.scope(async () => {
      const makeAndDispose = (): void => {
        const made = tensor([1])
        made.dispose()
        dropped = new WeakRef(made)
      }
      makeAndDispose()
      for (let i = 0; i < 20 && dropped?.deref(); i++) {
        await sleep(5)
        collectGarbage()
      }
      expect(dropped?.deref()).toBeUndefined()
    })
  })

  it('keeps a training step free of leftovers', () => {
    const w = tensor([[0.5, -0.5]], { requiresGrad: true })
    const x = t.ones([4, 2])
    const before = alive()
    for (let i = 0; i < 20; i++) {
      t.scope(() => {
        t.mean(t.square(t.matmul(x, t.transpose(w, 0, 1)))).backward()
        w.grad!.toArray()
      })
    }
    expect(alive()).toBe(before)
  })
})

describe('the garbage collector', () => {
  it('frees tensors nobody holds, also in a synchronous loop', () => {
    const before = t.memory()
    // 400 MB in all: without the sweep none would be freed before the loop ends.
    for (let i = 0; i < 400; i++) t.zeros([250_000])
    expect(t.memory().bytes - before.bytes).toBeLessThan(300e6)
  })
})

it('prints shape, dtype and device', () => {
  expect(String(tensor([[1n]]))).toBe('Tensor([1, 1], int64)')
  expect(tensor(1)).toBeInstanceOf(Tensor)
})
