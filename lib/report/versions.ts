import { cpus } from 'node:os'
import { native } from '../runtime/addon.js'
import { packageVersion } from '../runtime/files.js'
import type { ReportVersions } from './section.js'

/** What this process computes with. */
export function versions(): ReportVersions {
  return {
    spikingrx: packageVersion(),
    libtorch: native().versions().libtorch,
    node: process.versions.node,
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
  }
}
