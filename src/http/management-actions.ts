import type { ApiKeys } from '../api-keys.ts'
import { hasCode, KeywardError } from '../model/errors.ts'
import type { KeyRecord } from '../model/key.ts'
import type { Authority } from './management-authority.ts'
import { etagOf, type Precondition } from './management-etag.ts'
import { readJson } from './management-json.ts'
import { invalid, refusal } from './management-problems.ts'
import type { Read, Reply } from './management-reply.ts'
import * as schema from './management-schemas.ts'

/** A request that may do what it asks for. */
export interface Visit {
  readonly keys: ApiKeys
  readonly request: Request
  readonly authority: Authority
  /** Of the path; empty where the route has none. */
  readonly id: string
  readonly precondition: Precondition | undefined
  /** Where clients see the routes, as far as that was said. */
  readonly path: string | undefined
}

export type Action = (visit: Visit) => Promise<Reply>

export const create: Action = async (visit) => {
  const { keys, request, authority, path } = visit
  const body = await read(visit, schema.createKey)
  if (!body.ok) return body.reply
  const idempotencyKey = request.headers.get('idempotency-key')
  const author = { ...by(authority), ...(idempotencyKey === null ? {} : { idempotencyKey }) }
  const { owner, resource } = authority
  // The conditions are the host's; what a body says of a resource must meet them.
  const input = { ...(resource === undefined ? {} : { resource }), ...body.value, owner }
  try {
    const made = await keys.create(input as never, author)
    const location = path === undefined ? undefined : { Location: `${path}/${made.record.id}` }
    return { status: 201, body: made, headers: { ETag: etagOf(made.record), ...location } }
  } catch (error) {
    if (!hasCode(error, 'CONFLICT') || error.id === undefined) throw error
    // The text was told to whoever was first; who lost it rotates the key.
    const record = await keys.get(error.id, by(authority))
    return record === undefined ? refusal('conflict') : shown(record, { 'Idempotency-Replayed': 'true' })
  }
}

export const list: Action = async ({ keys, request, authority }) => {
  const parameters = [...new URL(request.url).searchParams]
  const repeated = parameters.find(([name], i) => parameters.findIndex(([other]) => other === name) < i)
  if (repeated !== undefined) return invalid([{ path: repeated[0], message: 'must not be there twice' }])
  const given = Object.fromEntries(parameters.map(([name, value]) => [name, name === 'limit' ? whole(value) : value]))
  const query = schema.check(schema.listQuery, given)
  if (!query.ok) return query.reply
  const { resource } = authority
  // Somebody else's resource is one without keys.
  if (resource !== undefined && (query.value.resource ?? resource) !== resource)
    return { status: 200, body: { items: [] } }
  return { status: 200, body: await keys.list({ ...query.value, ...by(authority) }) }
}

export const get: Action = async ({ keys, id, authority }) => {
  const record = await keys.get(id, by(authority))
  return record === undefined ? refusal('not_found') : shown(record)
}

export const update: Action = async (visit) => {
  const body = await read(visit, schema.updateKey)
  if (!body.ok) return body.reply
  return shown(await visit.keys.update(visit.id, body.value as never, conditions(visit)))
}

export const rotate: Action = async (visit) => {
  const body = await read(visit, schema.rotateKey)
  if (!body.ok) return body.reply
  await expectMatch(visit)
  const made = await visit.keys.rotate(visit.id, { ...by(visit.authority), overlap: body.value.overlap as never })
  return { status: 200, body: made, headers: { ETag: etagOf(made.record) } }
}

export const disable: Action = async (visit) => {
  const body = await read(visit, schema.nothing, {})
  return body.ok ? shown(await visit.keys.disable(visit.id, conditions(visit))) : body.reply
}

export const enable: Action = async (visit) => {
  const body = await read(visit, schema.nothing, {})
  return body.ok ? shown(await visit.keys.enable(visit.id, conditions(visit))) : body.reply
}

export const revoke: Action = async (visit) => {
  const body = await read(visit, schema.revokeKey, {})
  if (!body.ok) return body.reply
  await expectMatch(visit)
  return shown(await visit.keys.revoke(visit.id, { ...by(visit.authority), ...body.value }))
}

export const remove: Action = async (visit) => {
  await expectMatch(visit)
  await visit.keys.remove(visit.id, by(visit.authority))
  return { status: 204 }
}

/** @param absent what no body at all stands for; without it there must be one */
async function read<T extends Parameters<typeof schema.check>[0]>(
  { request }: Visit,
  shape: T,
  absent?: object,
): Promise<Read<ReturnType<typeof schema.check<T>> extends Read<infer Value> ? Value : never>> {
  const json = await readJson(request, absent === undefined)
  if (!json.ok) return json
  return schema.check(shape, json.value === undefined ? absent : json.value) as never
}

function by({ owner, resource, actor }: Authority): { owner: string; resource?: string; actor?: string } {
  return { owner, ...(resource === undefined ? {} : { resource }), ...(actor === undefined ? {} : { actor }) }
}

/** With the precondition looked at in the very moment of the change. */
function conditions({ authority, precondition }: Visit) {
  return { ...by(authority), ...(precondition === undefined ? {} : { when: precondition.when }) }
}

/** For verbs that decide by themselves which of several changes at once wins. */
async function expectMatch({ keys, id, authority, precondition }: Visit): Promise<void> {
  if (precondition === undefined) return
  const record = await keys.get(id, by(authority))
  if (record !== undefined && !precondition.when(record)) {
    throw new KeywardError('CONFLICT', 'the key is not as it was expected to be')
  }
}

function shown(record: KeyRecord, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, body: { record }, headers: { ETag: etagOf(record), ...headers } }
}

/** A number as it is written; other text is left for the rule to refuse. */
function whole(text: string): number | string {
  return /^\d{1,9}$/.test(text) ? Number(text) : text
}
