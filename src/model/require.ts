import { createRequire } from 'node:module'

/** Loads a package that the host may have installed. Where a bundler has made CommonJS of us, a module has no URL. */
export function requireFromHere(name: string): unknown {
  return createRequire(import.meta.url ?? __filename)(name)
}
