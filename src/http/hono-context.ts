import { varyWith } from './vary.ts'

/** What is used of a context of Hono. */
interface Context {
  res: Response
  header(name: string, value: string): void
}

/** Where a guard has said already what is left. */
const guarded = new WeakSet<Context>()

/** Sets header fields. Guards say theirs from the inside out: what a later one took is said already, and stays. */
export function setFields(c: Context, fields: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'Vary') c.header(name, varyWith(c.res.headers.get(name), value))
    else if (!guarded.has(c) || !c.res.headers.has(name)) c.header(name, value)
  }
  guarded.add(c)
}

/** Hono merges the fields of the old response into a new one, unless there is no old one. */
export function replaceResponse(c: { res: Response | undefined }, response: Response): void {
  c.res = undefined
  c.res = response
}
