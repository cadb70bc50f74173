import type { AnswerChange, AnswerOverrides } from '../model/answer.ts'
import { type Issue, KeywardError } from '../model/errors.ts'
import { own } from '../model/own.ts'
import { show } from '../model/redact.ts'
import { DENIALS, type DenialCode } from '../model/verdict.ts'

const FIELDS = ['status', 'title', 'detail']

/**
 * Overrides, checked once.
 * @throws KeywardError `CONFIG` that names each unknown code and each wrong value
 */
export function checkAnswers(answers: AnswerOverrides | undefined): AnswerOverrides | undefined {
  if (answers === undefined || typeof answers === 'function') return answers
  if (typeof answers !== 'object' || answers === null || Array.isArray(answers))
    throw config([{ path: '', message: `must be an object or a function, not ${show(answers)}` }])
  const changes = Object.entries(answers)
  const issues = changes.flatMap(([code, change]) => flawsOf(code, change))
  if (issues.length > 0) throw config(issues)
  return own(Object.fromEntries(changes.map(([code, change]) => [code, own(change)])))
}

function flawsOf(code: string, change: unknown): readonly Issue[] {
  if (!Object.hasOwn(DENIALS, code))
    return [{ path: code, message: `is no code of a refusal (${Object.keys(DENIALS).join(', ')})` }]
  if (typeof change !== 'object' || change === null)
    return [{ path: code, message: `must be an object, not ${show(change)}` }]
  return Object.entries(change).flatMap(([field, value]) => {
    const rule = ruleFor(field, value)
    return rule === undefined ? [] : [{ path: `${code}.${field}`, message: `${rule}, not ${show(value)}` }]
  })
}

function ruleFor(field: string, value: unknown): string | undefined {
  if (!FIELDS.includes(field)) return `must be one of ${FIELDS.join(', ')}`
  if (field === 'status') return isRefusal(value) ? undefined : 'must be a status from 400 to 599'
  return typeof value === 'string' && value !== '' ? undefined : 'must be text'
}

/** A refusal stays one, whatever else is changed of it. */
export function isRefusal(status: unknown): status is number {
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599
}

function config(issues: readonly Issue[]): KeywardError {
  const text = issues.map(({ path, message }) => `answers${path && `.${path}`} ${message}`).join('; ')
  return new KeywardError('CONFIG', text, {
    issues: issues.map(({ path, message }) => ({ path: `answers${path && `.${path}`}`, message })),
  })
}

/** What these overrides change of one code, the later ones over the earlier. */
export function changeOf(code: DenialCode, overrides: readonly (AnswerOverrides | undefined)[]): AnswerChange {
  return own(
    Object.assign({}, ...overrides.map((answers) => (typeof answers === 'object' ? answers[code] : undefined))),
  )
}
