import { codeAt } from './code-at.ts'

/**
 * The values of digits by character code, below 128, and -1 for what is no digit. Looked up and not asked for, because
 * no processor foresees whether the next of random digits is a letter: each wrong guess costs as much as ten look-ups.
 * @param alphabets each from the digit for 0 on
 */
export function digitValues(...alphabets: readonly string[]): Int8Array {
  const values = new Int8Array(128).fill(-1)
  for (const alphabet of alphabets) {
    for (let value = 0; value < alphabet.length; value++) values[codeAt(alphabet, value)] = value
  }
  return values
}
