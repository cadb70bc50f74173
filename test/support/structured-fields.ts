/** A List of Items (RFC 9651 section 3.1), as far as the RateLimit fields use it: Strings with Integer parameters. */
export interface Item {
  readonly value: string
  readonly parameters: Readonly<Record<string, number>>
}

/** Parses a field strictly, as section 4.2 has it; anything that is not allowed throws. */
export function parseList(field: string): readonly Item[] {
  const items: Item[] = []
  const text = new Scanner(field.replace(/^ +| +$/g, ''))
  while (!text.done) {
    items.push(parseItem(text))
    text.skip(/^[ \t]*/)
    if (text.done) return items
    text.take(/^,[ \t]*/, 'a comma')
    if (text.done) throw new Error('a trailing comma')
  }
  return items
}

function parseItem(text: Scanner): Item {
  // Section 4.2.5: only printable ASCII, and only `"` and `\` may and must be escaped.
  const quoted = text.take(/^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"/, 'a String')
  const parameters: Record<string, number> = {}
  while (text.skip(/^; */) !== '') {
    const key = text.take(/^[a-z*][a-z0-9_\-.*]*/, 'a key')
    text.take(/^=/, 'a value')
    const number = text.take(/^-?\d{1,15}(?![\d.])/, 'an Integer')
    parameters[key] = Number(number)
  }
  return { value: quoted.slice(1, -1).replaceAll(/\\(["\\])/g, '$1'), parameters }
}

class Scanner {
  #rest: string

  constructor(text: string) {
    this.#rest = text
  }

  get done(): boolean {
    return this.#rest === ''
  }

  skip(pattern: RegExp): string {
    const found = pattern.exec(this.#rest)?.[0] ?? ''
    this.#rest = this.#rest.slice(found.length)
    return found
  }

  take(pattern: RegExp, what: string): string {
    const found = this.skip(pattern)
    if (found === '') throw new Error(`no ${what} at ${JSON.stringify(this.#rest)}`)
    return found
  }
}
