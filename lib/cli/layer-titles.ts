import type { NetworkSpec } from '../model/spec.js'

/**
 * A layer's name in checkpoints as a person reads it: `layers.2` is "2 lif", `layers.3.stages.0.lif` "3 sewBlock stage 1",
 * `layers.3.shortcut.lif` "3 sewBlock shortcut".
 */
export function layerTitle(spec: NetworkSpec, name: string): string {
  const parts = /^layers\.(\d+)(?:\.(?:stages\.(\d+)|(shortcut))\.lif)?$/.exec(name)
  const kind = parts?.[1] === undefined ? undefined : spec.summary[Number(parts[1])]?.kind
  if (!parts || kind === undefined) return name
  const [, index, stage, shortcut] = parts
  const place = stage === undefined ? (shortcut ?? '') : `stage ${Number(stage) + 1}`
  return `${index} ${kind} ${place}`.trimEnd()
}
