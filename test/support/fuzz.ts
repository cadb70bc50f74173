import fc from 'fast-check'
import { KeywardError } from 'keyward'
import { expect } from 'vitest'
import { codeOf } from './outcome.ts'

/** Values of every kind that JavaScript has. */
export const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
})

/** What an act comes to: `'done'`, or the code of an error of ours. Anything else that is thrown fails the test. */
async function outcomeOf(act: () => unknown): Promise<string> {
  try {
    const result: unknown = await act()
    return typeof result === 'object' && result !== null && 'ok' in result ? codeOf(result as never) : 'done'
  } catch (error) {
    if (error instanceof KeywardError) return error.code
    throw error
  }
}

/** Runs an act with many inputs: whatever comes of it must be among these outcomes. */
export async function survives<T>(
  input: fc.Arbitrary<T>,
  act: (given: T) => unknown,
  outcomes: readonly string[],
  runs = 1000,
) {
  const property = fc.asyncProperty(input, async (given) => {
    expect(outcomes).toContain(await outcomeOf(() => act(given)))
  })
  await fc.assert(property, { numRuns: runs })
}

/** Pieces of which headers and keys are made, and what breaks them. */
const PIECES = [
  ...['Bearer', 'bearer', 'Basic', ' ', '  ', '\t', ',', ';', '=', '"', ':', '\0', '\r\n', '%00', '\u212a', '\ud800'],
  ...[
    'fuz_',
    'fuz_sec_',
    'fuz',
    '_',
    'Fuz_',
    '0'.repeat(12),
    '0'.repeat(32),
    '4gfFC3',
    'é',
    '\u{1f511}',
    'x'.repeat(600),
  ],
]
export const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 8 }).map((list) => list.join(''))

export const REFUSALS = ['missing_credentials', 'incomplete_credentials', 'ambiguous_credentials', 'invalid_key']
