import type { Awaitable } from '../../model/awaitable.ts'
import { KeywardError } from '../../model/errors.ts'
import { isRecord } from '../../model/is-object.ts'
import { show } from '../../model/redact.ts'
import type { Access } from '../../model/verdict.ts'
import { isIdentityShown } from '../shown-identity.ts'
import { BOOK, type Book, type GuardContext, needBook } from './book.ts'
import { type Layer, layerAt, putLayer } from './layers.ts'
import { type Class, fillParameter, guardWith, injects, metadata, type Name } from './metadata.ts'
import { type RequestContext, requestOf } from './request.ts'

/** A decorator for a controller or for a handler. */
export type Decorator = (target: object, name?: Name, descriptor?: PropertyDescriptor) => void

/** A decorator for a parameter of a handler. */
export type ParameterOfHandler = (target: object, name: Name | undefined, index: number) => void

const CHECK = 'keyward:check'

/** @throws KeywardError `CONFIG` for a demand that is none, and what the decorator throws */
export function said(decorator: string, layer: Layer): Decorator {
  if (!layer.open && !isRecord(layer.demand)) {
    throw config(`the demand of ${decorator} must be an object, not ${show(layer.demand)}`)
  }
  return (target, name, descriptor) => {
    const isClass = typeof target === 'function' && name === undefined
    const isMethod = typeof target === 'object' && typeof descriptor?.value === 'function'
    if (!isClass && !isMethod) {
      throw config(`${decorator} belongs before a class or a method of one, with experimentalDecorators of TypeScript`)
    }
    const owner = (isClass ? target : target.constructor) as Class
    if (layerAt(owner, name) !== undefined) {
      throw config(`${owner.name}${isClass ? '' : `.${String(name)}`} has more than one of @ApiKey() and @Public()`)
    }
    putLayer(owner, name, layer)
    const check = layer.open ? undefined : checkOf(owner)
    if (!isMethod) return
    // A function takes both along to a class that it is copied to.
    putLayer(descriptor.value, undefined, layer)
    if (check !== undefined) guardWith(descriptor.value, check)
  }
}

/** By the class, which keeps its guard: a method loses its own to any decorator that puts another function there. */
function checkOf(owner: Class): Class {
  const known = metadata().getOwnMetadata(CHECK, owner) as Class | undefined
  if (known !== undefined) return known
  const check = checkFor(owner)
  metadata().defineMetadata(CHECK, check, owner)
  injects(check, BOOK)
  guardWith(owner, check)
  return check
}

/** The guard of a controller of which something is demanded. Nest makes it at the start, with the book. */
function checkFor(owner: Class): Class {
  return class ApiKeyCheck {
    readonly #book: Book

    constructor(book: Book) {
      this.#book = needBook(book)
      this.#book.read(owner)
    }

    canActivate(context: GuardContext): Awaitable<boolean> {
      return this.#book.admit(context, false)
    }
  }
}

/** A parameter that is the identity, or a field of it. */
export function parameterOf(field: keyof Access | undefined): ParameterOfHandler {
  return (target, name, index) => {
    if (name === undefined) throw config('@CurrentApiKey() belongs before a parameter of a handler')
    fillParameter(target, name, index, (_data, context: RequestContext) => {
      const request: { apiKey?: Access } = requestOf(context)
      if (!isIdentityShown(request)) {
        throw config('@CurrentApiKey() is of a handler that no guard stands before: add @ApiKey(), or use KeywardGuard')
      }
      return field === undefined ? request.apiKey : request.apiKey?.[field]
    })
  }
}

function config(message: string): KeywardError {
  return new KeywardError('CONFIG', message)
}
