/** One bar a class: how sure the network is. */

/** More classes than this are shown as the likeliest of them. */
const MOST = 12

/** @param {readonly number[]} scores */
export function softmax(scores) {
  const most = Math.max(...scores)
  const powers = scores.map((score) => Math.exp(score - most))
  const sum = powers.reduce((total, power) => total + power, 0)
  return powers.map((power) => power / sum)
}

export class Bars {
  #labels
  #rows

  /**
   * @param {HTMLElement} list
   * @param {readonly string[]} labels
   */
  constructor(list, labels) {
    this.#labels = labels
    this.#rows = labels.slice(0, MOST).map((label) => {
      const row = document.createElement('li')
      const parts = ['label', 'track', 'number'].map((name) => {
        const part = document.createElement('span')
        part.className = name
        return part
      })
      const fill = document.createElement('span')
      fill.className = 'fill'
      parts[1].append(fill)
      parts[0].textContent = label
      row.append(...parts)
      return { row, name: parts[0], fill, number: parts[2] }
    })
    list.replaceChildren(...this.#rows.map(({ row }) => row))
    this.show(undefined)
  }

  /** @param {readonly number[] | undefined} scores of each class; undefined: there is nothing to judge */
  show(scores) {
    const shares = scores && softmax(scores)
    const best = shares ? shares.indexOf(Math.max(...shares)) : -1
    const order = [...this.#labels.keys()]
    if (shares && this.#labels.length > MOST) order.sort((a, b) => shares[b] - shares[a])
    this.#rows.forEach(({ row, name, fill, number }, i) => {
      const share = shares?.[order[i]] ?? 0
      name.textContent = this.#labels[order[i]]
      fill.style.transform = `scaleX(${share})`
      number.textContent = shares ? percent(share) : ''
      row.classList.toggle('best', order[i] === best)
    })
    return shares && { label: this.#labels[best], share: shares[best] }
  }
}

/** @param {number} share */
export function percent(share) {
  return `${(100 * share).toFixed(share > 0.0995 ? 0 : 1)} %`
}
