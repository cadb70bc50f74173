import type { Awaitable } from '../../model/awaitable.ts'
import { KeywardError } from '../../model/errors.ts'
import { BOOK, createBook } from './book.ts'
import type { Class, Name } from './metadata.ts'
import type { BookOptions } from './rules.ts'

/** What Nest's container knows things by. */
type Token = Name | Class

/** A provider of the options of `KeywardModule`. */
export interface KeywardOptionsFactory<Options> {
  createKeywardOptions(): Awaitable<Options>
}

type FactoryClass<Options> = abstract new (...args: never[]) => KeywardOptionsFactory<Options>

/** How options are come by when other providers are needed for them: one of `useFactory`, `useClass`, `useExisting`. */
export interface AsyncOptions<Options> {
  /** Modules whose providers are injected. */
  readonly imports?: readonly object[]
  readonly inject?: readonly (Token | { readonly token: Token; readonly optional: boolean })[]
  readonly useFactory?: (...injected: never[]) => Awaitable<Options>
  readonly useClass?: FactoryClass<Options>
  readonly useExisting?: FactoryClass<Options>
}

/** A dynamic module of Nest. What its lists hold is Nest's own: `never` fits whatever type Nest has for it. */
export interface ModuleDefinition {
  readonly module: new () => object
  readonly global: true
  imports: never[]
  providers: never[]
  exports: symbol[]
}

/** @throws KeywardError `CONFIG` for each wrong option */
export function moduleFor(module: new () => object, options: BookOptions): ModuleDefinition {
  return definitionOf(module, [{ provide: BOOK, useValue: createBook(options) }])
}

/** @throws KeywardError `CONFIG` where not exactly one way is stated; wrong options are told when Nest starts */
export function asyncModuleFor(module: new () => object, options: AsyncOptions<BookOptions>): ModuleDefinition {
  const { imports = [], inject = [], useFactory, useClass, useExisting } = options
  const stated = [useFactory, useClass, useExisting].filter((way) => way !== undefined)
  if (stated.length !== 1) {
    throw new KeywardError('CONFIG', 'KeywardModule.forRootAsync needs one of useFactory, useClass and useExisting')
  }
  const factory = useClass ?? useExisting
  const make = async (...injected: never[]) =>
    createBook((await (factory === undefined ? useFactory?.(...injected) : optionsOf(injected[0]))) as BookOptions)
  const book = { provide: BOOK, useFactory: make, inject: factory === undefined ? inject : [factory] }
  return definitionOf(module, useClass === undefined ? [book] : [useClass, book], imports)
}

function optionsOf(factory: KeywardOptionsFactory<BookOptions> | undefined): Awaitable<BookOptions> | undefined {
  return factory?.createKeywardOptions()
}

function definitionOf(
  module: new () => object,
  providers: readonly unknown[],
  imports: readonly unknown[] = [],
): ModuleDefinition {
  return { module, global: true, imports: imports as never[], providers: providers as never[], exports: [BOOK] }
}
