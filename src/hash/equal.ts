import { codeAt } from '../model/code-at.ts'

/**
 * Whether a text is made of these units, in time that depends on the lengths alone: all of both is looked at, whatever
 * the beginning said. A digest is a text, a character for two bytes, because a Buffer of it costs more than the hash.
 */
export function equalUnits(text: string, units: Uint16Array | undefined): boolean {
  if (units === undefined || text.length !== units.length) return false
  let difference = 0
  for (let i = 0; i < units.length; i++) difference |= codeAt(text, i) ^ (units[i] as number)
  return difference === 0
}

/** The units of a text. */
export function unitsOf(text: string): Uint16Array {
  const units = new Uint16Array(text.length)
  for (let i = 0; i < text.length; i++) units[i] = codeAt(text, i)
  return units
}
