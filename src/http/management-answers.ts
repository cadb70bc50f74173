import * as z from 'zod/mini'
import { described } from './management-fields.ts'
import { createKey, STATUSES } from './management-schemas.ts'

const time = () => described(z.string(), { format: 'date-time' })

const record = described(
  z.object({
    id: described(z.string(), {
      description: 'Public; the same through every rotation.',
      pattern: '^[0-9A-Za-z]{12}$',
    }),
    prefix: z.string(),
    environment: z.optional(z.string()),
    name: z.optional(z.string()),
    description: z.optional(z.string()),
    owner: z.string(),
    resource: z.optional(z.string()),
    scopes: z.array(z.string()),
    limits: described(z.record(z.string(), z.union([z.int(), z.object({ limit: z.int(), window: z.int() })])), {
      description: 'What applies: uses by window, and for windows of other names their milliseconds.',
    }),
    allowedIps: z.optional(z.array(z.string())),
    credits: createKey.shape.credits,
    metadata: createKey.shape.metadata,
    display: described(z.string(), { description: 'What may be shown and logged of the text of the key.' }),
    status: z.enum(STATUSES),
    createdAt: time(),
    updatedAt: time(),
    expiresAt: z.optional(time()),
    lastUsedAt: z.optional(time()),
    uses: described(z.int(), { description: 'Approximate, as is lastUsedAt: uses are noted within a second.' }),
    revokedAt: z.optional(time()),
    revokedReason: z.optional(z.string()),
    previousSecretUntil: z.optional(time()),
  }),
  { description: 'A key as it is shown: everything but its secret.' },
)

const key = z.object({ record })

const newKey = z.object({
  key: described(z.string(), { description: 'The text of the key: it is told this once.' }),
  secret: z.optional(described(z.string(), { description: 'The other half, where keys come in pairs.' })),
  record,
})

const page = described(z.object({ items: z.array(record), cursor: z.optional(z.string()) }), {
  description: 'Some of the keys, the newest first; a cursor where there are more.',
})

const problem = described(
  z.object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    message: z.string(),
    request_id: z.string(),
    issues: z.optional(z.array(z.object({ path: z.string(), message: z.string() }))),
    outcome: z.optional(
      described(z.literal('unknown'), { description: 'The change may or may not have happened; it can be repeated.' }),
    ),
    error: z.object({
      type: z.string(),
      message: z.string(),
      code: z.string(),
      param: z.nullable(z.string()),
      details: z.object({ error_code: z.string() }),
    }),
  }),
  { description: 'Why it was refused (RFC 9457).' },
)

/** What the routes answer. It is described, not checked: an answer is what a verb gave. */
export const ANSWERS = { KeyRecord: record, Key: key, NewKey: newKey, KeyPage: page, Problem: problem }
