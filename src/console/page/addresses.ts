/** What is wrong with a line, and where it is easily mended, what it should be. */
interface AddressFlaw {
  /** Counted from 1. */
  readonly line: number
  readonly text: string
  readonly kind: 'address' | 'length' | 'host bits'
  readonly most: number
  readonly suggestion: string
}

/** The addresses in a text, one a line. */
export function addressLines(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}

/** The first line that the service would refuse, so that it is told while it is typed. */
export function addressFlaw(text: string): AddressFlaw | undefined {
  for (const [index, line] of text.split('\n').entries()) {
    const written = line.trim()
    const flaw = written === '' ? undefined : flawOf(written)
    if (flaw !== undefined) return { line: index + 1, text: written, ...flaw }
  }
  return undefined
}

function flawOf(text: string): Omit<AddressFlaw, 'line' | 'text'> | undefined {
  const [host = '', length, ...more] = text.split('/')
  const groups = more.length > 0 ? undefined : groupsOf(host)
  if (groups === undefined) return { kind: 'address', most: 0, suggestion: '' }
  const size = groups.length === 4 ? 8 : 16
  const most = groups.length * size
  if (length === undefined) return undefined
  const bits = /^(0|[1-9]\d{0,2})$/.test(length) ? Number(length) : most + 1
  if (bits > most) return { kind: 'length', most, suggestion: '' }
  const clear = groups.map((group, i) => group & ~(2 ** Math.min(size, Math.max(0, (i + 1) * size - bits)) - 1))
  if (clear.every((group, i) => group === groups[i])) return undefined
  return { kind: 'host bits', most, suggestion: `${written(clear)}/${bits}` }
}

/** Four numbers for IPv4, eight for IPv6, strictly as dotted-quad text and RFC 4291 have it: URLs have the same form. */
function groupsOf(host: string): readonly number[] | undefined {
  if (!host.includes(':')) return quad(host)
  const url = `http://[${host}]`
  if (!/^[\da-f:.]+$/i.test(host) || !URL.canParse(url)) return undefined
  const [before = [], after] = new URL(url).hostname.slice(1, -1).split('::').map(hextets)
  return after === undefined
    ? before
    : [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function hextets(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
}

function quad(text: string): readonly number[] | undefined {
  const parts = text.split('.')
  const isOctet = (part: string) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255
  return parts.length === 4 && parts.every(isOctet) ? parts.map(Number) : undefined
}

function written(groups: readonly number[]): string {
  if (groups.length === 4) return groups.join('.')
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).hostname.slice(1, -1)
}
