// The native addon without the TypeScript facade, for programs and workers that must start at once. The files come from the
// test (child.ts) in SPIKINGRX_TEST_ADDON.
import { createRequire } from 'node:module'
import os from 'node:os'

const { loader, libraries, core, binding } = JSON.parse(process.env.SPIKINGRX_TEST_ADDON)
const { open } = createRequire(import.meta.url)(loader)
for (const library of [...libraries, core]) open(library)
const addon = { exports: {} }
process.dlopen(addon, binding, os.constants.dlopen.RTLD_NOW)

export const native = addon.exports

/** A tensor of ones. */
export const ones = (...shape) => ({ handle: native.callOperator('aten::ones', [shape], {}).handle })

/** Some 50 ms of work for the executor. */
export const longJob = (matrix) => native.callOperatorAsync('aten::matmul', [matrix, matrix], {})
