import { isRecord } from '../model/is-object.ts'

const FORM = /^application\/x-www-form-urlencoded\b/i

/**
 * A body that a parser has read, written again: as it was, as a form, or as JSON. Its type stays what the client said: to a
 * handler that takes JSON alone, so that no other site can send it, a form is none, whatever a parser made of it.
 */
export function rewritten(parsed: unknown, type: string | null): string | Uint8Array<ArrayBuffer> {
  if (typeof parsed === 'string' || parsed instanceof Uint8Array) return parsed as string | Uint8Array<ArrayBuffer>
  return isRecord(parsed) && FORM.test(`${type}`) ? formOf(parsed) : jsonOf(parsed)
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
