import type { AnswerChange, AnswerOverrides } from '../model/answer.ts'
import { flawed, type Issue, type KeywardError } from '../model/errors.ts'
import { own } from '../model/own.ts'
import { show, unwanted } from '../model/redact.ts'
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
    return [{ path: code, message: unwanted(`is no code of a refusal (${Object.keys(DENIALS).join(', ')})`, change) }]
  if (typeof change !== 'object' || change === null)
    return [{ path: code, message: `must be an object, not ${show(change)}` }]
  return Object.entries(change).flatMap(([field, value]) => {
    if (!FIELDS.includes(field)) {
      return [{ path: `${code}.${field}`, message: unwanted(`is not one of ${FIELDS.join(', ')}`, value) }]
    }
    const rule = ruleFor(field, value)
    return rule === undefined ? [] : [{ path: `${code}.${field}`, message: `${rule}, not ${show(value)}` }]
  })
}

function ruleFor(field: string, value: unknown): string | undefined {
  if (field === 'status') return isRefusal(value) ? undefined : 'must be a status from 400 to 599'
  return typeof value === 'string' && value !== '' ? undefined : 'must be text'
}

/** A refusal stays one, whatever else is changed of it. */
export function isRefusal(status: unknown): status is number {
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599
}

function config(issues: readonly Issue[]): KeywardError {
  const placed = issues.map(({ path, message }) => ({ path: `answers${path && `.${path}`}`, message }))
  return flawed('CONFIG', placed, {})
}

/** What changes by code change of one. */
export function changeOf(code: DenialCode, answers: AnswerOverrides | undefined): AnswerChange | undefined {
  return typeof answers === 'object' ? answers[code] : undefined
}
