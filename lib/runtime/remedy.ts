import { existsSync } from 'node:fs'
import path from 'node:path'
import { packageFolder } from './files.js'

/** A checkout builds its native code and fetches libtorch with it; an installed package only needs libtorch. */
const isCheckout = (): boolean => existsSync(path.join(packageFolder, 'native'))

/** The one command that gets a libtorch; a damaged one is replaced by `setup` only. */
export function libtorchCommand(damaged = false): string {
  return isCheckout() && !damaged ? 'npm run build' : 'npx spikingrx setup'
}

/** The same for a CUDA build of libtorch. */
export const cudaCommand = 'npx spikingrx setup --cuda'

/** How to get a libtorch, as the errors and `doctor` say it. */
export function libtorchRemedy(damaged = false): string {
  return `Run \`${libtorchCommand(damaged)}\`, which fetches it`
}

/** How to get the native files again. */
export function addonRemedy(): string {
  return isCheckout() ? 'Run `npm run build`' : 'Install spikingrx again'
}
