/** The landing page as a visitor has it: drawn on with mouse, finger and keyboard in a browser, on the network that ships. */
/// <reference lib="dom" />
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { fastify } from 'fastify'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ProtocolOptions } from '../../lib/serve/options.js'
import { spikingrxPlugin } from '../../lib/serve/plugin.js'
import { FolderRepository } from '../../lib/serve/repository.js'
import { createServer } from '../../lib/serve/server.js'
import { hasBrowser, startBrowser, visit } from './browser.js'
import { digits, type Strokes, slantedThree } from './digit-strokes.js'
import { ageless, writeModel } from './networks.js'

const demo = fileURLToPath(new URL('../../models/demo', import.meta.url))
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Answers come at once: nothing is played. */
const still = { reducedMotion: 'reduce' } as const

let browser: Browser
let repository: FolderRepository
const ends: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  if (!hasBrowser) return
  repository = new FolderRepository(demo, { poll: 0 })
  await repository.start()
  browser = await startBrowser()
})
afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await context.close()
  for (const end of ends.splice(0)) await end()
})
afterAll(async () => {
  await browser?.close()
  await repository?.close(0)
})

async function serve(options: Partial<ProtocolOptions> = {}): Promise<string> {
  const server = await createServer({ repository, ...options, port: 0 })
  ends.push(() => server.close(0))
  return server.listen()
}

async function drawWithMouse(page: Page, strokes: Strokes): Promise<void> {
  await page.locator('#canvas').scrollIntoViewIfNeeded()
  const { x, y, width, height } = (await page.locator('#canvas').boundingBox())!
  for (const [[startX, startY] = [0, 0], ...rest] of strokes) {
    await page.mouse.move(x + (startX / 100) * width, y + (startY / 100) * height)
    await page.mouse.down()
    for (const [toX, toY] of rest) await page.mouse.move(x + (toX / 100) * width, y + (toY / 100) * height)
    await page.mouse.up()
  }
}

/** The class that the page shows once it has the answer to the last change. */
async function settled(page: Page): Promise<string> {
  await page.locator('#bars[aria-busy=false] .best').waitFor()
  return (await page.locator('#bars .best .label').textContent())!
}

const share = async (page: Page): Promise<number> =>
  Number.parseFloat((await page.locator('#bars .best .number').textContent())!)

describe.skipIf(!hasBrowser)('a drawing', () => {
  it('of a 3 is a 3, and the page loads and says nothing else', async () => {
    const address = await serve()
    const { page, problems, asked } = await visit(browser, address)
    await drawWithMouse(page, digits[3]!)
    expect(await settled(page)).toBe('3')
    expect(await share(page)).toBeGreaterThan(80)
    await page.waitForFunction(() => document.body.dataset.played === 'true')
    expect(await page.locator('#decision').textContent()).toBe('3')
    await page.locator('#spoken', { hasText: /^The network says 3\.$/ }).waitFor({ state: 'attached' })
    expect(problems).toEqual([])
    const { host } = new URL(address)
    expect(asked.filter((url) => new URL(url).host !== host)).toEqual([])
    expect(asked).toContain(`ws://${host}/v2/models/digits/versions/1/stream`)
  })

  it('is known in all ten digits, wherever it lies', async () => {
    const { page } = await visit(browser, await serve(), still)
    const said: string[] = []
    for (const strokes of [...digits, slantedThree]) {
      await drawWithMouse(page, strokes)
      said.push(await settled(page))
      await page.locator('#clear').click()
      expect(await page.locator('#decision').textContent()).toBe('–')
    }
    expect(said).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '3'])
  })

  it('can be made with a finger', async () => {
    const { page } = await visit(browser, await serve(), {
      ...still,
      hasTouch: true,
      viewport: { width: 400, height: 800 },
    })
    await page.locator('#canvas').scrollIntoViewIfNeeded()
    const { x, y, width, height } = (await page.locator('#canvas').boundingBox())!
    const finger = await page.context().newCDPSession(page)
    for (const [i, [toX, toY]] of digits[7]![0]!.entries()) {
      const touchPoints = [{ x: x + (toX / 100) * width, y: y + (toY / 100) * height }]
      await finger.send('Input.dispatchTouchEvent', { type: i === 0 ? 'touchStart' : 'touchMove', touchPoints })
    }
    await finger.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
    expect(await settled(page)).toBe('7')
    // Drawing did not scroll the page away.
    expect(await page.locator('#canvas').boundingBox()).toMatchObject({ x, y })
  })

  it('can be made with the keyboard alone', async () => {
    const { page } = await visit(browser, await serve(), still)
    await page.locator('#draw:not([hidden])').waitFor()
    while ((await page.evaluate(() => document.activeElement?.id)) !== 'canvas') await page.keyboard.press('Tab')
    const press = async (keys: string) => {
      for (const key of keys.split(' ')) await page.keyboard.press(key)
    }
    // From the middle to the top left; then a bar to the right and a stroke down to the left: a 7.
    await press('Shift+ArrowUp Shift+ArrowUp Shift+ArrowUp Shift+ArrowLeft Shift+ArrowLeft')
    expect(await page.locator('#decision').textContent()).toBe('–')
    await press('Space Shift+ArrowRight Shift+ArrowRight Shift+ArrowRight Shift+ArrowRight')
    for (let i = 0; i < 12; i++) await press('ArrowDown ArrowDown ArrowLeft')
    await press('Space')
    expect(await settled(page)).toBe('7')
    await press('Backspace')
    expect(await page.locator('#decision').textContent()).toBe('–')
  })

  it('can start from an example', async () => {
    const { page } = await visit(browser, await serve(), still)
    for (const digit of [0, 5, 8]) {
      await page.getByRole('button', { name: `Draw a ${digit}` }).click()
      expect(await settled(page)).toBe(String(digit))
      await page.getByRole('button', { name: 'Clear' }).click()
    }
  })
})

describe.skipIf(!hasBrowser)('the spikes', () => {
  it('are those of every layer at every step, counted and drawn', async () => {
    const { page } = await visit(browser, await serve(), still)
    await drawWithMouse(page, digits[3]!)
    await settled(page)
    const layers = await page.evaluate(() =>
      [...document.querySelectorAll('#raster .row:not(.head)')].slice(1).map((row) =>
        [...row.querySelectorAll('canvas')].map((canvas) => {
          const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
          let lit = 0
          for (let i = 0; i < data.length; i += 4) if (data[i]! > 200) lit++
          return { said: canvas.getAttribute('aria-label')!, lit }
        }),
      ),
    )
    expect(layers.map((cells) => cells.length)).toEqual([8, 8, 8, 8])
    for (const [layer, cells] of layers.entries()) {
      const neurons = layer === 0 ? 16 * 14 * 14 : 32 * 7 * 7
      cells.forEach(({ said, lit }, step) => {
        expect(said).toBe(`Layer ${layer + 1}, step ${step + 1}: ${lit} of ${neurons} neurons fire`)
      })
    }
    const all = layers.flat().reduce((sum, { lit }) => sum + lit, 0)
    expect(all).toBeGreaterThan(100)
    expect(await page.locator('#fact-spikes').textContent()).toBe(all.toLocaleString('en'))
  })

  it('are played step by step, and the bars with them', async () => {
    const { page } = await visit(browser, await serve())
    await page.getByRole('button', { name: 'Draw a 3' }).click()
    await page.waitForFunction(() => document.querySelectorAll('#raster .head .later').length === 5)
    expect(await page.locator('#step').inputValue()).toBe('3')
    await page.waitForFunction(() => document.body.dataset.played === 'true')
    expect(await page.locator('#raster .later').count()).toBe(0)
    await page.locator('#step').fill('1')
    expect(await page.locator('#raster .head .later').count()).toBe(7)
    expect(await page.locator('#step-text').textContent()).toBe('1 of 8')
    await page.getByRole('button', { name: 'Replay' }).click()
    await page.waitForFunction(() => document.body.dataset.played === 'true')
  })

  it('stand still for those who asked for less motion', async () => {
    const { page } = await visit(browser, await serve(), still)
    await page.evaluate(() => {
      new MutationObserver(() => {
        if (document.querySelector('#raster .later')) document.body.dataset.moved = 'true'
      }).observe(document.getElementById('raster')!, { subtree: true, attributes: true })
    })
    await page.getByRole('button', { name: 'Draw a 3' }).click()
    await settled(page)
    expect(await page.locator('#raster canvas').count()).toBe(5 * 8)
    expect(await page.evaluate(() => document.body.dataset.moved)).toBeUndefined()
  })

  it('are missed, but not the answer, where there can be no stream', async () => {
    const { page } = await visit(browser, await serve({ streams: { maximum: 0 } }), still)
    await page.getByRole('button', { name: 'Draw a 3' }).click()
    expect(await settled(page)).toBe('3')
    expect(await page.locator('#stream-problem').textContent()).toMatch(/^No spikes to show, only the answer/)
    expect(await page.locator('#raster canvas').count()).toBe(0)
  })
})

describe.skipIf(!hasBrowser)('the page', () => {
  it('tells what is loaded, in which state, and what it takes and gives', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'spikingrx-page-'))
    ends.push(async () => rmSync(folder, { recursive: true }))
    cpSync(path.join(demo, 'digits'), path.join(folder, 'digits'), { recursive: true })
    await writeModel(path.join(folder, 'numbers.safetensors'), ageless)
    mkdirSync(path.join(folder, 'broken/1'), { recursive: true })
    writeFileSync(path.join(folder, 'broken/1/model.safetensors'), 'no weights')
    const other = new FolderRepository(folder, { poll: 0 })
    ends.push(() => other.close(0))
    await other.start()
    const { page, problems } = await visit(browser, await serve({ repository: other }), still)
    await page.locator('.card').first().waitFor()
    const cards = await page.locator('.card').allInnerTexts()
    expect(cards.map((text) => text.split('\n').slice(0, 2))).toEqual([
      ['broken version 1', 'unavailable'],
      ['digits version 1', 'ready'],
      ['numbers version 1', 'ready'],
    ])
    expect(cards[1]).toContain('input UINT8 [-1, 1, 28, 28]')
    expect(cards[1]).toMatch(/Classes\s+0, 1, 2, 3, 4, 5, 6, 7, 8, 9/)
    expect(cards[2]).toContain('input FP32 [-1, 12]')
    expect(cards.join()).not.toContain(folder)
    expect(await page.locator('#server-state').textContent()).toBe('not ready')
    // One model looks at pictures: there is nothing to choose.
    expect(await page.locator('#model-choice').isVisible()).toBe(false)
    expect(problems).toEqual([])
  })

  it('tells throughput and latency while requests come', async () => {
    const address = await serve()
    const { page } = await visit(browser, address, still)
    const tile = (title: string) => page.locator('.tile', { hasText: title }).locator('b')
    await page.locator('.card').first().waitFor()
    expect(await tile('Mean latency').textContent()).toBe('–')
    const body = Buffer.alloc(784)
    const headers = { 'content-type': 'application/octet-stream', 'inference-header-content-length': '0' }
    const ask = () => fetch(`${address}/v2/models/digits/infer`, { method: 'POST', headers, body })
    await Promise.all(Array.from({ length: 20 }, ask))
    await page.waitForFunction(() => document.querySelectorAll('.tile b')[1]!.textContent !== '–')
    expect(await tile('Mean latency').textContent()).toMatch(/^\d[\d.,]* ms$/)
    expect(Number.parseFloat((await tile('Samples a batch').textContent())!)).toBeGreaterThan(0)
    const total = await page.locator('.card .note').first().textContent()
    expect(Number(/(\d+) in all/.exec(total!)![1])).toBeGreaterThanOrEqual(20)
    expect(await page.locator('.tile').first().locator('.line').getAttribute('d')).toMatch(/^M\d/)
  })

  it('asks for a token where one is wanted, and keeps it for its tab', async () => {
    const address = await serve({ tokens: ['correct-horse'] })
    const { page } = await visit(browser, address, still)
    const box = page.getByLabel('Bearer token')
    await box.fill('wrong')
    await page.keyboard.press('Enter')
    await page.getByText('That token is not valid here.').waitFor()
    await box.fill('correct-horse')
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.getByRole('button', { name: 'Draw a 3' }).click()
    expect(await settled(page)).toBe('3')
    expect(await page.locator('#raster canvas').count()).toBe(5 * 8)
    await page.reload()
    await page.locator('.card').first().waitFor()
    expect(await page.locator('#token-dialog').isVisible()).toBe(false)
    const stranger = await visit(browser, address)
    await stranger.page.locator('#token-dialog').waitFor()
    expect(await stranger.page.locator('.card').count()).toBe(0)
  })

  it('says so when the service ends, and goes on when it is back', async () => {
    const server = await createServer({ repository, port: 0 })
    const address = await server.listen()
    const { page } = await visit(browser, address, still)
    await page.getByText('ready', { exact: true }).first().waitFor()
    await server.close(0)
    await page.getByText('not reachable').waitFor()
    const again = await createServer({ repository, port: Number(new URL(address).port) })
    ends.push(() => again.close(0))
    await again.listen()
    await page.locator('#server-state', { hasText: /^ready$/ }).waitFor()
    await page.getByRole('button', { name: 'Draw a 3' }).click()
    expect(await settled(page)).toBe('3')
  })

  it('works below the prefix of an application', async () => {
    const app = fastify()
    ends.push(() => app.close())
    await app.register(spikingrxPlugin, { prefix: '/snn', repository })
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    const { page, asked, problems } = await visit(browser, `${address}/snn`, still)
    expect(page.url()).toBe(`${address}/snn/`)
    await page.getByRole('button', { name: 'Draw a 3' }).click()
    expect(await settled(page)).toBe('3')
    expect(asked.filter((url) => !new URL(url).pathname.startsWith('/snn'))).toEqual([])
    expect(problems).toEqual([])
  })

  it('runs no script but its own, and asks nobody else', async () => {
    const { page, problems } = await visit(browser, await serve())
    const refused = await page.evaluate(async () => {
      const tried = (body: () => void): boolean => {
        try {
          body()
          return false
        } catch {
          return true
        }
      }
      const script = document.createElement('script')
      script.append('document.body.dataset.broken = "true"')
      document.body.append(script)
      return {
        markup: tried(() => document.body.insertAdjacentHTML('beforeend', '<b onclick="alert()">here</b>')),
        handler: tried(() => document.body.setAttribute('onclick', 'alert()')),
        // A data: address needs no network: only the policy is in the way.
        elsewhere: await fetch('data:text/plain,here').then(
          () => false,
          () => true,
        ),
      }
    })
    expect(refused).toEqual({ markup: true, handler: true, elsewhere: true })
    expect(await page.evaluate(() => document.body.dataset.broken)).toBeUndefined()
    expect(problems.join()).toMatch(/Content Security Policy/)
  })

  it.each(['light', 'dark'] as const)('has no barrier that axe-core finds, %s', async (colorScheme) => {
    const { page } = await visit(browser, await serve(), { ...still, colorScheme })
    await page.getByRole('button', { name: 'Draw a 3' }).click()
    await settled(page)
    const session = await page.context().newCDPSession(page)
    await session.send('Runtime.evaluate', { expression: axe })
    const result = await session.send('Runtime.evaluate', {
      expression: `axe.run().then(({ violations, passes }) => ({ passed: passes.length,
        violations: violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html, failureSummary }) => html.slice(0, 120) + failureSummary).join(' | ')) }))`,
      awaitPromise: true,
      returnByValue: true,
    })
    expect(result.result.value.violations).toEqual([])
    expect(result.result.value.passed).toBeGreaterThan(20)
  })
})
