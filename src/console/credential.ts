import type { Door } from '../http/door.ts'
import type { CredentialHeaders } from './settings.ts'

type Source = Door['instance']['sources'][number]

const KEY = '{key}'
const SECRET = '{secret}'

/** How a client sends a key, by the instance's first source that has a usual form. */
export function credentialHeaders(sources: readonly Source[]): CredentialHeaders {
  for (const source of sources) {
    const headers = headersOf(source)
    if (headers !== undefined) return headers
  }
  return [['Authorization', `Bearer ${KEY}`]]
}

/** Whether a key that stands alone in a header of this name is read. */
export function readsBare(sources: readonly Source[], name: string): boolean {
  return sources.some((source) => source.headers[0] === name && found(source, [KEY]) === KEY)
}

/** A source is a function: what it understands is found out by asking it. */
function headersOf(source: Source): CredentialHeaders | undefined {
  const [first, second] = source.headers.map(written)
  if (first === undefined) return undefined
  if (second !== undefined) {
    const halves = Object(found(source, [KEY, SECRET])) as { key?: unknown; secret?: unknown }
    const isPair = halves.key === KEY && halves.secret === SECRET
    return isPair ? [[first, KEY] as const, [second, SECRET] as const] : undefined
  }
  const forms = [`Bearer ${KEY}`, KEY]
  const form = forms.find((text) => found(source, [text]) === KEY)
  return form === undefined ? undefined : [[first, form]]
}

function found(source: Source, values: readonly string[]): unknown {
  try {
    return source.read(values)
  } catch {
    return undefined // a source of the host's own, which knows nothing of our question
  }
}

/** `x-api-key` → `X-Api-Key`, as people write it. */
function written(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (letters) => letters.toUpperCase()).replace('X-Api-', 'X-API-')
}
