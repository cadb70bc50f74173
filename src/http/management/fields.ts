import * as z from 'zod/mini'
import { show } from '../../model/redact.ts'

/** What the OpenAPI document says of a schema beyond its type. */
interface Meta {
  readonly description?: string
  readonly [member: string]: unknown
}

/** What is known of the schemas of the management routes. */
export const META = z.registry<Meta>()

export function described<T extends z.ZodMiniType>(schema: T, meta: Meta): T {
  META.add(schema, meta as never)
  return schema
}

/** Text of 1 to so many characters. What it may contain, the verb says. */
export function text(longest: number, description: string) {
  const error = rule(`must be text of 1 to ${longest} characters`)
  return described(z.string(error).check(z.minLength(1, error), z.maxLength(longest, error)), { description })
}

/** A moment. Whether it lies ahead, the verb says. */
export function moment(description: string) {
  return described(z.string(rule('must be an ISO 8601 time with a zone')), { format: 'date-time', description })
}

export function whole(least: number, description: string) {
  const error = rule(`must be a whole number ≥ ${least}`)
  return described(z.int(error).check(z.gte(least, error)), { description })
}

export function listOf<T extends z.ZodMiniType>(item: T, least: number, most: number, description: string) {
  const error = rule(`must be a list of ${least} to ${most}`)
  return described(z.array(item, error).check(z.minLength(least, error), z.maxLength(most, error)), { description })
}

export function choice<const T extends string>(values: readonly T[], description: string) {
  return described(z.enum(values, rule(`must be one of ${values.join(', ')}`)), { description })
}

/** What is there, and the verb reads by itself, and says more exactly what is wrong with. */
export function asDescribed(meta: Meta) {
  return described(z.unknown().check(z.refine((value) => value !== undefined, 'must be given')), meta)
}

/** An object of these members and no others. */
export function strict<T extends z.core.$ZodLooseShape>(shape: T, meta: Meta = {}) {
  return described(z.strictObject(shape, rule('must be an object')), meta)
}

/** A message that shows the value which breaks the rule. */
function rule(message: string) {
  return { error: ({ input }: { readonly input?: unknown }) => `${message}, not ${show(input)}` }
}
