// npm's `prepare`: builds a checkout when its dependencies are installed. npm runs it for `npm pack` and `npm publish`
// too, where it builds nothing: scripts/prepack.mjs takes care of those. A published package has no install script.
if (process.env.SPIKINGRX_SKIP_BUILD === '1') console.log('spikingrx: SPIKINGRX_SKIP_BUILD=1, nothing is built')
else if (process.env.npm_command !== 'pack' && process.env.npm_command !== 'publish') {
  try {
    const { buildNative } = await import('./build.mjs')
    await buildNative()
    const { buildTypeScript } = await import('./build-typescript.mjs')
    await buildTypeScript()
  } catch (error) {
    console.error(`spikingrx build: ${error.message}`)
    process.exitCode = 1
  }
}
