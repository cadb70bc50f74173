/** Addresses as numbers, worked out from their text by rules of RFC 4291 and nothing that Keyward uses. */

export interface Numbered {
  readonly family: 4 | 6
  readonly value: bigint
}

export const BITS = { 4: 32, 6: 128 } as const

/** @param text an address of valid form */
export function numberOf(text: string): Numbered {
  if (!text.includes(':')) return { family: 4, value: quad(text) }
  const value = groups(text)
  return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffffffffn } : { family: 6, value }
}

function quad(text: string): bigint {
  return text.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n)
}

function groups(text: string): bigint {
  const dotted = /(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1]
  const hex = dotted === undefined ? text : text.replace(dotted, hexOf(quad(dotted)))
  const [head = '', tail] = hex.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].reduce((value, part) => value * 65_536n + BigInt(`0x${part}`), 0n)
}

function hexOf(value: bigint): string {
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}

/** The text of a number, spelled out in full. */
export function textOf({ family, value }: Numbered): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  return Array.from({ length: 8 }, (_, i) => ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16)).join(':')
}

/** Whether a number lies in the block of this many leading bits. */
export function lies(address: Numbered, block: Numbered, length: number): boolean {
  if (address.family !== block.family) return false
  const rest = BigInt(BITS[block.family] - length)
  return address.value >> rest === block.value >> rest
}

/** The first address of the block of this many leading bits that holds a number. */
export function firstOf({ family, value }: Numbered, length: number): Numbered {
  const rest = BigInt(BITS[family] - length)
  return { family, value: (value >> rest) << rest }
}
