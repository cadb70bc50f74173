import { appendFileSync, closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'

/** Values by name, in memory, and every change of them in a file of one process: a line of JSON each. */
export interface Journal {
  get(name: string): unknown
  all(): Iterable<readonly [string, unknown]>
  /** `undefined` forgets. What is not `lasting` may be lost with the power, though not with the process. */
  put(name: string, value: unknown, lasting?: boolean): void
  close(): void
}

export function openJournal(file: string): Journal {
  const values = new Map(existsSync(file) ? readFileSync(file, 'utf8').split('\n').flatMap(entryOf) : [])
  for (const [name, value] of values) if (value === undefined) values.delete(name)
  let lines = 0
  let handle = openSync(file, 'a', 0o600)
  rewrite()

  /** The file that was stays the one that is written to until the new one is in its place. */
  function rewrite(): void {
    lines = values.size
    const fresh = openSync(`${file}.new`, 'w', 0o600)
    for (const entry of values) write(fresh, entry)
    fsyncSync(fresh)
    renameSync(`${file}.new`, file)
    closeSync(handle)
    handle = fresh
    const folder = openSync(dirname(file), 'r')
    fsyncSync(folder)
    closeSync(folder)
  }

  return {
    get: (name) => values.get(name),
    all: () => values,
    put(name, value, lasting = true) {
      // The file first: what could not be written has not happened.
      write(handle, [name, value])
      if (lasting) fsyncSync(handle)
      values.set(name, value)
      if (value === undefined) values.delete(name)
      if (++lines >= 1_000 + 4 * values.size) rewrite()
    },
    close: () => closeSync(handle),
  }
}

/** The line begins with its end: one that broke off spoils only itself. */
function write(handle: number, entry: readonly [string, unknown]): void {
  appendFileSync(handle, `\n${JSON.stringify(entry)}`)
}

function entryOf(line: string): [string, unknown][] {
  try {
    const [name, value] = JSON.parse(line)
    return [[name, value ?? undefined]]
  } catch {
    return []
  }
}
