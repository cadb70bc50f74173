import { type ApiKeysOptions, createApiKeys, type KeyEvent } from 'keyward'
import { describe, expect, it } from 'vitest'
import { ADDRESS_CASES, type AddressCase } from '../support/addresses.ts'
import { ask, FRAMEWORKS, type Framework, OVER_SOCKETS } from '../support/frameworks.ts'

/** Sends the request with a key that only the expected client may use, and with one that any known client may. */
async function judge(framework: Framework, { trustedProxies, from, lines = [], client }: AddressCase) {
  const events: KeyEvent[] = []
  const stated: Pick<ApiKeysOptions, 'trustedProxies'> = trustedProxies === undefined ? {} : { trustedProxies }
  const keys = createApiKeys({ prefix: 'ip_', ...stated, onEvent: (event) => events.push(event) })
  let reached = 0
  const bound = await framework.open(keys, undefined, () => ++reached)
  const send = async (allowedIps: readonly string[] | undefined) => {
    const { key } = await keys.create({ owner: 'acct_1', allowedIps })
    const options = from === undefined ? {} : { from }
    return (await ask(framework, bound, [...lines, `X-API-Key: ${key}`], options)).status
  }
  const statuses = {
    everywhere: await send(['0.0.0.0/0', '::/0']),
    exactly: await send([client ?? '127.0.0.0/8']),
    elsewhere: await send(['198.18.0.0/15']),
    unlimited: await send(undefined),
  }
  const told = events.flatMap((event) => (event.type === 'admitted' ? [event.address] : []))
  return { statuses, reached, address: told.at(-1) }
}

for (const framework of FRAMEWORKS) {
  // What a client of HTTP/2 does not send: bytes beyond ASCII, a control character, a value that is empty.
  const sendable = ADDRESS_CASES.filter(
    ({ lines = [] }) => !framework.http2 || lines.every((line) => !/[^ -~]/.test(line)),
  )
  describe(`I. Client IP and allowlist, ${framework.name}`, () => {
    for (const given of sendable) {
      it(given.name, async () => {
        const { statuses, reached, address } = await judge(framework, given)
        const known = given.client === undefined ? 403 : 200
        expect(statuses).toEqual({ everywhere: known, exactly: known, elsewhere: 403, unlimited: 200 })
        expect(reached).toBe(given.client === undefined ? 1 : 3)
        expect(address).toBe(given.client)
      })
    }
  })
}

for (const framework of OVER_SOCKETS) {
  describe(`I. Sockets, ${framework.name}`, () => {
    it('I-22 I-26 I-27 decides alike on a dual-stack socket, and /0 covers its own family alone', async () => {
      const keys = createApiKeys({ prefix: 'ip_' })
      const bound = await framework.open(keys, undefined, () => 'reached', '::')
      const status = async (allowedIps: readonly string[], host: string) => {
        const { key } = await keys.create({ owner: 'acct_1', allowedIps })
        return (await ask(framework, { ...bound, host }, [`X-API-Key: ${key}`])).status
      }
      expect(await status(['127.0.0.0/8'], '127.0.0.1')).toBe(200)
      expect(await status(['10.0.0.0/8'], '127.0.0.1')).toBe(403)
      expect([await status(['0.0.0.0/0'], '127.0.0.1'), await status(['0.0.0.0/0'], '::1')]).toEqual([200, 403])
      expect([await status(['::/0'], '127.0.0.1'), await status(['::/0'], '::1')]).toEqual([403, 200])
    })
  })
}
