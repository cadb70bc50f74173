/** The text of a key as it was issued. */
export interface Issued {
  readonly key: string
  readonly secret?: string
}

/** One header line: name and value. */
export type Line = readonly [name: string, value: string]

/** A place that credential text can stand in. */
export interface Place {
  readonly name: string
  /** Whether keys of this place come as key and secret. */
  readonly pair: boolean
  /** The header whose value is `change`d. */
  readonly header: string
  /** The request's header lines, with the text at this place changed. */
  lines(issued: Issued, change?: (text: string) => string): Line[]
}

const BEARER: Place = {
  name: 'Bearer',
  pair: false,
  header: 'Authorization',
  lines: ({ key }, change = same) => [['Authorization', `Bearer ${change(key)}`]],
}
const API_KEY: Place = {
  name: 'X-API-Key',
  pair: false,
  header: 'X-API-Key',
  lines: ({ key }, change = same) => [['X-API-Key', change(key)]],
}
const PAIR_KEY: Place = {
  name: 'the key of a pair',
  pair: true,
  header: 'X-API-Key',
  lines: ({ key, secret = '' }, change = same) => [
    ['X-API-Key', change(key)],
    ['X-API-Secret', secret],
  ],
}
const PAIR_SECRET: Place = {
  name: 'the secret of a pair',
  pair: true,
  header: 'X-API-Secret',
  lines: ({ key, secret = '' }, change = same) => [
    ['X-API-Key', key],
    ['X-API-Secret', change(secret)],
  ],
}

/** Every place of the sources that are read by default. */
export const PLACES: readonly Place[] = [BEARER, API_KEY, PAIR_KEY, PAIR_SECRET]

/** The lines with those of one header given twice: as they are, and as `again` makes them. */
export function repeated(lines: readonly Line[], header: string, again: (value: string) => string): Line[] {
  return lines.flatMap(([name, value]) =>
    name === header ? [[name, value] as const, [name, again(value)] as const] : [[name, value] as const],
  )
}

/** Lines as Node's `rawHeaders`. */
export function rawHeaders(lines: readonly Line[]): string[] {
  return lines.flat()
}

/** Lines as a map of names and values. */
export function headerMap(lines: readonly Line[]): Record<string, string> {
  return Object.fromEntries(lines.map(([name, value]) => [name.toLowerCase(), value]))
}

function same(text: string): string {
  return text
}
