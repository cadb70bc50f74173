import { readFileSync } from 'node:fs'

/** The members that an interface of a source file declares. */
export function membersOf(path: string, name: string): readonly string[] {
  const body = new RegExp(`export interface ${name}\\b.*?\\{\\n(.*?)^\\}`, 'ms').exec(readFileSync(path, 'utf8'))?.[1]
  return [...(body ?? '').matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm)].map(([, member = '']) => member)
}

/** What stands in backquotes in the first cells of a table. */
export function namesIn(rows: readonly (readonly string[])[]): readonly string[] {
  return rows.flatMap(([first = '']) => [...first.matchAll(/`(\w+|[\w/]+)[^`]*`/g)].map(([, name = '']) => name))
}
