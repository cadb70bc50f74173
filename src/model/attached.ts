import { isObject } from './is-object.ts'

/** What is known of objects, such as a framework's requests, for as long as they live. */
interface Attached<Value> {
  get(host: object): Value | undefined
  set(host: object, value: Value): void
}

/** What hangs on such an object. Its members are private to the engine, so that no log of the object shows a key. */
export class Held<Value> {
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

  /** Of whatever object. */
  get value(): Value {
    return this.#value
  }
}

/** Attaches to a copy of a request what is attached to the request, for every instance. */
export function carry(from: object, to: object): void {
  for (const place of Object.getOwnPropertySymbols(from)) {
    // By what it can do: the ESM and the CJS copy of this package take along what the other has attached.
    const held = Object(Reflect.get(from, place)) as Partial<Held<unknown>>
    if (typeof held.movedTo === 'function') Reflect.set(to, place, held.movedTo(to))
  }
}

/**
 * Where members are put that are to lie on an object. Each request of Express has a hidden class of its own, since Express
 * changes its prototype: on Node 20 one more member costs it 2 µs, and to look for one that is not there 0.3. The state of
 * its stream, which nobody replaces, has the class of all others.
 */
export function seatOf(host: object): object {
  const { _readableState: state } = host as { readonly _readableState?: unknown }
  return isObject(state) && Object.hasOwn(host, '_readableState') ? state : host
}

/**
 * Kept on the object itself: a WeakMap that gets an entry with every request costs the collector about as much as the
 * verification. Only what has no room is remembered in one: an object that takes no member, a copy that shares its seat.
 */
export function attach<Value>(): Attached<Value> {
  const place = Symbol('keyward')
  const others = new WeakMap<object, Value>()
  return { get, set }

  function get(host: object): Value | undefined {
    return heldAt(seatOf(host))?.of(host) ?? others.get(host)
  }

  function set(host: object, value: Value): void {
    const seat: { [place]?: unknown } = seatOf(host)
    const held = heldAt(seat)
    if (held !== undefined && held.of(host) === undefined) {
      others.set(host, value)
      return
    }
    try {
      seat[place] = new Held(host, value)
    } catch {
      others.set(host, value)
    }
  }

  function heldAt(seat: { readonly [place]?: unknown }): Held<Value> | undefined {
    const held = seat[place]
    return held instanceof Held ? held : undefined
  }
}
