import type { IncomingMessage } from 'node:http'
import { isRecord } from '../../model/is-object.ts'

type Body = string | Uint8Array<ArrayBuffer>

/**
 * A body that a parser has read, written again: as it was, as a form, or as JSON. Its type stays what the client said: to a
 * handler that takes JSON alone, so that no other site can send it, a form is none, whatever a parser made of it.
 * @returns `undefined` where no parser has read it
 */
export function rewritten(req: IncomingMessage, parsed: unknown): Body | undefined {
  if (parsed === undefined || !req.readableEnded) return undefined
  if (typeof parsed === 'string' || parsed instanceof Uint8Array) return parsed as Body
  return isRecord(parsed) && /urlencoded/i.test(`${req.headers['content-type']}`) ? formOf(parsed) : jsonOf(parsed)
}

function formOf(parsed: object): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(parsed)) for (const each of [value].flat()) form.append(name, each)
  return `${form}`
}

/** A number out of range, which JSON would write as `null`, another wish: then the whole is out of range. */
function jsonOf(parsed: unknown): string {
  let isWithin = true
  const text = JSON.stringify(parsed, (_, value) => {
    if (typeof value === 'number') isWithin &&= Number.isFinite(value)
    return value
  })
  return isWithin ? text : '1e999'
}
