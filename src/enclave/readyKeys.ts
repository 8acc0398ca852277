/** Keys that are held ready. All are let go when there are too many: those that are used come back. */
const READY = 4_096

/** Derived keys by name, each derived when it is first asked for. */
export class ReadyKeys<Key> {
  readonly #keys = new Map<string, Key>()

  get(name: string, derive: () => Key): Key {
    let key = this.#keys.get(name)
    if (key === undefined) {
      key = derive()
      if (this.#keys.size >= READY) this.#keys.clear()
      this.#keys.set(name, key)
    }
    return key
  }
}
