import * as z from 'zod/mini'
import { schemaIssues } from '../../model/schema-issues.ts'
import { DOOR, type WithDoor } from '../door.ts'
import { asDescribed, choice, described, listOf, META, moment, strict, text, whole } from './fields.ts'
import { invalid } from './problems.ts'
import type { Read } from './reply.ts'

const WINDOW = { type: ['integer', 'null'], minimum: 0 }

const limits = asDescribed({
  description: 'How many uses a window allows; null lifts a default where the maximum allows it, 0 refuses all.',
  anyOf: [
    {
      type: 'object',
      properties: { second: WINDOW, minute: WINDOW, hour: WINDOW, day: WINDOW, week: WINDOW },
      additionalProperties: false,
    },
    {
      type: 'array',
      maxItems: 8,
      items: {
        type: 'object',
        required: ['name', 'limit', 'window'],
        properties: {
          name: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,32}$' },
          limit: WINDOW,
          window: { type: ['integer', 'string'], description: "Milliseconds, or text such as '10s'." },
        },
        additionalProperties: false,
      },
    },
  ],
})

const metadata = asDescribed({
  description: 'JSON that is kept with the key: at most 16 KiB and five levels.',
  type: 'object',
  additionalProperties: true,
})

const credits = strict(
  {
    remaining: whole(0, 'What is free of the balance.'),
    refill: z.optional(
      strict({
        amount: whole(1, 'What the balance is set back to.'),
        every: text(20, "When: 'day', 'week', 'month', or hours such as '6h'."),
      }),
    ),
  },
  { description: 'Prepaid credit of the key.' },
)

const fields = {
  name: text(100, 'What people call the key: one line.'),
  description: text(1000, 'What the key is for.'),
  scopes: listOf(text(128, 'Segments joined by :, with * only as the last.'), 0, 200, 'What the key may do.'),
  limits,
  allowedIps: listOf(
    text(64, 'An address or a CIDR block.'),
    1,
    1000,
    'From where it may be used; absent, from anywhere.',
  ),
  expiresAt: moment('When the key ends by itself.'),
  credits,
  metadata,
}

/** The body of `POST /`. Whose key it is, the host says, never the body. */
export const createKey = strict(
  {
    ...mapShape(fields, z.optional),
    resource: z.optional(text(256, "The one resource that the key works for, such as 'agent:42'.")),
    environment: z.optional(text(64, 'Which of the prefixes to use, where there are several.')),
  },
  { description: 'What a new key is to be.' },
)

/** The body of `PATCH /{id}`. */
export const updateKey = strict(
  {
    ...mapShape(fields, (schema) => z.optional(z.nullable(schema))),
    previousSecretUntil: z.optional(z.nullable(moment('Until when the replaced secret works; null ends it now.'))),
  },
  { description: 'What is to change: null clears a field, an absent one stays.' },
)

/** What a body may say of a key. */
export const KEY_FIELDS = [
  'name',
  'description',
  'scopes',
  'limits',
  'allowedIps',
  'expiresAt',
  'credits',
  'metadata',
  'resource',
  'environment',
  'previousSecretUntil',
] as const
export type KeyField = (typeof KEY_FIELDS)[number]

/** The bodies that say what a key is to be. */
export interface Bodies {
  readonly createKey: typeof createKey
  readonly updateKey: typeof updateKey
}

/** Those of these fields that can be set on an instance: a store that keeps no balances has no `credits`. */
export function settable(
  fields: readonly KeyField[] | undefined,
  keys: WithDoor | undefined,
): readonly KeyField[] | undefined {
  if (keys === undefined || keys[DOOR].making.keepsCredits) return fields
  return (fields ?? KEY_FIELDS).filter((field) => field !== 'credits')
}

/** Those bodies with these fields alone: any other is refused as one that nobody knows. */
export function bodiesOf(fields: readonly KeyField[] | undefined): Bodies {
  if (fields === undefined) return { createKey, updateKey }
  return {
    createKey: described(z.pick(createKey, only(createKey.shape, fields)), META.get(createKey) ?? {}),
    updateKey: described(z.pick(updateKey, only(updateKey.shape, fields)), META.get(updateKey) ?? {}),
  }
}

/** Which members of a shape are to stay. */
function only<Shape extends object>(shape: Shape, fields: readonly string[]): { [Name in keyof Shape]?: true } {
  const mask: { [Name in keyof Shape]?: true } = {}
  for (const name in shape) if (Object.hasOwn(shape, name) && fields.includes(name)) mask[name] = true
  return mask
}

/** The body of `POST /{id}/rotate`. */
export const rotateKey = strict({
  overlap: asDescribed({
    description: "How long the replaced secret still works: milliseconds, or text such as '24h'; 0 ends it now.",
    anyOf: [
      { type: 'integer', minimum: 0 },
      { type: 'string', pattern: '^\\d{1,9}(ms|s|m|h|d|w)$' },
    ],
  }),
})

/** The body of `POST /{id}/revoke`, which may be left out. */
export const revokeKey = strict({ reason: z.optional(text(500, 'Why; kept with the record.')) })

/** The body of `POST /{id}/disable` and `/enable`, which may be left out: nothing. */
export const nothing = strict({})

export const STATUSES = ['active', 'disabled', 'expired', 'revoked'] as const

/** The query of `GET /`. */
export const listQuery = strict({
  status: z.optional(choice(STATUSES, 'Only keys of this status.')),
  resource: z.optional(text(256, 'Only keys of this resource.')),
  name: z.optional(text(100, 'Only keys of exactly this name.')),
  limit: z.optional(
    whole(1, 'At most so many: 1 to 100, 50 if it is not said.').check(z.lte(100, 'must be at most 100')),
  ),
  cursor: z.optional(text(1000, 'Where the page before ended.')),
})

/** The query of `GET /audit`. */
export const auditQuery = strict({
  key: z.optional(text(100, 'Only what was done to the key of this id, which may be gone.')),
  actor: z.optional(text(256, 'Only what exactly this actor did.')),
  limit: listQuery.shape.limit,
  cursor: listQuery.shape.cursor,
})

function mapShape<T extends Record<string, z.ZodMiniType>, R extends z.ZodMiniType>(
  shape: T,
  change: (schema: z.ZodMiniType) => R,
): { [name in keyof T]: R } {
  return Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, change(schema)])) as never
}

/** What a schema makes of a value, or the answer that names each field that is wrong. */
export function check<T extends z.ZodMiniType>(schema: T, value: unknown): Read<z.output<T>> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return { ok: true, value: parsed.data }
  return { ok: false, reply: invalid(parsed.error.issues.flatMap(schemaIssues)) }
}

/** What the routes read, by the names that the document gives. */
const BODIES = {
  RotateKey: rotateKey,
  RevokeKey: revokeKey,
  Limits: limits,
  Credits: credits,
  Metadata: metadata,
}

/**
 * The schemas as the document's components: these, and those that bodies are read with.
 * @param answers what the routes answer, by name
 */
export function components(
  answers: Readonly<Record<string, z.ZodMiniType>>,
  fields: readonly KeyField[] | undefined,
): Record<string, Record<string, unknown>> {
  const named = z.registry<{ id: string }>()
  const bodies = bodiesOf(fields)
  const all = { CreateKey: bodies.createKey, UpdateKey: bodies.updateKey, ...BODIES, ...answers }
  for (const [id, schema] of Object.entries(all)) named.add(schema, { id })
  const uri = (id: string) => `#/components/schemas/${id}`
  const { schemas } = z.toJSONSchema(named, { metadata: META as never, uri, io: 'input' })
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema as Record<string, unknown>]),
  )
}
