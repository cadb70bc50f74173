import { isEmpty } from './fetch/response.ts'
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
  const isCopied = isEmpty(c.res)
  for (const [name, value] of Object.entries(fields)) {
    if (name.toLowerCase() === 'vary') put(c, name, varyWith(c.res.headers.get(name), value), isCopied)
    else if (!guarded.has(c) || !c.res.headers.has(name)) put(c, name, value, isCopied)
  }
  guarded.add(c)
}

/** On the response itself, or by Hono, which makes another of it: for what may be the host's constant, or cannot be changed. */
function put(c: Context, name: string, value: string, isCopied: boolean): void {
  try {
    if (isCopied) c.header(name, value)
    else c.res.headers.set(name, value)
  } catch {
    c.header(name, value)
  }
}

/** Hono merges the fields of the old response into a new one, unless there is no old one. */
export function replaceResponse(c: { res: Response | undefined }, response: Response): void {
  c.res = undefined
  c.res = response
}
