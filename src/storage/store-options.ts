import { KeywardError } from '../model/errors.ts'
import { isRecord } from '../model/is-object.ts'
import { own } from '../model/own.ts'
import { show } from '../model/redact.ts'

/**
 * The options of a function, each read once; those that were not given are `undefined`.
 * @throws KeywardError `CONFIG` for what is no object, and for an option that is none of these
 */
export function optionsOf<T extends object>(who: string, options: T, known: readonly (keyof T & string)[]): T {
  if (!isRecord(options)) {
    throw new KeywardError('CONFIG', `the options of ${who} must be an object, not ${show(options)}`)
  }
  const names: readonly string[] = known
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown !== undefined) throw new KeywardError('CONFIG', `${who} has no option ${show(unknown)}`)
  return own(options)
}
