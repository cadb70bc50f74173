import { KeywardError } from '../../model/errors.ts'
import { messageOf } from '../../model/redact.ts'

/** Result codes of SQLite: https://sqlite.org/rescode.html. The low byte is the kind, the rest refines it. */
const BUSY = 5
const UNIQUE: readonly (number | undefined)[] = [1555, 2067]

/** What a driver threw, in Keyward's words: `CONFLICT` for what is taken, else `STORE`. */
export function translated(error: unknown): Error {
  if (error instanceof KeywardError) return error
  if (UNIQUE.includes(resultCode(error))) return new KeywardError('CONFLICT', 'the id or the name is taken')
  // SQLite's messages name tables and columns, never the values that were bound.
  return new KeywardError('STORE', `SQLite: ${messageOf(error)}`)
}

/** Whether another connection holds a lock for longer than this one waits. */
export function isBusy(error: unknown): boolean {
  return ((resultCode(error) ?? 0) & 0xff) === BUSY
}

function resultCode(error: unknown): number | undefined {
  // libsql calls it `rawCode`, node:sqlite `errcode`.
  const { rawCode, errcode } = Object(error) as { readonly rawCode?: unknown; readonly errcode?: unknown }
  const code = rawCode ?? errcode
  return typeof code === 'number' ? code : undefined
}
