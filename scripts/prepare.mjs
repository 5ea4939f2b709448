// npm's `prepare`: builds a checkout; does nothing in an installed package, which ships its binaries.
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const isCheckout = existsSync(fileURLToPath(new URL('../native', import.meta.url)))

if (process.env.SPIKINGRX_SKIP_BUILD === '1') console.log('spikingrx: SPIKINGRX_SKIP_BUILD=1, nothing is built')
else if (isCheckout) {
  try {
    const { buildNative, buildTypeScript } = await import('./build.mjs')
    await buildNative()
    buildTypeScript()
  } catch (error) {
    console.error(`spikingrx build: ${error.message}`)
    process.exitCode = 1
  }
}
