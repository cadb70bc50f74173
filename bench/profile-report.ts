/** Where a variant spends its time. */
export interface Profile {
  readonly name: string
  /** Of each function itself, the largest first. */
  readonly shares: readonly { readonly of: string; readonly share: number }[]
}

/** Functions that are shown of each. */
const SHOWN = 12

/** The profiles, as Markdown. */
export function profileTable({ name, shares }: Profile): string {
  const shown = shares.slice(0, SHOWN)
  const rest = shares.slice(SHOWN).reduce((sum, { share }) => sum + share, 0)
  const rows = [...shown, { of: `${shares.length - shown.length} others`, share: rest }]
  return [
    `## ${name}`,
    '',
    '| function | of the time |',
    '|---|--:|',
    ...rows.map(({ of, share }) => `| ${of} | ${(share * 100).toFixed(1)} % |`),
  ].join('\n')
}
