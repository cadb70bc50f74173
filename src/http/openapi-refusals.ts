/** A refusal, as far as a document tells of it. */
export interface ToldRefusal {
  readonly status: number
  readonly title: string
}

/**
 * Refusals by status: one answer may stand for several of them.
 * @param schema of what they are told with
 */
export function byStatus(told: readonly ToldRefusal[], schema: object): Record<string, unknown> {
  const statuses = [...new Set(told.map(({ status }) => status))].sort()
  return Object.fromEntries(
    statuses.map((status) => {
      const titles = new Set(told.filter((one) => one.status === status).map(({ title }) => title))
      const content = { 'application/problem+json': { schema } }
      return [String(status), { description: [...titles].join(', or '), content }]
    }),
  )
}
