import type { Issue } from './errors.ts'

/** What a schema finds wrong, as far as it is told. */
interface Found {
  readonly code: string
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly keys?: readonly unknown[]
}

/** One for each field: of members that nobody knows, each by its name. */
export function schemaIssues({ code, path, message, keys = [] }: Found): readonly Issue[] {
  if (code !== 'unrecognized_keys') return [{ path: path.join('.'), message }]
  return keys.map((key) => ({ path: [...path, key].join('.'), message: 'is not a field that can be given here' }))
}
