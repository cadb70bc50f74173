/** What is known of objects, such as a framework's requests, for as long as they live. */
export interface Attached<Value> {
  get(host: object): Value | undefined
  set(host: object, value: Value): void
}

/** What hangs on such an object. Its members are private to the engine, so that no log of the object shows a key. */
class Held<Value> {
  readonly #host: object
  readonly #value: Value

  constructor(host: object, value: Value) {
    this.#host = host
    this.#value = value
  }

  /** The same of another object, which takes the place of this one. */
  movedTo(host: object): Held<Value> {
    return new Held(host, this.#value)
  }

  /** Of this very object: a copy of a request, or one that inherits from it, is another request. */
  of(host: object): Value | undefined {
    return this.#host === host ? this.#value : undefined
  }
}

/** Attaches to a copy of a request what is attached to the request, for every instance. */
export function carry(from: object, to: object): void {
  for (const place of Object.getOwnPropertySymbols(from)) {
    const held: unknown = Reflect.get(from, place)
    if (held instanceof Held) Reflect.set(to, place, held.movedTo(to))
  }
}

/**
 * Kept on the object itself: a WeakMap that gets an entry with every request costs the collector about as much as the
 * verification. Only what takes no member is remembered in one.
 */
export function attach<Value>(): Attached<Value> {
  const place = Symbol('keyward')
  const closed = new WeakMap<object, Value>()
  return {
    get(host: { readonly [place]?: unknown }) {
      const held = host[place]
      return held instanceof Held ? (held as Held<Value>).of(host) : closed.get(host)
    },
    set(host: { [place]?: unknown }, value) {
      try {
        host[place] = new Held(host, value)
      } catch {
        closed.set(host, value)
      }
    },
  }
}
