import { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { Held, seatOf } from '../model/attached.ts'
import type { Admitted } from '../model/verdict.ts'
import { identify } from './identity.ts'

/** With what a request was admitted last. */
const SHOWN = Symbol('keyward.shown')

type Shown = Held<Pick<Admitted, 'access'>>

/** Whether requests of a class show their identity: by the class that they have at once, looked at when first seen. */
const classes = new WeakMap<object, boolean>()

/**
 * `apiKey` of a class of requests, in the shape that Fastify wants it in, too. What is made of a request, and shares the
 * state of its stream, shows the same identity until it has one of its own.
 */
export const apiKey = {
  getter(this: { readonly [SHOWN]?: Shown; readonly _readableState?: { readonly [SHOWN]?: Shown } }) {
    return (this[SHOWN] ?? this._readableState?.[SHOWN])?.value.access
  },
  /** What somebody else puts there lies on the request itself, and is seen in place of ours until the next guard. */
  setter(this: object, value: unknown) {
    if (classes.has(this)) classes.set(this, false)
    Object.defineProperty(this, 'apiKey', { value, writable: true, enumerable: true, configurable: true })
  },
}

/**
 * Shows the identity that a request was admitted with: as a member of the request's class, as decorators of Fastify are,
 * so that it is made when it is first read. For Express that also spares a member of the request, which would be the
 * dearest part of a guard (`seatOf`). Where the class is not the framework's own, it is a member of the request.
 */
export function showIdentity(host: object, admitted: Pick<Admitted, 'access'>): void {
  const seat: { [SHOWN]?: Shown } = seatOf(host)
  const earlier = seat[SHOWN]
  const isCopy = earlier !== undefined && earlier.of(host) === undefined
  if (isCopy || Object.hasOwn(host, 'apiKey') || !shows(Object.getPrototypeOf(host))) {
    identify(host, admitted.access)
    return
  }
  // What an earlier guard proved stays where this one admits without any.
  if (earlier === undefined || admitted.access !== undefined) seat[SHOWN] = new Held(host, admitted)
}

/** Whether a guard stood before a request, or it was said that none does. */
export function isIdentityShown(host: object): boolean {
  return Object.hasOwn(host, 'apiKey') || SHOWN in seatOf(host)
}

function shows(type: object | null): boolean {
  if (type === null) return false
  const known = classes.get(type)
  if (known !== undefined) return known
  const made = teach(type)
  classes.set(type, made)
  return made
}

/** Gives a class its `apiKey`. @returns whether it shows what we put there, and not somebody else */
function teach(type: object): boolean {
  const owner = ownerOf(type)
  if (owner === undefined) return false
  for (let at: object | null = type; at !== null; at = Object.getPrototypeOf(at)) {
    const member = Object.getOwnPropertyDescriptor(at, 'apiKey')
    if (member !== undefined) return member.get === apiKey.getter
  }
  return Reflect.defineProperty(owner, 'apiKey', { get: apiKey.getter, set: apiKey.setter, enumerable: true })
}

/**
 * Whose member it may be: nothing of Node's, nor what all objects inherit from. Express hands a request from one
 * application to another, each with a class of its own: what is above them all stays.
 */
function ownerOf(type: object): object | undefined {
  if (!(type instanceof IncomingMessage)) {
    return type instanceof Readable || Object.getPrototypeOf(type) === null ? undefined : type
  }
  const above = Object.getPrototypeOf(type)
  return above === IncomingMessage.prototype ? type : ownerOf(above)
}
