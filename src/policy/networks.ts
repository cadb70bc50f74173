import { type Cidr, compileNetworks, type Networks, parseCidr } from '../network/cidr.ts'

export const MOST_NETWORKS = 1000

/** What is wrong with one entry of an allowlist, or `undefined`. */
export function networkFlaw(entry: unknown): string | undefined {
  const block = typeof entry === 'string' ? parseCidr(entry) : 'must be text'
  return typeof block === 'string' ? block : undefined
}

/** An allowlist, ready to be asked. An entry that cannot be read, or a list that is none, lets nobody in. */
export function allowlist(entries: unknown): Networks {
  const blocks = Array.isArray(entries) ? entries.map((entry) => parseCidr(String(entry))) : []
  return compileNetworks(blocks.filter((block): block is Cidr => typeof block !== 'string'))
}
