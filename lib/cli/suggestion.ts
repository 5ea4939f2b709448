/** "; did you mean sew?" for a word that is close to one of the known ones, else nothing. */
export function didYouMean(word: string, known: readonly string[], prefix = ''): string {
  const lower = word.toLowerCase().slice(0, 40)
  const near = known
    .map((name) => ({ name, distance: editDistance(lower, name) }))
    .filter(({ name, distance }) => distance <= Math.max(1, Math.floor(name.length / 3)) || startsAlike(lower, name))
    .sort((a, b) => a.distance - b.distance)
  return near[0] === undefined ? '' : `; did you mean ${prefix}${near[0].name}?`
}

function startsAlike(word: string, name: string): boolean {
  return word.length >= 3 && name.startsWith(word)
}

/** Insertions, deletions, replacements and swaps of neighbours that make one word of the other (optimal string alignment). */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)]
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      let best = Math.min(replaced, rows[i - 1]![j]! + 1, row[j - 1]! + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, rows[i - 2]![j - 2]! + 1)
      row.push(best)
    }
    rows.push(row)
  }
  return rows[a.length]![b.length]!
}
