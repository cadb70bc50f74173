import { KeywardError } from '../../model/errors.ts'

/** A class as decorators and Nest's container see it: a name for an instance. */
export type Class = abstract new (...args: never[]) => object

export type Name = string | symbol

/** What `reflect-metadata` adds to `Reflect`; Nest loads it before anything of a program is decorated. */
interface Metadata {
  defineMetadata(key: string, value: unknown, target: object, name?: Name | undefined): void
  getMetadata(key: string, target: object, name?: Name | undefined): unknown
  getOwnMetadata(key: string, target: object, name?: Name | undefined): unknown
}

/**
 * Where Nest 11 and 12 look, so that none of it need be imported, and one copy of this entry serves any copy of Nest:
 * what the compiler writes with `emitDecoratorMetadata`, what `@UseGuards` writes, what `createParamDecorator` writes.
 */
const DEPENDENCIES = 'design:paramtypes'
const GUARDS = '__guards__'
const ARGUMENTS = '__routeArguments__'

/** @throws KeywardError `CONFIG` where `reflect-metadata` is not loaded, without which there is no Nest */
export function metadata(): Metadata {
  if ('defineMetadata' in Reflect) return Reflect as unknown as Metadata
  throw new KeywardError('CONFIG', "keyward/nest needs reflect-metadata: import 'reflect-metadata' first")
}

/** Says what Nest is to hand to the constructor of a class: `@Inject`, for a class of ours. */
export function injects(target: Class, ...tokens: readonly symbol[]): void {
  metadata().defineMetadata(DEPENDENCIES, tokens, target)
}

/** Puts a guard before the others of a controller or of a handler, so that these find the identity. */
export function guardWith(target: Class | Handler, guard: Class): void {
  const others = metadata().getMetadata(GUARDS, target) // also those of a class that it extends
  metadata().defineMetadata(GUARDS, [guard, ...(Array.isArray(others) ? others : [])], target)
}

/** Makes a parameter of a handler what `factory` gives. */
export function fillParameter<C>(
  target: object,
  name: Name,
  index: number,
  factory: (data: unknown, context: C) => unknown,
): void {
  const known = Object(metadata().getMetadata(ARGUMENTS, target.constructor, name)) as Record<string, { index: number }>
  const others = Object.entries(known).filter(([, argument]) => argument.index !== index)
  const own = { index, factory, data: undefined, pipes: [] }
  const all = { ...Object.fromEntries(others), [`keyward__customRouteArgs__:${index}`]: own }
  metadata().defineMetadata(ARGUMENTS, all, target.constructor, name)
}

/** A class and those that it extends, from the last to the first. */
export function lineOf(target: object): readonly Class[] {
  const line: Class[] = []
  let next: unknown = target
  while (typeof next === 'function' && next !== Function.prototype) {
    line.push(next as Class)
    next = Object.getPrototypeOf(next)
  }
  return line
}

/** A method of a controller, as Nest hands it out. */
export interface Handler {
  readonly name: string
}

/** The methods that a class declares itself, by name. */
export function methodsOf({ prototype }: Class): ReadonlyMap<Name, Handler> {
  const methods = new Map<Name, Handler>()
  for (const name of Reflect.ownKeys(Object(prototype))) {
    const value: unknown = Object.getOwnPropertyDescriptor(prototype, name)?.value
    if (typeof value === 'function' && name !== 'constructor') methods.set(name, value)
  }
  return methods
}
