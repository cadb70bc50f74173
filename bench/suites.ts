import type { Variant } from './instrument.ts'
import { KEYWARD, NO_WINDOW, ONE_WINDOW } from './keyward.ts'
import { LEAST_PAIRS, leastVariants } from './least.ts'
import { NETWORK_PAIRS, networkVariants } from './networks.ts'
import { betterAuthVariant } from './peer-better-auth.ts'
import { keypalVariants } from './peer-keypal.ts'
import { BETTER_AUTH, FLEXIBLE, KEYPAL, PREFIXED, peerVariants } from './peers.ts'
import { OWNER_PAIRS, ownerVariants, SCALE_PAIRS, scaleVariants } from './scale.ts'

/** One variant on another, in the same rounds. */
export type Pair = readonly [name: string, base: string]

/** What is measured beside the verifications: each suite in processes of its own. */
export interface Suite {
  readonly title: string
  readonly variants: () => readonly Variant[] | Promise<readonly Variant[]>
  readonly pairs: readonly Pair[]
  /** In how many processes, where it takes long to begin. */
  readonly processes?: number
}

export const SUITES: Readonly<Record<string, Suite>> = {
  least: { title: 'The parts alone', variants: leastVariants, pairs: LEAST_PAIRS },
  networks: { title: 'Allowed networks', variants: networkVariants, pairs: NETWORK_PAIRS },
  scale: { title: 'Many keys in memory', variants: scaleVariants, pairs: SCALE_PAIRS, processes: 1 },
  owners: { title: 'An owner of many keys', variants: ownerVariants, pairs: OWNER_PAIRS, processes: 1 },
}

/** Peers on the verification of Keyward that does their work: what it does beyond that counts against it. */
export const PEER_PAIRS: readonly Pair[] = [
  [PREFIXED, 'Keyward: warm verify, no limits'],
  [FLEXIBLE, 'Keyward: warm verify, two windows'],
  [BETTER_AUTH, ONE_WINDOW],
  [KEYPAL, NO_WINDOW],
]

/** @param name of a suite, or of a variant of Keyward, which is timed with the peers beside it */
export async function variantsOf(name: string): Promise<readonly Variant[]> {
  const suite = SUITES[name]
  if (suite !== undefined) return suite.variants()
  const ours = await KEYWARD[name]?.(name)
  if (ours === undefined) throw new Error(`nobody knows ${name}`)
  return [...(await peerVariants()), ...(await rivalsOf(name)), ours]
}

/** Those that take long: not beside every variant. */
async function rivalsOf(name: string): Promise<readonly Variant[]> {
  if (name === ONE_WINDOW) return [await betterAuthVariant()]
  return name === NO_WINDOW ? keypalVariants() : []
}
