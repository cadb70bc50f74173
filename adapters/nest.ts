import type { ApiKeys, ScopeKnownTo } from '../src/api-keys.ts'
import { BOOK, type Book, type GuardContext, needBook } from '../src/http/nest/book.ts'
import { type Decorator, type ParameterOfHandler, parameterOf, said } from '../src/http/nest/decorators.ts'
import { injects } from '../src/http/nest/metadata.ts'
import { type AsyncOptions, asyncModuleFor, type ModuleDefinition, moduleFor } from '../src/http/nest/module.ts'
import type { NestRequest } from '../src/http/nest/request.ts'
import type { Awaitable } from '../src/model/awaitable.ts'
import type { Demand } from '../src/model/demand.ts'
import type { Access } from '../src/model/verdict.ts'

export { type FetchHandler, mount, type Platform } from '../src/http/mount/node.ts'
export type { Decorator, ParameterOfHandler } from '../src/http/nest/decorators.ts'
export type { AsyncOptions, KeywardOptionsFactory, ModuleDefinition } from '../src/http/nest/module.ts'
export type { NestRequest } from '../src/http/nest/request.ts'

/** What `KeywardModule` is given. */
export interface KeywardModuleOptions {
  /** An instance, several, or several by name: `@ApiKey(demand, 'agents')` then admits the keys of that one alone. */
  readonly keys: ApiKeys | readonly ApiKeys[] | Readonly<Record<string, ApiKeys>>
  /** What is demanded wherever `@ApiKey` does not state the same field. */
  readonly demand?: Demand<string, NestRequest>
}

/** Gives the guards of an application its keys. Import it once; it is global. */
// biome-ignore lint/complexity/noStaticOnlyClass: a module of Nest is a class
export class KeywardModule {
  /** @throws KeywardError `CONFIG` for each wrong option */
  static forRoot(options: KeywardModuleOptions): ModuleDefinition {
    injects(KeywardGuard, BOOK)
    return moduleFor(KeywardModule, options)
  }

  /** The same, where other providers are needed to make the keys: `{ imports, inject, useFactory }`, as Nest has it. */
  static forRootAsync(options: AsyncOptions<KeywardModuleOptions>): ModuleDefinition {
    injects(KeywardGuard, BOOK)
    return asyncModuleFor(KeywardModule, options)
  }
}

/**
 * Guards each handler, by what `@ApiKey` demands of it, but for those that are `@Public()`: of the whole application as
 * `{ provide: APP_GUARD, useClass: KeywardGuard }`, or of a controller with `@UseGuards(KeywardGuard)`.
 */
export class KeywardGuard {
  readonly #book: Book

  /** @throws KeywardError `CONFIG` where no `KeywardModule` is imported */
  constructor(book: Book) {
    this.#book = needBook(book)
  }

  canActivate(context: GuardContext): Awaitable<boolean> {
    return this.#book.admit(context, true)
  }
}

/**
 * Guards a handler, or every handler of a controller, with or without `KeywardGuard`. A handler's demand is laid over
 * its controller's, field by field. A wrong one is told when Nest starts, as `CONFIG`.
 * @param keys the name of the one instance whose keys are meant, where `KeywardModule` was given several by name
 */
export function ApiKey<R extends object = NestRequest>(demand: Demand<string, R> = {}, keys?: string): Decorator {
  return said('@ApiKey()', { demand, keys })
}

/** `ApiKey` with the scopes of an instance: `const Key = apiKeyFor<typeof keys>()`, and then `@Key({ scopes: [...] })`. */
export function apiKeyFor<K extends ApiKeys | readonly ApiKeys[]>(keys?: string) {
  return <R extends object = NestRequest>(demand: Demand<ScopeKnownTo<K>, R> = {}): Decorator => ApiKey(demand, keys)
}

/** Opens a handler, or every handler of a controller, that a guard would keep. */
export function Public(): Decorator {
  return said('@Public()', { open: true })
}

/** The identity, or one field of it, as a parameter of a handler. It throws `CONFIG` where no guard stands before it. */
export function CurrentApiKey(field?: keyof Access): ParameterOfHandler {
  return parameterOf(field)
}
