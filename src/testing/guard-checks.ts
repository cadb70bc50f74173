import { createGuard, type Decision } from '../http/guard.ts'
import type { Access, ApiKeys } from '../index.ts'
import type { Awaitable } from '../model/awaitable.ts'
import type { Demand } from '../model/demand.ts'
import { inFiveSeconds } from './deadline.ts'
import { type Line, type Play, play, type ReadHeader, type Scene } from './guard-scene.ts'
import { ANSWER_SCENES } from './guard-scenes-answers.ts'
import { CREDENTIAL_SCENES } from './guard-scenes-credentials.ts'
import { RULE_SCENES } from './guard-scenes-rules.ts'
import { TRANSPORT_SCENES } from './guard-scenes-transport.ts'

/** A route behind the guard under test. */
export interface GuardedRoute {
  /**
   * Sends a request to it, from 127.0.0.1 or ::1, with these header lines; a name may be there twice. Rejects where no
   * answer comes.
   */
  send(request: { readonly method: string; readonly headers: readonly Line[] }): Promise<SentAnswer>
  close?(): Awaitable<unknown>
}

/** What came back. The names of headers in any case. */
export interface SentAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

/** What the author of an adapter brings. */
export interface GuardHarness {
  /**
   * Serves one route for every method behind `guard(keys, demand)`. Its handler awaits `handle`, and answers 200
   * `application/json` with the text that it gives.
   */
  serve(setup: {
    readonly keys: ApiKeys | readonly ApiKeys[]
    readonly demand: Demand | undefined
    readonly handle: (access: Access | undefined) => Promise<string>
  }): Awaitable<GuardedRoute>
  /** Reads a header of the framework's request object: what the functions of a demand are given. */
  header: ReadHeader
}

/** One promise of a guard, for any test runner: `test(check.name, check.run)`. */
export interface GuardCheck {
  /** Short and stable, to select by. */
  readonly id: string
  readonly name: string
  /** Rejects with an `Error` that says what to mend, at the latest after 5 seconds. */
  run(): Promise<void>
}

const SCENES: readonly Scene[] = [...CREDENTIAL_SCENES, ...TRANSPORT_SCENES, ...RULE_SCENES, ...ANSWER_SCENES]

/**
 * What a guard for any framework must do, as checks that any test runner can run: who is let to the handler, and each
 * answer byte for byte.
 *
 * ```ts
 * for (const check of guardChecks(myHarness)) test(check.name, check.run)
 * ```
 */
export function guardChecks(harness: GuardHarness): readonly GuardCheck[] {
  return SCENES.map((scene) => ({
    id: scene.id,
    name: `${scene.name}: ${scene.expected}`,
    run: () => inFiveSeconds(run(scene, harness), () => 'there was no answer'),
  }))
}

async function run(scene: Scene, harness: GuardHarness): Promise<void> {
  const { expected, method = 'GET' } = scene
  const wanted = expected === 'fault' ? undefined : await want(scene)
  const set = await play(scene, harness.header)
  const reached: (string | undefined)[] = []
  const handle = async (access: Access | undefined): Promise<string> => {
    reached.push(access?.owner)
    return bodyFor(access)
  }
  const { demand } = set
  const route = await harness.serve({ keys: set.guarded.length === 1 ? set.keys : set.guarded, demand, handle })
  try {
    const asked = Promise.resolve(route.send({ method, headers: set.lines }))
    const answer = await (wanted === undefined ? asked.catch(() => undefined) : asked)
    const owners = expected === 'admitted' ? ['acct_1'] : expected === 'anonymous' ? [undefined] : []
    agree('the owners of what reached the handler', reached.map(String), owners.map(String))
    if (wanted === undefined) agree('that the answer is a fault', (answer?.status ?? 500) >= 500, true)
    else compare(answer as SentAnswer, wanted, method)
    const secret = (set.created.secret ?? set.created.key).slice(-38)
    if (JSON.stringify({ answer }).includes(secret)) throw new Error('the answer holds the secret of a key')
  } finally {
    await route.close?.()
  }
}

function compare(answer: SentAnswer, wanted: Wanted, method: string): void {
  agree('the status', answer.status, wanted.status)
  agree('the body', anonymised(answer.body), method === 'HEAD' ? '' : wanted.body)
  for (const [name, value] of Object.entries(wanted.headers)) {
    agree(`the header ${name}`, anonymised(fieldOf(answer, name) ?? 'absent'), value)
  }
}

interface Wanted {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What the core itself says to the same request. */
async function want(scene: Scene): Promise<Wanted> {
  const set = await play(scene, ((request: Headers, name: string) => request.get(name) ?? undefined) as ReadHeader)
  const ask = createGuard(set.guarded, set.demand)
  const decision = await ask({ rawHeaders: set.lines.flat(), peer: '127.0.0.1', request: bagOf(set) })
  agree('what the core says (not the adapter)', wordOf(decision), scene.expected)
  if (decision.answer === undefined)
    return { status: 200, headers: decision.headers, body: bodyFor(decision.verdict.access) }
  const { status, headers, body } = decision.answer
  const length = { 'Content-Length': String(new TextEncoder().encode(body).length) }
  const cleaned = Object.entries({ ...headers, ...length }).map(([name, value]) => [name, anonymised(value)])
  return { status, headers: Object.fromEntries(cleaned), body: anonymised(body) }
}

function bagOf({ lines }: Play): Headers {
  const bag = new Headers()
  for (const [name, value] of lines) bag.append(name, value)
  return bag
}

function wordOf({ verdict }: Decision): string {
  if (!verdict.ok) return verdict.code
  return verdict.access === undefined ? 'anonymous' : 'admitted'
}

function bodyFor(access: Access | undefined): string {
  return JSON.stringify({ owner: access?.owner ?? null })
}

/** Each request has an id of its own. */
function anonymised(text: string): string {
  return text.replaceAll(/req_[0-9a-f]{32}/g, 'req_')
}

function fieldOf({ headers }: SentAnswer, name: string): string | undefined {
  const found = Object.entries(headers).filter(([key]) => key.toLowerCase() === name.toLowerCase())
  return found.length === 0 ? undefined : found.map(([, value]) => String(value)).join(', ')
}

function agree(what: string, got: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${what} should be ${b}, not ${a}`)
}
