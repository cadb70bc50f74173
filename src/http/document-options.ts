import type { Issue } from '../model/errors.ts'
import { isRecord } from '../model/is-object.ts'
import { own } from '../model/own.ts'
import { show, unwanted } from '../model/redact.ts'

const isText = (value: unknown): boolean => typeof value === 'string'

/** A requirement names schemes, each with the scopes that it needs. */
const isRequirement = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every((scopes) => Array.isArray(scopes) && scopes.every(isText))

const RULES: Readonly<Record<string, readonly [holds: (value: unknown) => boolean, rule: string]>> = {
  title: [isText, 'must be text'],
  version: [isText, 'must be text'],
  securitySchemes: [isRecord, 'must be an object of security schemes by their names'],
  security: [
    (value) => Array.isArray(value) && value.every(isRequirement),
    'must be a list of requirements such as { session: [] }',
  ],
}
const NO_MEMBER = `is not an option (${Object.keys(RULES).join(', ')})`

/** What is wrong with them, each thing with its path. */
export function documentFlaws(document: unknown): readonly Issue[] {
  if (!isRecord(document)) return [{ path: 'document', message: `must be an object, not ${show(document)}` }]
  return Object.entries(own(document)).flatMap(([name, value]): Issue[] => {
    const path = `document.${name}`
    const [holds, rule] = (Object.hasOwn(RULES, name) && RULES[name]) || []
    if (holds === undefined) return [{ path, message: unwanted(NO_MEMBER, value) }]
    return value === undefined || holds(value) ? [] : [{ path, message: `${rule}, not ${show(value)}` }]
  })
}
