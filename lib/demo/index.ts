import { demoConv } from './conv.js'
import type { DemoOptions, DemoResult } from './demo.js'
import { demoLif } from './lif.js'
import { demoNorm } from './norm.js'
import { demoSew } from './sew.js'

export type { DemoOptions, DemoResult } from './demo.js'
export { demoConv, demoLif, demoNorm, demoSew }

export type DemoName = 'lif' | 'conv' | 'norm' | 'sew'

/** The module demonstrations by name, in the order in which the modules build on each other. */
export const demos: Readonly<Record<DemoName, (options: DemoOptions) => Promise<DemoResult>>> = {
  lif: demoLif,
  conv: demoConv,
  norm: demoNorm,
  sew: demoSew,
}
