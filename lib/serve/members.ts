/** A member's place, kept by {@link Members} alone. */
export interface Member {
  place: number
}

/**
 * A collection without an order for members that come and go by the thousand. Not a Set: one that fills up leaves its
 * table behind, with the members of that moment in it, and the next table after it. Once one of these is in V8's old
 * generation, all that follow stay until that is collected, with all that their members hold: 2 kB a request.
 */
export class Members<T extends Member> implements Iterable<T> {
  readonly #all: T[] = []

  get size(): number {
    return this.#all.length
  }

  /** @param member in no other collection */
  add(member: T): void {
    member.place = this.#all.length
    this.#all.push(member)
  }

  /** Nothing where it is not a member (any more). */
  delete(member: T): void {
    const { place } = member
    if (this.#all[place] !== member) return
    const last = this.#all.pop()!
    if (last === member) return
    last.place = place
    this.#all[place] = last
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#all[Symbol.iterator]()
  }
}
