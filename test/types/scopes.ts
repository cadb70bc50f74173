/** Checked by the compiler alone (`npm run typecheck`, `typecheck:7`): nothing here is run. */
import { type Access, type ApiKeys, createApiKeys, type KeyRecord, type ScopeKnownTo, type ScopeOf } from 'keyward'
import { guard } from 'keyward/express'
import { testKey } from 'keyward/testing'
import { type Same, same } from './assert.ts'

const keys = createApiKeys({
  prefix: 'agk_live_',
  scopes: { contacts: ['create', 'read', 'update', 'delete'], 'document-extraction': ['create', 'read'] },
})
const free = createApiKeys({ prefix: 'fre_' })
const other = createApiKeys({ prefix: 'oth_', scopes: { runs: ['start', 'stop'] } })

type Contacts = `contacts:${'create' | 'read' | 'update' | 'delete' | '*'}`
type Known = Contacts | `document-extraction:${'create' | 'read' | '*'}` | '*'

export function aVocabularyTypesTheInstance() {
  same<Same<typeof keys, ApiKeys<Known>>>()
  same<Same<ScopeKnownTo<typeof keys>, Known>>()
  same<Same<ScopeOf<{ contacts: ['read'] }>, 'contacts:read' | 'contacts:*' | '*'>>()
  same<Same<ScopeOf<{ 'crm:files': ['read'] }>, 'crm:files:read' | 'crm:files:*' | 'crm:*' | '*'>>()
  same<Same<typeof free, ApiKeys<string>>>()
}

export async function aMisspeltScopeDoesNotCompileInCreate() {
  await keys.create({ owner: 'acct_1', scopes: ['contacts:read', 'document-extraction:create', 'contacts:*', '*'] })
  // @ts-expect-error misspelt
  await keys.create({ owner: 'acct_1', scopes: ['contacts:raed'] })
  await testKey(keys, { scopes: ['contacts:read'] })
  await testKey(free, { scopes: ['whatever'] })
  // @ts-expect-error misspelt
  await testKey(keys, { scopes: ['contacts:raed'] })
  // @ts-expect-error an action of another resource
  await keys.create({ owner: 'acct_1', scopes: ['document-extraction:delete'] })
  // @ts-expect-error a resource alone
  await keys.create({ owner: 'acct_1', scopes: ['contacts'] })
  // @ts-expect-error a wildcard that is not last
  await keys.create({ owner: 'acct_1', scopes: ['*:read'] })
  // @ts-expect-error any text
  await keys.create({ owner: 'acct_1', scopes: ['contacts:read' as string] })
  // @ts-expect-error the vocabulary of another instance
  await keys.create({ owner: 'acct_1', scopes: ['runs:start'] })
}

export async function aMisspeltScopeDoesNotCompileInUpdate() {
  await keys.update('id', { scopes: ['contacts:read'] })
  await keys.update('id', { scopes: null })
  await keys.update('id', { scopes: undefined })
  // @ts-expect-error misspelt
  await keys.update('id', { scopes: ['contacts:raed'] })
}

export async function aMisspeltScopeDoesNotCompileInADemand() {
  guard(keys, { scopes: ['contacts:read', 'contacts:*'] })
  guard(keys, { scopes: { any: ['contacts:read', 'document-extraction:read'] } })
  // @ts-expect-error misspelt
  guard(keys, { scopes: ['contacts:raed'] })
  // @ts-expect-error misspelt among others
  guard(keys, { scopes: { any: ['contacts:read', 'contacts:raed'] } })
  // @ts-expect-error one scope is still a list
  guard(keys, { scopes: 'contacts:read' })
  await keys.verify('text', { scopes: ['contacts:read'] })
  // @ts-expect-error misspelt
  await keys.verify('text', { scopes: ['contacts:raed'] })
  await keys.explain('text', { scopes: ['contacts:read'] })
  // @ts-expect-error misspelt
  await keys.explain('text', { scopes: ['contacts:raed'] })
}

export async function aMisspeltScopeDoesNotCompileInCan(request: object) {
  const access = keys.of(request)
  same<Same<typeof access, Access<Known>>>()
  access.can('contacts:read')
  // @ts-expect-error misspelt
  access.can('contacts:raed')
  const verdict = await keys.verify('text')
  if (!verdict.ok) return
  verdict.access?.can('contacts:update')
  // @ts-expect-error misspelt
  verdict.access?.can('contacts:upadte')
}

export async function recordsCarryTheScopesOfTheirInstance() {
  const { record } = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
  same<Same<typeof record, KeyRecord<Known>>>()
  same<Same<(typeof record.scopes)[number], Known>>()
  const { items } = await keys.list({ owner: 'acct_1' })
  same<Same<(typeof items)[number], KeyRecord<Known>>>()
  const found = await keys.get('id')
  same<Same<typeof found, KeyRecord<Known> | undefined>>()
}

export function aListOfInstancesKnowsTheScopesOfAll() {
  guard([keys, other], { scopes: ['contacts:read'] })
  guard([keys, other], { scopes: { any: ['runs:start', 'contacts:read'] } })
  guard([keys, other] as const, { scopes: ['runs:*'] })
  // @ts-expect-error in the vocabulary of neither
  guard([keys, other], { scopes: ['runs:raed'] })
  // @ts-expect-error a resource of one with an action of the other
  guard([keys, other], { scopes: ['contacts:start'] })
  guard([keys, free], { scopes: ['anything:at-all'] })
}

export async function withoutAVocabularyScopesAreText(request: object) {
  await free.create({ owner: 'acct_1', scopes: ['anything:at-all', 'one' as string] })
  await free.update('id', { scopes: ['anything'] })
  guard(free, { scopes: ['anything:at-all'] })
  guard(free, { scopes: { any: ['anything'] } })
  free.of(request).can('anything')
  // @ts-expect-error a scope is text all the same
  await free.create({ owner: 'acct_1', scopes: [7] })
}

/** Vocabularies are often declared elsewhere, or come from a file: then they are text. */
export function aVocabularyMayComeFromElsewhere(loaded: Record<string, string[]>) {
  const declared = { contacts: ['read', 'update'] } as const
  const typed = createApiKeys({ prefix: 'typ_', scopes: declared })
  same<Same<ScopeKnownTo<typeof typed>, 'contacts:read' | 'contacts:update' | 'contacts:*' | '*'>>()
  const untyped = createApiKeys({ prefix: 'unt_', scopes: loaded })
  same<Same<ScopeKnownTo<typeof untyped>, string>>()
}

/** Helpers of a host take instances of any vocabulary. */
export function anInstanceFitsWhereAnyInstanceIsTaken() {
  const any: ApiKeys[] = [keys, free, other]
  const helper = (instance: ApiKeys) => instance.list({ owner: 'acct_1' })
  return [helper(keys), helper(free), any]
}
