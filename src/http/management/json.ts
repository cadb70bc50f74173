import type { Issue } from '../../model/errors.ts'
import { invalid, refusal } from './problems.ts'
import type { Read } from './reply.ts'

/** The most that a body may have: the largest key that can be made is smaller. */
const MOST_BYTES = 65_536
const JSON_TYPE = /^application\/json *(?:; *charset="?utf-8"?)?$/i

/**
 * The JSON of a body, `undefined` for none at all. Only what says that it is JSON is read, which a form of another site
 * cannot say, and no more of it than a body may have.
 */
export async function readJson(request: Request, required: boolean): Promise<Read<unknown>> {
  const type = request.headers.get('content-type')
  const coding = request.headers.get('content-encoding') ?? 'identity'
  if ((type !== null && !JSON_TYPE.test(type)) || (type === null && required) || coding.toLowerCase() !== 'identity') {
    return { ok: false, reply: refusal('unsupported_media_type') }
  }
  if (Number(request.headers.get('content-length') ?? 0) > MOST_BYTES) return tooLarge()
  const bytes = await readBytes(request)
  if (bytes === 'too large') return tooLarge()
  if (bytes === 'broken') return wrong([{ path: '', message: 'broke off' }])
  if (bytes.length === 0 && !required) return { ok: true, value: undefined }
  // Bytes of no type may be anything, also what a form of another site sent.
  if (type === null) return { ok: false, reply: refusal('unsupported_media_type') }
  return parse(bytes)
}

/** The rest is left unread, not cancelled: Node's own adapter of a request then throws out of the event loop. */
function tooLarge(): Read<never> {
  return { ok: false, reply: refusal('content_too_large') }
}

async function readBytes({ body }: Request): Promise<Uint8Array | 'too large' | 'broken'> {
  if (body === null) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of body.values({ preventCancel: true }) as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength
      if (size > MOST_BYTES) return 'too large'
      chunks.push(chunk)
    }
  } catch {
    return 'broken'
  }
  return Buffer.concat(chunks)
}

function parse(bytes: Uint8Array): Read<unknown> {
  let text: string
  let value: unknown
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    value = JSON.parse(text)
  } catch {
    return wrong([{ path: '', message: 'must be JSON in UTF-8' }])
  }
  const flaw = memberFlaw(text)
  return flaw === undefined ? { ok: true, value } : wrong([flaw])
}

function wrong(issues: readonly Issue[]): Read<never> {
  return { ok: false, reply: invalid(issues) }
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],]/g

/** Of two members of one name, readers differ in which counts; `__proto__` is a name that some do not take for one. */
function memberFlaw(json: string): Issue | undefined {
  const open: (Set<string> | undefined)[] = []
  let isName = false
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(token === '{' ? new Set() : undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token !== ',' && isName) {
      const name = JSON.parse(token) as string
      if (name === '__proto__') return { path: name, message: 'is not a field that can be given here' }
      if (open.at(-1)?.has(name) === true) return { path: name, message: 'must not be there twice' }
      open.at(-1)?.add(name)
    }
    isName = (token === '{' || token === ',') && open.at(-1) !== undefined
  }
  return undefined
}
