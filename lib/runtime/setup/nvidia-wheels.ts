/**
 * The NVIDIA libraries that a CUDA build of torch names in its METADATA: `nvidia-*` directly, or through the extras of
 * `cuda-toolkit`, a wheel of names only. Nothing else of what torch requires is needed by its libraries (triton, sympy ...).
 */
import { readEntryText } from './archive.js'
import { markerHolds, type Requirement, requirementsOf } from './requirement.js'
import type { Archive, Supplier, Wanted } from './supplier.js'

const COLLECTION = 'cuda-toolkit'
const METADATA = /^[^/]+\.dist-info\/METADATA$/

function nvidiaAmong(
  requirements: readonly Requirement[],
  architecture: string,
  extras: readonly string[],
): Requirement[] {
  return requirements.filter(
    ({ project, marker }) =>
      (project.startsWith('nvidia-') || project === COLLECTION) &&
      ['', ...extras].some((extra) => markerHolds(marker, { architecture, extra })) &&
      // Those of an extra only for one that was asked for.
      (!/\bextra\b/.test(marker) || extras.some((extra) => markerHolds(marker, { architecture, extra }))),
  )
}

/**
 * Those wheels, each once, in torch's order.
 *
 * @param read METADATA of a collection, or null where it can't be had
 */
export async function nvidiaWheels(
  metadata: string,
  architecture: string,
  read: (wanted: Wanted) => Promise<string | null>,
): Promise<Wanted[]> {
  const found = new Map<string, Wanted>()
  for (const one of nvidiaAmong(requirementsOf(metadata), architecture, [])) {
    const members =
      one.project === COLLECTION
        ? nvidiaAmong(requirementsOf((await read(one)) ?? ''), architecture, one.extras).filter(
            ({ project }) => project !== COLLECTION,
          )
        : [one]
    for (const { project, versions } of members) if (!found.has(project)) found.set(project, { project, versions })
  }
  return [...found.values()]
}

/** METADATA of a wheel on disk; '' where it is none. */
export async function metadataIn(archive: string): Promise<string> {
  return (await readEntryText(archive, METADATA)) ?? ''
}

/** METADATA of a wheel of names, fetched whole where the index has it not apart; those archives go to `fetched`. */
export function metadataReader(supplier: Supplier, fetched: Archive[]): (wanted: Wanted) => Promise<string> {
  return async (wanted) => {
    const file = await supplier.find(wanted)
    const apart = file && (await supplier.metadata(file))
    if (apart) return apart
    const archive = await supplier.wheel(wanted)
    fetched.push(archive)
    return metadataIn(archive.file)
  }
}
