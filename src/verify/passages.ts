import type { Passage } from './attempt.ts'

/** What an instance admitted, by the framework's own request object. */
export interface Passages {
  get(request: object): Passage | undefined
  set(request: object, passage: Passage): void
}

/** What hangs on a request. Its members are private to the engine, so that no log of the request shows a key. */
class Held {
  readonly #request: object
  readonly #passage: Passage

  constructor(request: object, passage: Passage) {
    this.#request = request
    this.#passage = passage
  }

  /** Of this very object: a copy of a request, or one that inherits from it, is another request. */
  of(request: object): Passage | undefined {
    return this.#request === request ? this.#passage : undefined
  }
}

/**
 * Kept on the request itself: a WeakMap that gets an entry with every request costs the collector about as much as the
 * verification. Only what takes no member is remembered in one.
 */
export function createPassages(): Passages {
  const place = Symbol('keyward')
  const closed = new WeakMap<object, Passage>()
  return {
    get(request: { readonly [place]?: unknown }) {
      const held = request[place]
      return held instanceof Held ? held.of(request) : closed.get(request)
    },
    set(request: { [place]?: unknown }, passage) {
      try {
        request[place] = new Held(request, passage)
      } catch {
        closed.set(request, passage)
      }
    },
  }
}
