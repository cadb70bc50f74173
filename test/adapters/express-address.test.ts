import type { ApiKeysOptions, KeyEvent } from 'keyward'
import { createApiKeys } from 'keyward'
import { describe, expect, it } from 'vitest'
import { ADDRESS_CASES, type AddressCase } from '../support/addresses.ts'
import { type Carrier, EVERY_WAY, type ExpressModule } from '../support/express.ts'
import { serveGuarded } from '../support/guarded.ts'
import { raw, request } from '../support/raw.ts'

/** Every address there is: what does not pass this allowlist has no known address. */
const EVERYWHERE = ['0.0.0.0/0', '::/0']

/** Sends the request with a key that only the expected client may use, and with one that any known client may. */
async function ask(
  way: Carrier & { express: ExpressModule },
  { trustedProxies, from, lines = [], client }: AddressCase,
) {
  const events: KeyEvent[] = []
  const stated: Pick<ApiKeysOptions, 'trustedProxies'> = trustedProxies === undefined ? {} : { trustedProxies }
  const keys = createApiKeys({ prefix: 'ip_', ...way.options, ...stated, onEvent: (event) => events.push(event) })
  const { port, reached } = await serveGuarded(way.express, keys)
  const send = async (allowedIps: readonly string[] | undefined) => {
    const created = await keys.create({ owner: 'acct_1', allowedIps })
    const sent = request([...lines, ...way.lines(created)])
    return (await raw(port, sent, '127.0.0.1', from)).status
  }
  const statuses = {
    everywhere: await send(EVERYWHERE),
    exactly: await send([client ?? '127.0.0.0/8']),
    elsewhere: await send(['198.18.0.0/15']),
    unlimited: await send(undefined),
  }
  const told = events.flatMap((event) => (event.type === 'admitted' ? [event.address] : []))
  return { statuses, reached: reached.length, address: told.at(-1) }
}

for (const way of EVERY_WAY) {
  describe(`I. Client IP and allowlist, ${way.name}, ${way.source}`, () => {
    for (const given of ADDRESS_CASES) {
      it(given.name, async () => {
        const { statuses, reached, address } = await ask(way, given)
        const known = given.client === undefined ? 403 : 200
        expect(statuses).toEqual({ everywhere: known, exactly: known, elsewhere: 403, unlimited: 200 })
        expect(reached).toBe(given.client === undefined ? 1 : 3)
        expect(address).toBe(given.client)
      })
    }
  })
}
