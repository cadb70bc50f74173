/** What is wrong with a line, and where it is easily mended, what it should be. */
export interface AddressFlaw {
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

/** Four numbers for IPv4, eight for IPv6, strictly as RFC 4291 and dotted-quad text have it. */
function groupsOf(host: string): readonly number[] | undefined {
  if (!host.includes(':')) return quad(host)
  const dotted = host.slice(host.lastIndexOf(':') + 1)
  const tail = dotted.includes('.') ? quad(dotted) : []
  if (tail === undefined) return undefined
  const [a = 0, b = 0, c = 0, d = 0] = tail
  const text = dotted.includes('.')
    ? `${host.slice(0, -dotted.length)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
    : host
  const [front = '', back, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const before = hextets(front)
  const after = back === undefined ? [] : hextets(back)
  const missing = 8 - before.length - after.length
  if (back === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...before, ...Array<number>(missing).fill(0), ...after]
  return groups.every((group) => group >= 0) ? groups : undefined
}

/** -1 for what is no group. */
function hextets(text: string): readonly number[] {
  if (text === '') return []
  return text.split(':').map((group) => (/^[\da-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : -1))
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
