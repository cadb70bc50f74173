/** Something that is timed. Every call is given a text of its own that nobody has looked at before. */
export interface Variant {
  readonly name: string
  /** Whether a call answers with a promise; its awaiting is then part of what it costs. */
  readonly waits: boolean
  /** Of something slow: how often it is called in a round, instead of as often as the plan says. */
  readonly calls?: number
  /** Throws unless the variant does its work: admits the valid, refuses the invalid, enforces limits. */
  check(): void | Promise<void>
  /** As many fresh texts; made outside of the timed part. */
  texts(calls: number): readonly string[]
  call(text: string): unknown
  /** Whether a result is the one that the variant is there for. */
  isRight(result: unknown): boolean
}

export interface Plan {
  readonly rounds: number
  /** Rounds before the first that counts. */
  readonly warmUp: number
  /** Calls of each variant in each round. */
  readonly calls: number
}

/** Nanoseconds of CPU a call by variant, one number a round: the numbers at one index were taken within the same second. */
export type Timings = Readonly<Record<string, readonly number[]>>

type Loop = (call: Variant['call'], texts: readonly string[]) => unknown

/** Times the variants side by side: all of them in every round, each round in another order. */
export async function measure(variants: readonly Variant[], plan: Plan): Promise<Timings> {
  for (const variant of variants) await variant.check()
  const lanes = variants.map((variant) => ({ variant, loop: newLoop(variant.waits), times: [] as number[] }))
  for (let round = -plan.warmUp; round < plan.rounds; round++) {
    for (const { variant, loop, times } of shuffled(lanes)) {
      const time = await timeOf(variant, loop, Math.min(plan.calls, variant.calls ?? plan.calls))
      if (round >= 0) times.push(time)
    }
  }
  return Object.fromEntries(lanes.map(({ variant, times }) => [variant.name, times]))
}

async function timeOf(variant: Variant, loop: Loop, calls: number): Promise<number> {
  const texts = variant.texts(calls)
  await settleDown()
  const start = cpuTime()
  // Awaiting what is no promise would cost a variant that never waits nothing worth telling, but it is not its work.
  const pending = loop(variant.call, texts)
  const last = variant.waits ? await pending : pending
  const time = (cpuTime() - start) / calls
  if (!variant.isRight(last)) throw new Error(`${variant.name}: the last call answered ${JSON.stringify(last)}`)
  return time
}

/** Nanoseconds of CPU that this process has used, garbage collection included: what other processes take does not count. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

/** Timers of other variants run now, and two scavenges move the texts away from where the garbage of the calls will be. */
async function settleDown(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  for (let times = 0; times < 2; times++) globalThis.gc?.({ type: 'minor' })
}

const AsyncFunction = (async () => {}).constructor as FunctionConstructor

/** A loop for each variant: the engine would compile one for all in a way that fits none, and H could gain by it. */
function newLoop(waits: boolean): Loop {
  const call = waits ? 'await call(texts[i])' : 'call(texts[i])'
  const body = `let last; for (let i = 0; i < texts.length; i++) last = ${call}; return last`
  return (waits ? new AsyncFunction('call', 'texts', body) : new Function('call', 'texts', body)) as Loop
}

export function shuffled<T>(items: readonly T[]): readonly T[] {
  const order = [...items]
  for (let at = order.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1))
    ;[order[at], order[other]] = [order[other] as T, order[at] as T]
  }
  return order
}

/** The quartiles of some numbers. */
export interface Spread {
  readonly q1: number
  readonly median: number
  readonly q3: number
}

export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = [...numbers].sort((a, b) => a - b)
  return { q1: quantile(sorted, 0.25), median: quantile(sorted, 0.5), q3: quantile(sorted, 0.75) }
}

function quantile(sorted: readonly number[], part: number): number {
  const at = (sorted.length - 1) * part
  const [low = Number.NaN, high = low] = sorted.slice(Math.floor(at), Math.floor(at) + 2)
  return low + (high - low) * (at - Math.floor(at))
}

/** A variant beside the base: both were timed in the same round, so that whatever slowed the machine slowed both. */
export function ratios(times: readonly number[], base: readonly number[]): readonly number[] {
  return times.map((time, round) => time / (base[round] ?? Number.NaN))
}
