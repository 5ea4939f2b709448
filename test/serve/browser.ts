/** Debian's or anyone's Chromium, without a screen; what a page says and asks for is kept. */
import { spawnSync } from 'node:child_process'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome']

/** Without these it asks its maker's hosts at every start. */
const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
  '--no-sandbox',
]

function find(): string | undefined {
  const names = process.env.SPIKINGRX_CHROMIUM ? [process.env.SPIKINGRX_CHROMIUM] : NAMES
  return names.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
}

const program = find()
export const hasBrowser = program !== undefined
if (!hasBrowser) {
  process.stderr.write('Tests of the landing page are skipped: no Chromium here (apt-get install chromium)\n')
}

export function startBrowser(): Promise<Browser> {
  const path = spawnSync('which', [program!], { encoding: 'utf8' }).stdout.trim()
  return chromium.launch({ executablePath: path, args: QUIET })
}

export interface Visit {
  readonly page: Page
  /** Errors and warnings of the console, scripts that failed, violations of the content security policy. */
  readonly problems: string[]
  /** Every address asked for, WebSockets too. */
  readonly asked: string[]
}

/** Opens a page as a new visitor. */
export async function visit(browser: Browser, address: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 1000 }, ...options })
  const page = await context.newPage()
  const problems: string[] = []
  const asked: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(message.text())
  })
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('request', (request) => asked.push(request.url()))
  page.on('websocket', (socket) => asked.push(socket.url()))
  await page.goto(address)
  return { page, problems, asked }
}
