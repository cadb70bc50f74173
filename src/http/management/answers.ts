import * as z from 'zod/mini'
import { AUDITED } from '../../audit/entry.ts'
import { described } from './fields.ts'
import { createKey, STATUSES } from './schemas.ts'

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

const part = described(z.partial(record), { description: 'Some fields of a key.' })

const reading = described(
  z.object({
    name: z.string(),
    limit: z.int(),
    remaining: z.int(),
    resetsAt: described(z.string(), { format: 'date-time', description: 'When one more use would be free.' }),
  }),
  { description: 'A window of a key as it is now.' },
)

const usage = described(
  z.object({
    uses: record.shape.uses,
    lastUsedAt: z.optional(time()),
    readings: z.array(reading),
    balance: z.optional(described(z.int(), { description: 'What is free of the balance that the key is charged to.' })),
  }),
  { description: 'How much a key was used, and what it has left: looking spends nothing.' },
)

const keyUsage = z.object({ usage })
const self = z.object({ record, usage })

const entry = described(
  z.object({
    id: z.string(),
    at: time(),
    type: z.enum(AUDITED),
    owner: z.optional(z.string()),
    key: z.optional(described(z.string(), { description: 'The id of the key, which may be gone.' })),
    resource: z.optional(z.string()),
    actor: z.optional(described(z.string(), { description: 'Who did it.' })),
    address: z.optional(described(z.string(), { description: 'From where.' })),
    before: z.optional(
      described(part, { description: 'The fields that differ, as they were; of a removed key, all.' }),
    ),
    after: z.optional(part),
    omitted: z.optional(described(z.array(z.string()), { description: 'Fields that were too large to be kept.' })),
    outcome: z.optional(described(z.literal('unknown'), { description: 'The store did not say whether it was done.' })),
    count: z.optional(described(z.int(), { description: 'How many keys, where all of an owner were revoked.' })),
    amount: z.optional(described(z.int(), { description: 'How much credit was given.' })),
    balance: z.optional(described(z.int(), { description: 'What was free afterwards.' })),
  }),
  {
    description:
      'Something that was done to keys. `before` and `after` have the fields that differ; of a new or a removed key, all.',
  },
)

const auditPage = described(z.object({ items: z.array(entry), cursor: z.optional(z.string()) }), {
  description: 'Some of what was done, the newest first; a cursor where there is more.',
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
export const ANSWERS = {
  KeyRecord: record,
  Key: key,
  NewKey: newKey,
  KeyPage: page,
  KeyFields: part,
  Reading: reading,
  Usage: usage,
  KeyUsage: keyUsage,
  Self: self,
  AuditEntry: entry,
  AuditPage: auditPage,
  Problem: problem,
}
