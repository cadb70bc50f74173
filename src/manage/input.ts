import * as z from 'zod/mini'
import type { Duration } from '../model/duration.ts'
import { parseDuration } from '../model/duration.ts'
import { flawed, type Issue, type KeywardError } from '../model/errors.ts'
import type { Metadata, Status } from '../model/key.ts'
import { inherited, own } from '../model/own.ts'
import { show } from '../model/redact.ts'
import { schemaIssues } from '../model/schema-issues.ts'
import { isWhole } from '../model/whole.ts'
import { beyondMax, type LimitMap, type LimitPlan } from '../policy/limits.ts'
import type { Vocabulary } from '../policy/scopes.ts'
import type {
  By,
  CreateBy,
  CreditBy,
  CreditsInput,
  ListOptions,
  RevokeAllOptions,
  RevokeOptions,
  UpdateBy,
} from './arguments.ts'
import * as field from './fields.ts'

/** A new key's fields as they are stored. */
export interface Draft {
  readonly owner: string
  readonly name?: string | undefined
  readonly description?: string | undefined
  readonly resource?: string | undefined
  readonly scopes?: readonly string[] | undefined
  readonly limits?: LimitMap | undefined
  readonly allowedIps?: readonly string[] | undefined
  readonly expiresAt?: number | undefined
  readonly environment?: string | undefined
  readonly credits?: CreditsInput | undefined
  readonly metadata?: Metadata | undefined
}

/** A patch as it is applied: `null` clears. */
export type Patch = {
  readonly [name in keyof Omit<Draft, 'owner' | 'resource' | 'environment'>]: Draft[name] | null
} & {
  readonly previousSecretUntil?: number | null | undefined
}

interface InputOptions {
  readonly vocabulary: Vocabulary | undefined
  readonly plan: LimitPlan
  readonly names: 'free' | 'required' | 'unique'
  readonly environments: readonly string[]
}

/** Reads what the verbs are given. Each throws a KeywardError `INPUT`. */
export interface Input {
  create(input: unknown, now: number): Draft
  patch(patch: unknown, now: number): Patch
  by(by: unknown): By
  creator(by: unknown): CreateBy
  crediting(by: unknown): CreditBy
  updater(by: unknown): UpdateBy
  list(options: unknown): ListOptions
  rotate(options: unknown): UpdateBy & { readonly overlap: number }
  revoke(options: unknown): RevokeOptions
  revokeAll(options: unknown): RevokeAllOptions
  /** Whose balance. */
  account(whom: unknown): { readonly id?: string | undefined; readonly owner?: string | undefined }
  /** How much to give. */
  amount(amount: unknown): number
}

const NAME = field.name(100)
const OWNER = field.line(256)
const RESOURCE = field.line(256)
const WHO = { actor: z.optional(field.line(256)), address: z.optional(field.line(64)) }
const BY = { ...WHO, owner: z.optional(OWNER), resource: z.optional(RESOURCE) }

export function createInput({ vocabulary, plan, names, environments }: InputOptions): Input {
  const CREATE = z.strictObject({
    owner: OWNER,
    name: names === 'free' ? z.optional(NAME) : NAME,
    description: z.optional(field.lines(1000)),
    resource: z.optional(RESOURCE),
    scopes: z.optional(field.scopes(vocabulary)),
    limits: z.optional(field.limits),
    allowedIps: z.optional(field.allowedIps),
    expiresAt: z.optional(field.moment),
    environment:
      environments.length === 0
        ? z.optional(z.custom<undefined>((value) => value === undefined, NO_ENVIRONMENTS))
        : oneOf(environments),
    credits: z.optional(field.credits),
    metadata: z.optional(field.metadata),
  })
  const PATCH = z.strictObject({
    name: z.optional(names === 'free' ? z.nullable(NAME) : NAME),
    description: z.optional(z.nullable(field.lines(1000))),
    scopes: z.optional(z.nullable(field.scopes(vocabulary))),
    limits: z.optional(z.nullable(field.limits)),
    allowedIps: z.optional(z.nullable(field.allowedIps)),
    expiresAt: z.optional(z.nullable(field.moment)),
    credits: z.optional(z.nullable(field.credits)),
    metadata: z.optional(z.nullable(field.metadata)),
    previousSecretUntil: z.optional(z.nullable(field.moment)),
  })

  return {
    create(input, now) {
      const draft = parse(CREATE, input)
      refuse([
        ...field.pastFlaw('expiresAt', draft.expiresAt, now),
        ...limitFlaws(draft.limits),
        ...scopeFlaws(draft.scopes ?? []),
      ])
      return draft
    },
    patch(input, now) {
      const patch = parse(PATCH, input)
      const late = [
        ...field.pastFlaw('expiresAt', patch.expiresAt, now),
        ...field.pastFlaw('previousSecretUntil', patch.previousSecretUntil, now),
      ]
      refuse([...late, ...limitFlaws(patch.limits ?? undefined), ...scopeFlaws(patch.scopes)])
      return patch
    },
    by: (by = {}) => parse(ONLY_BY, by, CONDITIONS),
    creator: (by = {}) => parse(CREATE_BY, by, CONDITIONS),
    updater: (by = {}) => parse(UPDATE_BY, by, CONDITIONS),
    // What a page is asked for is a search: what is undefined is not looked for.
    list: (options = {}) => parse(LIST, options),
    rotate: (options) => parse(ROTATE, options, CONDITIONS, options === undefined ? OVERLAP : undefined),
    revoke: (options = {}) => parse(REVOKE, options, CONDITIONS),
    revokeAll: (options = {}) => parse(REVOKE_ALL, options, CONDITIONS),
    crediting: (by = {}) => parse(CREDIT_BY, by, CONDITIONS),
    account: (whom) => parse(ACCOUNT, whom, CONDITIONS, '{ id } or { owner }'),
    amount: (amount) => parse(AMOUNT, { amount }).amount,
  }

  function limitFlaws(limits: LimitMap | undefined): readonly Issue[] {
    if (limits === undefined) return []
    return beyondMax(limits, plan).map(({ path, message }) => ({ path: `limits.${path}`, message }))
  }

  /** A key without scopes can do nothing where everything needs one: more likely a mistake than a wish. */
  function scopeFlaws(scopes: readonly string[] | null | undefined): readonly Issue[] {
    if (vocabulary === undefined || scopes === undefined || (scopes !== null && scopes.length > 0)) return []
    return [{ path: 'scopes', message: 'must name at least one' }]
  }
}

const NO_ENVIRONMENTS = 'must be left out: this instance has no environments'

function oneOf<T extends string>(values: readonly T[]) {
  return z.enum(values, { error: ({ input }) => `must be one of ${values.join(', ')}, not ${show(input)}` })
}

/** One that no vocabulary knows covers nothing. */
const GRANTS = { grants: z.optional(z.array(z.string(), 'must be a list of scopes')) }

// Not shown: who has it can ask for the same again.
const VISIBLE = 'must be 1 to 255 visible ASCII characters'
const ONCE = { idempotencyKey: z.optional(z.string(VISIBLE).check(z.regex(/^[\x21-\x7e]{1,255}$/, VISIBLE))) }

/** An owner that somebody forgot must not turn a condition into none, nor a role that nobody knows give every scope. */
const CONDITIONS = ['owner', 'resource', 'grants'] as const

/** What was read with conditions, none of which is `undefined`. */
type Given<T, Condition> = { [F in keyof T]: F extends Condition ? Exclude<T[F], undefined> : T[F] }

const ONLY_BY = z.strictObject(BY)
const CREATE_BY = z.strictObject({ ...BY, ...GRANTS, ...ONCE })
const CREDIT_BY = z.strictObject({ ...BY, ...ONCE })

const CHANGE_BY = {
  ...BY,
  ...GRANTS,
  when: z.optional(
    z.custom<NonNullable<UpdateBy['when']>>((value) => typeof value === 'function', 'must be a function'),
  ),
}
const UPDATE_BY = z.strictObject(CHANGE_BY)

const LIST = z.strictObject({
  ...WHO,
  owner: z.optional(OWNER),
  resource: z.optional(RESOURCE),
  status: z.optional(oneOf<Status>(['active', 'disabled', 'expired', 'revoked'])),
  name: z.optional(NAME),
  limit: z.optional(
    z.custom<number>((value) => isWhole(value, 1, 100), {
      error: ({ input }) => `must be a whole number from 1 to 100, not ${show(input)}`,
    }),
  ),
  cursor: z.optional(field.line(1000)),
})

const OVERLAP = "{ overlap: 0 } or { overlap: '24h' }"
const ROTATE = z.strictObject({
  ...CHANGE_BY,
  overlap: z.pipe(
    z.custom<Duration>((value) => parseDuration(value) !== undefined, {
      error: ({ input }) => `must be 0 or a time such as '24h', not ${show(input)}`,
    }),
    z.transform((value) => parseDuration(value) as number),
  ),
})

const REASON = { reason: z.optional(field.lines(500)) }
const REVOKE = z.strictObject({ ...CHANGE_BY, ...REASON })
const REVOKE_ALL = z.strictObject({ ...BY, ...REASON })

const ACCOUNT = z.strictObject({ id: z.optional(field.line(100)), owner: z.optional(OWNER) })
const AMOUNT = z.strictObject({
  amount: z.custom<number>((value) => isWhole(value, 1), {
    error: ({ input }) => `must be a whole number above 0, not ${show(input)}`,
  }),
})

/**
 * @param conditions members that may be left out, and not be `undefined`
 * @param wanted what it must be, where it is no object
 */
function parse<T extends z.ZodMiniObject, Condition extends string = never>(
  schema: T,
  input: unknown,
  conditions: readonly Condition[] = [],
  wanted = 'an object',
): Given<z.output<T>, Condition> {
  const path = inherited(Object(input), Object.keys(schema.shape))
  if (path !== undefined) throw refused([{ path, message: 'must be a member of the object itself, not of its class' }])
  if (!field.hasMembers(input)) throw refused([{ path: '', message: `must be ${wanted}, not ${field.named(input)}` }])
  const given = own(input) as Readonly<Record<string, unknown>>
  const missing = conditions.find((name) => name in given && given[name] === undefined)
  if (missing !== undefined) throw refused([{ path: missing, message: 'must not be undefined; leave it out' }])
  const parsed = schema.safeParse(given)
  if (parsed.success) return own(parsed.data as object) as Given<z.output<T>, Condition>
  throw refused(parsed.error.issues.flatMap(schemaIssues))
}

function refuse(issues: readonly Issue[]): void {
  if (issues.length > 0) throw refused(issues)
}

/** @returns the error of a value that is wrong */
export function refused(found: readonly Issue[]): KeywardError {
  return flawed('INPUT', found, { whole: 'input' })
}
