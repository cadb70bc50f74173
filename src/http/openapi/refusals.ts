import type { AnswerOverrides } from '../../model/answer.ts'
import { DENIALS, type DenialCode } from '../../model/verdict.ts'
import { changeOf } from '../answer-overrides.ts'
import { WORDING } from '../wording.ts'

/** A refusal, as far as a document tells of it. */
export interface ToldRefusal {
  readonly status: number
  readonly title: string
}

/** What a code is told as. @param answers the host's, those that count most first */
export function toldAs(code: DenialCode, answers: readonly (AnswerOverrides | undefined)[]): ToldRefusal {
  const changes = answers.map((given) => changeOf(code, given))
  const { status = DENIALS[code] } = changes.find((change) => change?.status !== undefined) ?? {}
  const { title = WORDING[code].title } = changes.find((change) => change?.title !== undefined) ?? {}
  return { status, title }
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
