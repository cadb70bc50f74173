import type { AnswerChange, AnswerOverrides } from '../model/answer.ts'
import { flawed, flawedAt, type Issue } from '../model/errors.ts'
import { isObject, isRecord } from '../model/is-object.ts'
import { own } from '../model/own.ts'
import { show, unwanted } from '../model/redact.ts'
import { DENIALS, type DenialCode } from '../model/verdict.ts'
import { isWhole } from '../model/whole.ts'

const FIELDS = ['status', 'title', 'detail']

/**
 * Overrides, checked once.
 * @param where they stand, for the error
 * @throws KeywardError `CONFIG` that names each unknown code and each wrong value
 */
export function checkAnswers(answers: AnswerOverrides | undefined, where: string): AnswerOverrides | undefined {
  if (answers === undefined || typeof answers === 'function') return answers
  if (!isRecord(answers))
    throw flawedAt('CONFIG', 'answers', `must be an object or a function, not ${show(answers)}`, where)
  // Read once: what is checked is what is sent.
  const changes = Object.entries(answers).map(
    ([code, change]) => [code, isObject(change) ? own(change) : change] as const,
  )
  const issues = changes.flatMap(([code, change]) => flawsOf(code, change))
  if (issues.length > 0) throw flawed('CONFIG', issues, { where })
  return own(Object.fromEntries(changes))
}

function flawsOf(code: string, change: unknown): readonly Issue[] {
  const path = `answers.${code}`
  if (!Object.hasOwn(DENIALS, code))
    return [{ path, message: unwanted(`is no code (${Object.keys(DENIALS).join(', ')})`, change) }]
  if (!isObject(change)) return [{ path, message: `must be an object, not ${show(change)}` }]
  return Object.entries(change).flatMap(([field, value]) => {
    const message = flawOf(field, value)
    return message === undefined ? [] : [{ path: `${path}.${field}`, message }]
  })
}

function flawOf(field: string, value: unknown): string | undefined {
  if (!FIELDS.includes(field)) return unwanted(`is not one of ${FIELDS.join(', ')}`, value)
  if (field !== 'status')
    return typeof value === 'string' && value !== '' ? undefined : `must be text, not ${show(value)}`
  return isRefusal(value) ? undefined : `must be a status from 400 to 599, not ${show(value)}`
}

/** A refusal stays one, whatever else is changed of it. */
export function isRefusal(status: unknown): status is number {
  return isWhole(status, 400, 599)
}

/** What changes by code change of one. */
export function changeOf(code: DenialCode, answers: AnswerOverrides | undefined): AnswerChange | undefined {
  return typeof answers === 'object' ? answers[code] : undefined
}
