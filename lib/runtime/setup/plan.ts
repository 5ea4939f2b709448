/** What a setup would fetch, for --dry-run. */
import type { RemoteFile } from './download.js'
import { nvidiaWheels } from './nvidia-wheels.js'
import type { Plan } from './setup.js'
import { suppliers, torchWanted } from './stage.js'
import type { SupplierContext, Wanted } from './supplier.js'

export interface PlannedFiles {
  readonly files: readonly RemoteFile[]
  /** What can't be told before something else is fetched. */
  readonly unknown: readonly string[]
}

/** Asks the index, and for METADATA where it lies apart; downloads no wheel. @throws SetupError */
export async function planFiles(plan: Plan, context: SupplierContext): Promise<PlannedFiles> {
  const { source, build } = plan
  if (source.kind === 'url') return { files: [{ ...source, size: null }], unknown: [] }
  if (source.kind === 'pip') return { files: [], unknown: ['what pip chooses'] }
  if (source.kind !== 'index')
    return { files: [], unknown: build === 'cuda' ? ["NVIDIA's wheels that are not beside it"] : [] }
  const { torch, nvidia } = suppliers(plan, context)
  const main = await torch.find(torchWanted(plan))
  if (main === null || build === 'cpu') return { files: main ? [main] : [], unknown: [] }
  const files: RemoteFile[] = [main]
  const unknown: string[] = []
  const nameLater = "NVIDIA's wheels that torch's METADATA names"
  const read = async (wanted: Wanted) => {
    const file = await nvidia.find(wanted)
    const text = file && (await nvidia.metadata(file))
    if (!text) unknown.push(`${wanted.project}'s members`)
    return text
  }
  const metadata = await torch.metadata(main)
  if (metadata === null) return { files, unknown: [nameLater] }
  for (const wanted of await nvidiaWheels(metadata, context.architecture, read)) {
    const file = await nvidia.find(wanted)
    if (file) files.push(file)
  }
  return { files, unknown }
}
