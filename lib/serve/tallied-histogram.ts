import { Histogram } from 'prom-client'

/**
 * A histogram whose observations are counted by the caller's {@link Tally}: prom-client's own looks its labels up by a text
 * made of them, at every observation, which was most of what metrics cost a request.
 */
export class TalliedHistogram<Label extends string> extends Histogram<Label> {
  readonly #settings: { readonly name: string; readonly help: string }
  readonly #bounds: readonly number[]
  readonly #tallies: { readonly labels: Readonly<Record<Label, string>>; readonly tally: Tally }[] = []

  /** @param settings.buckets upper bounds, rising */
  constructor(settings: ConstructorParameters<typeof Histogram<Label>>[0] & { readonly buckets: number[] }) {
    super(settings)
    this.#settings = settings
    this.#bounds = settings.buckets
  }

  tally(labels: Readonly<Record<Label, string>>): Tally {
    const tally = new Tally(this.#bounds)
    this.#tallies.push({ labels, tally })
    return tally
  }

  override async get(): ReturnType<Histogram<Label>['get']> {
    return this.getForPromString()
  }

  /** What the registry writes: of each tally its buckets, which add up, sum and count. */
  async getForPromString(): ReturnType<Histogram<Label>['get']> {
    const { name, help } = this.#settings
    const values = this.#tallies.flatMap(({ labels, tally }) => [
      ...tally
        .cumulative()
        .map(({ le, count }) => ({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: count })),
      { metricName: `${name}_sum`, labels, value: tally.sum },
      { metricName: `${name}_count`, labels, value: tally.count },
    ])
    // The type of labels knows no `le`; its kind of metric is an enumeration that only exists as a type.
    const data = { name, help, type: 'histogram', aggregator: 'sum', values } as unknown
    return data as Awaited<ReturnType<Histogram<Label>['get']>>
  }
}

/** Observations of one combination of labels. */
export class Tally {
  readonly #bounds: readonly number[]
  readonly #counts: Float64Array
  sum = 0
  count = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++
    if (bucket < bounds.length) this.#counts[bucket]! += 1
    this.sum += value
    this.count += 1
  }

  /** Observations up to each bound. */
  cumulative(): { le: number | '+Inf'; count: number }[] {
    let count = 0
    const buckets = this.#bounds.map((le, bucket) => {
      count += this.#counts[bucket]!
      return { le, count }
    })
    return [...buckets, { le: '+Inf', count: this.count }]
  }
}
