/**
 * What is under way, calls or requests, counted. Not a Set of them: a Set that fills up leaves its table behind, with the
 * members of that moment, and the next table after it. Once one of these is in V8's old generation, so is all that follows.
 */
export class Running {
  #count = 0
  /** Called when the last one settles. */
  readonly #waiting: (() => void)[] = []

  get count(): number {
    return this.#count
  }

  begin(): void {
    this.#count += 1
  }

  /** Once for each `begin`. */
  end(): void {
    this.#count -= 1
    if (this.#count === 0) for (const told of this.#waiting.splice(0)) told()
  }

  /** Counts a call until it settles. */
  async track<T>(call: Promise<T>): Promise<T> {
    this.begin()
    try {
      return await call
    } finally {
      this.end()
    }
  }

  /** Settles when none is under way; another may have begun by the time that is told. */
  async idle(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}
