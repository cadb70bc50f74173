import type { ApiKeys } from '../../api-keys.ts'
import type { AuditLog } from '../../audit/log.ts'
import { hasCode } from '../../model/errors.ts'
import type { KeyRecord } from '../../model/key.ts'
import { present } from '../../model/present.ts'
import { DOOR } from '../door.ts'
import type { Authority } from './authority.ts'
import { etagOf, type Precondition } from './etag.ts'
import { readJson } from './json.ts'
import { invalid, refusal } from './problems.ts'
import type { Read, Reply } from './reply.ts'
import * as schema from './schemas.ts'

type UpdateBy = NonNullable<Parameters<ApiKeys['update']>[2]>
type By = NonNullable<Parameters<ApiKeys['get']>[1]>

/** A request that may do what it asks for. */
export interface Visit {
  readonly keys: ApiKeys
  readonly request: Request
  readonly authority: Authority
  /** Of the path; empty where the route has none. */
  readonly id: string
  readonly precondition: Precondition | undefined
  /** From where the request came, as far as that can be known. */
  readonly address: string | undefined
  /** Where clients see the routes, as far as that was said. */
  readonly path: string | undefined
  readonly audit: AuditLog | undefined
  /** What bodies may say. */
  readonly bodies: schema.Bodies
}

export type Action = (visit: Visit) => Promise<Reply>

export const create: Action = async (visit) => {
  const { keys, request, authority, path } = visit
  const body = await read(visit, visit.bodies.createKey)
  if (!body.ok) return body.reply
  const idempotencyKey = request.headers.get('idempotency-key')
  const { owner, resource, grants } = authority
  const author = { ...by(visit), ...present({ grants, idempotencyKey }) }
  // The conditions are the host's; what a body says of a resource must meet them.
  const input = { ...present({ resource }), ...body.value, owner }
  try {
    const made = await keys.create(input as never, author)
    const location = path === undefined ? undefined : { Location: `${path}/${made.record.id}` }
    return { status: 201, body: made, headers: { ETag: etagOf(made.record), ...location } }
  } catch (error) {
    if (!hasCode(error, 'CONFLICT') || error.id === undefined) throw error
    // The text was told to whoever was first; who lost it rotates the key.
    const record = await keys.get(error.id, by(visit))
    return record === undefined ? refusal('conflict') : shown(record, { 'Idempotency-Replayed': 'true' })
  }
}

export const list: Action = async (visit) => {
  const query = readQuery(visit, schema.listQuery)
  if (!query.ok) return query.reply
  const { resource } = visit.authority
  // Somebody else's resource is one without keys.
  if (resource !== undefined && (query.value.resource ?? resource) !== resource)
    return { status: 200, body: { items: [] } }
  return { status: 200, body: await visit.keys.list({ ...query.value, ...by(visit) }) }
}

export const get: Action = async (visit) => {
  const record = await visit.keys.get(visit.id, by(visit))
  return record === undefined ? refusal('not_found') : shown(record)
}

export const usage: Action = async (visit) => {
  return { status: 200, body: { usage: await visit.keys.usage(visit.id, by(visit)) } }
}

/** What was done to keys that the request may see, also to those that are gone. */
export const listAudit: Action = async (visit) => {
  const query = readQuery(visit, schema.auditQuery)
  if (!query.ok) return query.reply
  const { owner, resource } = visit.authority
  const prefixes = visit.keys[DOOR].instance.formats.map(({ prefix }) => prefix)
  return { status: 200, body: await visit.audit?.list({ ...query.value, owner, resource, prefixes }) }
}

export const update: Action = async (visit) => {
  const body = await read(visit, visit.bodies.updateKey)
  if (!body.ok) return body.reply
  return shown(await visit.keys.update(visit.id, body.value as never, conditions(visit)))
}

export const rotate: Action = async (visit) => {
  const body = await read(visit, schema.rotateKey)
  if (!body.ok) return body.reply
  const made = await visit.keys.rotate(visit.id, { ...conditions(visit), overlap: body.value.overlap as never })
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
  return shown(await visit.keys.revoke(visit.id, { ...conditions(visit), ...body.value }))
}

export const remove: Action = async (visit) => {
  await visit.keys.remove(visit.id, conditions(visit))
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

/** A query, each of whose parameters may be there once. */
function readQuery<T extends Parameters<typeof schema.check>[0]>({ request }: Visit, shape: T) {
  const parameters = [...new URL(request.url).searchParams]
  const repeated = parameters.find(([name], i) => parameters.findIndex(([other]) => other === name) < i)
  if (repeated !== undefined) {
    return { ok: false, reply: invalid([{ path: repeated[0], message: 'must not be there twice' }]) } as const
  }
  const given = parameters.map(([name, value]) => [name, name === 'limit' ? whole(value) : value])
  return schema.check(shape, Object.fromEntries(given))
}

function by({ authority: { owner, resource, actor }, address }: Visit): By & { readonly owner: string } {
  return { owner, ...present({ resource, actor, address }) }
}

/** With the precondition looked at in the very moment of the change. */
function conditions(visit: Visit): UpdateBy {
  const { authority, precondition } = visit
  return { ...by(visit), ...present({ grants: authority.grants, when: precondition?.when }) }
}

export function shown(record: KeyRecord, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status: 200, body: { record }, headers: { ETag: etagOf(record), ...headers } }
}

/** A number as it is written; other text is left for the rule to refuse. */
function whole(text: string): number | string {
  return /^\d{1,9}$/.test(text) ? Number(text) : text
}
