import modules from 'node:module'
import { redact } from './redact.ts'

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

/** What to do about a package that `requireFromHere` could not load: to install what is there already would not help. */
export function howToHave(name: string, error: unknown): string {
  const install = `npm install ${name}`
  const [why, ...causes] = chainOf(error)
  if (why === undefined || (/^Cannot find (module|package) /.test(why.message) && why.message.includes(`'${name}'`)))
    return install
  // A loader that tries several binaries says of each what came of it.
  const told = [why, ...causes].map(({ code, message }) => {
    const [line] = message.split('\n', 1)
    return code === undefined ? line : `${code}, ${line}`
  })
  return `${install} (what is installed could not be loaded: ${redact(told.join('; '))})`
}

function chainOf(error: unknown): readonly (Error & { readonly code?: string })[] {
  return error instanceof Error ? [error, ...chainOf(error.cause)] : []
}
