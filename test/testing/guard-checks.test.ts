import { guard } from 'keyward/fetch'
import { type GuardHarness, guardChecks } from 'keyward/testing'
import { describe, expect, it } from 'vitest'

/** An adapter for no server at all, and what may be wrong with it. */
interface Mistake {
  /** What it makes of header lines. */
  readonly headers?: (lines: readonly (readonly [string, string])[]) => Headers
  readonly address?: () => string | undefined
  readonly answer?: (response: Response) => Response
  /** Calls the handler whatever the guard says. */
  readonly open?: boolean
  /** Calls it where the guard throws. */
  readonly trusting?: boolean
}

function joined(lines: readonly (readonly [string, string])[]): Headers {
  const headers = new Headers()
  for (const [name, value] of lines) headers.append(name, value)
  return headers
}

/** As Node has them in `req.headers`: of `Authorization` only the first. */
function firstOfEach(lines: readonly (readonly [string, string])[]): Headers {
  const names = lines.map(([name]) => name)
  return joined(lines.filter(([name], at) => name !== 'Authorization' || names.indexOf(name) === at))
}

function harness({
  headers = joined,
  address = () => '127.0.0.1',
  answer = (r) => r,
  open = false,
  trusting = false,
}: Mistake): GuardHarness {
  return {
    header: (request: Request, name) => request.headers.get(name) ?? undefined,
    serve({ keys, demand, handle }) {
      const guarded = guard(
        keys,
        { ...demand, address },
        async (_request, access) => new Response(await handle(access)),
      )
      const goOn = async () => new Response(await handle(undefined), { status: 500 })
      return {
        async send({ method, headers: lines }) {
          const asked = guarded(new Request('http://localhost/', { method, headers: headers(lines) }))
          const response = answer(await (trusting ? asked.catch(goOn) : asked))
          if (open && response.status !== 200) await handle(undefined)
          const body = method === 'HEAD' ? '' : await response.text()
          return { status: response.status, headers: Object.fromEntries(response.headers), body }
        },
      }
    },
  }
}

async function failed(mistake: Mistake): Promise<readonly string[]> {
  const outcomes = await Promise.all(
    guardChecks(harness(mistake)).map(async ({ id, run }) => {
      const error = await run().catch((reason: Error) => reason)
      return error === undefined ? [] : [id]
    }),
  )
  return outcomes.flat()
}

const without = (name: string) => (response: Response) => {
  response.headers.delete(name)
  return response
}

describe('guardChecks', () => {
  it('pass on an adapter that does what it should', async () => {
    expect(await failed({})).toEqual([])
  })

  it.each<[string, Mistake, readonly string[]]>([
    ['calls the handler in any case', { open: true }, ['nothing', 'revoked-holder', 'store-throws']],
    ['takes the last of two lines', { headers: (lines) => new Headers(Object.fromEntries(lines)) }, ['repeated-same']],
    ['reads two lines of Authorization as one', { headers: firstOfEach }, ['repeated-bearer', 'repeated-bearer-same']],
    ['goes on where a demand throws', { trusting: true }, ['owner-throws']],
    ['believes in no address', { address: () => undefined }, ['ip', 'ip-proxied']],
    ['takes any address for granted', { address: () => '198.51.100.7' }, ['ip-not']],
    ['forgets Vary', { answer: without('vary') }, ['bearer', 'nothing']],
    ['forgets the challenge', { answer: without('www-authenticate') }, ['nothing', 'malformed']],
    ['forgets the limits', { answer: without('ratelimit') }, ['limits', 'limits-spent']],
    ['forgets the end of an overlap', { answer: without('sunset') }, ['overlap']],
    [
      'answers with another type',
      {
        answer: (response) =>
          new Response(response.body, {
            status: response.status,
            headers: { ...Object.fromEntries(response.headers), 'content-type': 'application/json' },
          }),
      },
      ['nothing'],
    ],
    [
      'answers with another status',
      { answer: ({ body, headers }) => new Response(body, { status: 200, headers }) },
      ['nothing'],
    ],
  ])('find an adapter that %s', async (_mistake, mistake, found) => {
    expect(await failed(mistake)).toEqual(expect.arrayContaining([...found]))
  })

  it('say what should have been, and what was', async () => {
    const check = guardChecks(harness({ answer: without('vary') })).find(({ id }) => id === 'nothing')
    await expect(check?.run()).rejects.toThrow('the header Vary should be "authorization, x-api-key", not "absent"')
  })
})
