import * as modules from 'node:module'

/**
 * Loads a package that the host may have installed. In a bundle this module may have no URL, or one of the machine where
 * the bundle was made: then it is looked for from the program that runs.
 */
export function requireFromHere(name: string): unknown {
  // By a text, since webpack puts a function of its own, which finds nothing, in the place of one that it recognises.
  const createRequire: typeof modules.createRequire = Reflect.get(modules, 'createRequire')
  try {
    return createRequire(import.meta.url ?? __filename)(name)
  } catch (error) {
    const [, program] = process.argv
    if (program === undefined) throw error
    return createRequire(program)(name)
  }
}
