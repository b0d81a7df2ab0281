/** Members by the key that they share; most keys have one, which costs no set. Keys and members are of no more use once removed. */
export class Groups<K, V extends string | object> {
  readonly #groups = new Map<K, V | Set<V>>();

  add(key: K, member: V): void {
    const known = this.#groups.get(key);
    if (known === undefined) this.#groups.set(key, member);
    else if (known instanceof Set) known.add(member);
    else if (known !== member) this.#groups.set(key, new Set([known, member]));
  }

  delete(key: K, member: V): void {
    const known = this.#groups.get(key);
    if (known instanceof Set) {
      known.delete(member);
      if (known.size === 0) this.#groups.delete(key);
    } else if (known === member) this.#groups.delete(key);
  }

  /** In the order in which they were added. */
  of(key: K): V[] {
    const known = this.#groups.get(key);
    if (known === undefined) return [];
    return known instanceof Set ? [...known] : [known];
  }
}
