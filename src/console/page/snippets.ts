import type { BaseUrls, ConsoleSettings } from '../settings.ts'
import type { TextName } from './texts.ts'

/** The halves of a key, as far as they are known. */
export interface Credential {
  readonly key: string
  readonly secret?: string | undefined
}

/** What stands in a snippet where the key is not known. */
export const PLACEHOLDER: Credential = { key: 'YOUR_API_KEY', secret: 'YOUR_API_SECRET' }

type Service = Pick<
  ConsoleSettings,
  'baseUrls' | 'models' | 'credential' | 'readsXApiKey' | 'pair' | 'snippets' | 'resource'
>

export interface Snippet {
  readonly label: string
  write(service: Service, credential: Credential): string
}

type Kind = 'openai' | 'anthropic'

/** Ready to paste and to run: nothing in them has to be quoted, since options and keys hold no such character. */
export const SNIPPETS: readonly (Snippet & { readonly kind: Kind })[] = [
  { kind: 'openai', label: 'curl', write: curl },
  { kind: 'openai', label: 'Python', write: python },
  { kind: 'openai', label: 'TypeScript', write: typescript },
  { kind: 'anthropic', label: 'Anthropic', write: anthropic },
  { kind: 'anthropic', label: 'Claude Code', write: claudeCode },
]

/** The host's own, or those for the interfaces that the service has. */
export function snippetsFor({ snippets, baseUrls }: Service): readonly Snippet[] {
  if (snippets === undefined) return SNIPPETS.filter(({ kind }) => baseUrls[kind] !== undefined)
  return snippets.map(({ label, text }) => ({
    label,
    write: (service, { key, secret = '' }) => filledIn(text, { key, secret, ...placeOf(service) }),
  }))
}

/** What a resource may be to stand in a snippet as it is. */
const PLAIN = /^[\w.@-]+$/

function placeOf({ baseUrls, resource }: Service): { readonly baseUrl: string; readonly resource: string } {
  const name = resource?.slice(resource.indexOf(':') + 1) ?? ''
  const baseUrl = baseUrls.api ?? baseUrls.openai ?? baseUrls.anthropic ?? ''
  return { baseUrl, resource: PLAIN.test(name) ? name : 'YOUR_RESOURCE' }
}

function filledIn(text: string, parts: Readonly<Record<string, string>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => parts[name] ?? whole)
}

export interface Address {
  readonly label: TextName
  /** As it stands in what is copied: for programs' forms, in English. */
  readonly name: string
  readonly url: string
}

/** Where clients connect to. Where there is one address, nothing has to be said of it. */
export function addressesOf({ api, openai, anthropic }: BaseUrls): readonly Address[] {
  const all = [
    { label: 'baseUrl', name: 'Base URL', url: api },
    { label: 'openaiUrl', name: 'OpenAI base URL', url: openai },
    { label: 'anthropicUrl', name: 'Anthropic base URL', url: anthropic },
  ] as const
  const there = all.flatMap(({ url, ...rest }) => (url === undefined ? [] : [{ ...rest, url }]))
  return there.length === 1 ? there.map(({ url }) => ({ ...all[0], url })) : there
}

/** What to paste where a client asks for a name, a key and an address. Always in English: it is for programs' forms. */
export function connectionInfo(
  { baseUrls }: Pick<ConsoleSettings, 'baseUrls'>,
  { name, display }: { readonly name?: string | undefined; readonly display: string },
  credential: Credential | undefined,
): string {
  const lines = [
    ...(name === undefined ? [] : [`Name: ${name}`]),
    `API key: ${credential?.key ?? `${display} (shown once, when it was made)`}`,
    ...(credential?.secret === undefined ? [] : [`API secret: ${credential.secret}`]),
    ...addressesOf(baseUrls).map(({ name: what, url }) => `${what}: ${url}`),
  ]
  return `${lines.join('\n')}\n`
}

function curl(service: Service, credential: Credential): string {
  const fields = headersOf(service, credential).map(([name, value]) => `  -H "${name}: ${value}" \\\n`)
  return `curl ${service.baseUrls.openai}/chat/completions \\
${fields.join('')}  -H "Content-Type: application/json" \\
  -d '{
    "model": "${service.models.openai}",
    "messages": [{"role": "user", "content": "Hello"}]
  }'
`
}

function python(service: Service, credential: Credential): string {
  const extra = extraHeaders(service, credential).map(([name, value]) => `"${name}": "${value}"`)
  return `from openai import OpenAI

client = OpenAI(
    base_url="${service.baseUrls.openai}",
    api_key="${credential.key}",
${extra.length === 0 ? '' : `    default_headers={${extra.join(', ')}},\n`})
completion = client.chat.completions.create(
    model="${service.models.openai}",
    messages=[{"role": "user", "content": "Hello"}],
)
print(completion.choices[0].message.content)
`
}

function typescript(service: Service, credential: Credential): string {
  return `import OpenAI from 'openai'

const client = new OpenAI({
  baseURL: '${service.baseUrls.openai}',
  apiKey: '${credential.key}',
${scriptHeaders(service, credential)}})
const completion = await client.chat.completions.create({
  model: '${service.models.openai}',
  messages: [{ role: 'user', content: 'Hello' }],
})
console.log(completion.choices[0]?.message.content)
`
}

function anthropic(service: Service, credential: Credential): string {
  // An older SDK sends an apiKey as x-api-key, and an authToken as a bearer token.
  const member = service.readsXApiKey || !isBearer(service) ? 'apiKey' : 'authToken'
  return `import Anthropic from '@anthropic-ai/sdk'

const client = new Anthropic({
  baseURL: '${service.baseUrls.anthropic}',
  ${member}: '${credential.key}',
${scriptHeaders(service, credential)}})
const message = await client.messages.create({
  model: '${service.models.anthropic}',
  max_tokens: 1024,
  messages: [{ role: 'user', content: 'Hello' }],
})
console.log(message.content)
`
}

/** `~/.claude/settings.json` */
function claudeCode(service: Service, credential: Credential): string {
  const extra = extraHeaders(service, credential).map(([name, value]) => `${name}: ${value}`)
  const env = {
    ANTHROPIC_BASE_URL: service.baseUrls.anthropic,
    ANTHROPIC_AUTH_TOKEN: credential.key,
    ...(extra.length === 0 ? {} : { ANTHROPIC_CUSTOM_HEADERS: extra.join('\n') }),
  }
  return `${JSON.stringify({ env }, null, 2)}\n`
}

function scriptHeaders(service: Service, credential: Credential): string {
  const extra = extraHeaders(service, credential).map(([name, value]) => `'${name}': '${value}'`)
  return extra.length === 0 ? '' : `  defaultHeaders: { ${extra.join(', ')} },\n`
}

/** What the SDKs do not send by themselves. */
function extraHeaders(service: Service, credential: Credential) {
  return isBearer(service) ? [] : headersOf(service, credential)
}

function isBearer({ credential }: Service): boolean {
  const [field] = credential
  return field?.[0] === 'Authorization' && field[1].startsWith('Bearer ')
}

function headersOf(service: Service, { key, secret = PLACEHOLDER.secret }: Credential): readonly [string, string][] {
  return service.credential.map(([name, form]) => [name, form.replace('{key}', key).replace('{secret}', secret ?? '')])
}
