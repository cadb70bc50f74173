import { randomUUID } from 'node:crypto'
import { isRecord } from '../model/is-object.ts'

const FORM = /^application\/x-www-form-urlencoded\b/i

/**
 * A body that a parser has read, written again: as it was, as a form, or as JSON. Its type stays what the client said: to a
 * handler that takes JSON alone, so that no other site can send it, a form is none, whatever a parser made of it.
 */
export function rewritten(parsed: unknown, type: string | null): string | Uint8Array<ArrayBuffer> {
  if (typeof parsed === 'string' || parsed instanceof Uint8Array) return parsed as string | Uint8Array<ArrayBuffer>
  const form = FORM.test(type ?? '') ? formOf(parsed) : undefined
  return form ?? jsonOf(parsed)
}

/** `undefined` for what lies deeper than fields and lists of them. */
function formOf(parsed: unknown): string | undefined {
  if (!isRecord(parsed)) return undefined
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(parsed)) {
    for (const each of [value].flat()) {
      if (typeof each !== 'string') return undefined
      form.append(name, each)
    }
  }
  return form.toString()
}

/** `1e999` is read as Infinity, which would be written as `null`: to a handler that is another wish. */
function jsonOf(parsed: unknown): string {
  const mark = randomUUID()
  const isBeyond = (value: unknown) => typeof value === 'number' && !Number.isFinite(value)
  const text = JSON.stringify(parsed, (_, value) => (isBeyond(value) ? mark + (value < 0 ? '-' : '') : value))
  return text.replaceAll(`"${mark}"`, '1e999').replaceAll(`"${mark}-"`, '-1e999')
}
