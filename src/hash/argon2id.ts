import { randomBytes, timingSafeEqual } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { Algorithm, hashRaw } from '@node-rs/argon2'
import { flawedAt, KeywardError } from '../model/errors.ts'
import type { Hasher } from '../model/hasher.ts'
import { isObject } from '../model/is-object.ts'
import { show } from '../model/redact.ts'
import { howToHave, requireFromHere } from '../model/require.ts'
import { isWhole } from '../model/whole.ts'
import { workQueue } from './work-queue.ts'

export interface Argon2idOptions {
  /**
   * Memory of one hash, KiB: 7168 to 262144.
   * @default 19456 (19 MiB, OWASP Password Storage Cheat Sheet)
   */
  readonly memory?: number
  /**
   * Passes over the memory: 1 to 10.
   * @default 2
   */
  readonly passes?: number
  /**
   * Lanes: 1 to 16.
   * @default 1
   */
  readonly lanes?: number
  /**
   * Hashes computed side by side: 1 to 4. Node's thread pool has four threads, and files and name look-ups need some.
   * @default as many as there are processors, at most 3
   */
  readonly concurrency?: number
  /**
   * Hashes that may wait: 0 to 100,000; past that a request is `unavailable`.
   * @default 256
   */
  readonly queue?: number
}

/** The costs of one hash, within these bounds: a stored hash beyond them is refused before any memory is asked for. */
interface Costs {
  readonly memory: number
  readonly passes: number
  readonly lanes: number
}

const BOUNDS = {
  memory: [7168, 262_144],
  passes: [1, 10],
  lanes: [1, 16],
  concurrency: [1, 4],
  queue: [0, 100_000],
} as const
const SALT_BYTES = 16
const HASH_BYTES = 32
/** `Algorithm.Argon2id`: the package declares it as an ambient const enum, which has no value to import. */
const ARGON2ID = 2 as Algorithm.Argon2id
/** The string format of the reference implementation, without its leading `$`. */
const FORMAT = /^argon2id\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})\$([A-Za-z0-9+/]{22})\$([A-Za-z0-9+/]{43})$/

/**
 * Keeps keys as argon2id (RFC 9106), for where a rule asks for a slow hash. It makes nothing safer: what Keyward issues is
 * random enough for `sha256()`. A text that was proved is remembered as a fast salted digest, so that
 * only the first use in a process pays. Needs the optional peer `@node-rs/argon2`.
 * @throws KeywardError `CONFIG` for a cost out of bounds or an unknown option, and where the package is not installed
 */
export function argon2id(options: Argon2idOptions = {}): Hasher {
  if (!isObject(options))
    throw new KeywardError('CONFIG', `argon2id(): options must be an object, not ${show(options)}`)
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(BOUNDS, name))
  if (unknown !== undefined) {
    throw flawedAt('CONFIG', unknown, `is no option (${Object.keys(BOUNDS).join(', ')})`, 'argon2id(): ')
  }
  const costs = {
    memory: bounded('memory', options.memory, 19_456),
    passes: bounded('passes', options.passes, 2),
    lanes: bounded('lanes', options.lanes, 1),
  }
  const atOnce = bounded('concurrency', options.concurrency, Math.min(availableParallelism(), 3))
  const queue = workQueue(atOnce, bounded('queue', options.queue, 256))
  const start = `argon2id$v=19$m=${costs.memory},t=${costs.passes},p=${costs.lanes}$`
  const nobody = randomBytes(SALT_BYTES)
  const compute = loadArgon2()

  return {
    scheme: 'argon2id',
    cheap: false,
    async make(text) {
      const salt = randomBytes(SALT_BYTES)
      const hash = await queue.run(() => compute(text, salt, costs))
      return `${start}${base64(salt)}$${base64(hash)}`
    },
    /** Every hash has a salt of its own: two secrets are two computations, the second only where the first is not it. */
    async check(text, kept) {
      for (const [i, hash] of kept.entries()) if (await matches(text, hash)) return i
      return -1
    },
    knows: (kept) => parse(kept) !== undefined,
    outdated: (kept) => !kept.startsWith(start),
    waste: (text) => queue.pretend(() => compute(text, nobody, costs)),
  }

  async function matches(text: string, kept: string): Promise<boolean> {
    const parsed = parse(kept)
    if (parsed !== undefined)
      return timingSafeEqual(await queue.run(() => compute(text, parsed.salt, parsed.costs)), parsed.hash)
    await queue.pretend(() => compute(text, nobody, costs))
    return false
  }
}

type Compute = (text: string, salt: Buffer, costs: Costs) => Promise<Buffer>

/** @throws KeywardError `CONFIG` where the package is not there, or has no binary for this machine: nothing takes its place */
function loadArgon2(): Compute {
  let argon2: { readonly hashRaw: typeof hashRaw }
  try {
    argon2 = requireFromHere('@node-rs/argon2') as typeof argon2
  } catch (error) {
    throw new KeywardError('CONFIG', `argon2id() needs its package: ${howToHave('@node-rs/argon2', error)}`)
  }
  return (text, salt, costs) => argon2.hashRaw(text, optionsOf(salt, costs))
}

function optionsOf(salt: Buffer, { memory, passes, lanes }: Costs): Parameters<typeof hashRaw>[1] {
  return {
    algorithm: ARGON2ID,
    memoryCost: memory,
    timeCost: passes,
    parallelism: lanes,
    outputLen: HASH_BYTES,
    salt,
  }
}

function parse(kept: string): { costs: Costs; salt: Buffer; hash: Buffer } | undefined {
  const match = FORMAT.exec(kept)
  if (match === null) return undefined
  const [, memory, passes, lanes, salt, hash] = match
  const costs = { memory: Number(memory), passes: Number(passes), lanes: Number(lanes) }
  if (!within('memory', costs.memory) || !within('passes', costs.passes) || !within('lanes', costs.lanes))
    return undefined
  return { costs, salt: Buffer.from(salt as string, 'base64'), hash: Buffer.from(hash as string, 'base64') }
}

function within(name: keyof typeof BOUNDS, value: unknown): value is number {
  return isWhole(value, ...BOUNDS[name])
}

function bounded(name: keyof typeof BOUNDS, value: number | undefined, usual: number): number {
  if (value === undefined) return usual
  if (within(name, value)) return value
  const [least, most] = BOUNDS[name]
  throw new KeywardError(
    'CONFIG',
    `argon2id(): ${name} must be a whole number from ${least} to ${most}, not ${show(value)}`,
  )
}

/** Without padding, as the format has it. */
function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '')
}
