import { connect } from 'node:net'
import { createApiKeys, memoryStore } from 'keyward'
import { guard } from 'keyward/express'
import { describe, expect, it } from 'vitest'
import { EVERY_WAY } from '../support/express.ts'
import { serveGuarded } from '../support/guarded.ts'
import { listener } from '../support/outcome.ts'
import { raw, request } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { deferred } from '../support/stores.ts'
import { askUnix, socketPath } from '../support/unix.ts'

for (const way of EVERY_WAY) {
  describe(`I. Sockets, ${way.name}, ${way.source}`, () => {
    const { express, options, lines } = way
    const keysWith = (more = {}) => createApiKeys({ prefix: 'ip_', ...options, ...more })

    it('lets one loopback address in and another not, as for several hosts', async () => {
      const keys = keysWith()
      const created = await keys.create({ owner: 'acct_1', allowedIps: ['127.0.0.2', '127.0.1.0/24'] })
      const { port } = await serveGuarded(express, keys)
      const from = async (address: string) => (await raw(port, request(lines(created)), '127.0.0.1', address)).status
      expect(await Promise.all(['127.0.0.2', '127.0.1.9', '127.0.0.1', '127.0.2.1'].map(from))).toEqual([
        200, 200, 403, 403,
      ])
    })

    it('I-03 asks neither `trust proxy` nor `req.ip`, which a client can write', async () => {
      const keys = keysWith({ trustedProxies: [] })
      const created = await keys.create({ owner: 'acct_1', allowedIps: ['10.0.0.0/8'] })
      const app = express().set('trust proxy', true)
      const seen: unknown[] = []
      app.use((req, _res, next) => {
        seen.push(req.ip)
        next()
      })
      app.get('/', guard(keys), (_req, res) => res.json({}))
      const { port } = await serve(app)
      const spoofed = await raw(port, request([...lines(created), 'X-Forwarded-For: 10.0.0.5']))
      expect(seen).toEqual(['10.0.0.5'])
      expect(spoofed.status).toBe(403)
    })

    it('I-19 knows no address behind a unix socket, and needs none where there is no allowlist', async () => {
      const keys = keysWith({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] })
      const path = await socketPath()
      const app = express()
      app.get('/', guard(keys), (_req, res) => res.json({}))
      await serve(app, { path })
      const free = await keys.create({ owner: 'acct_1' })
      const bound = await keys.create({ owner: 'acct_1', allowedIps: ['0.0.0.0/0', '::/0'] })
      expect((await askUnix(path, lines(free))).status).toBe(200)
      expect((await askUnix(path, lines(bound))).status).toBe(403)
      // Who is behind it is told by nobody whom we could believe.
      expect((await askUnix(path, [...lines(bound), 'X-Forwarded-For: 10.0.0.5'])).status).toBe(403)
    })

    it('I-20 admits no request whose client is gone, and throws nothing', async () => {
      const heard = listener()
      const keys = keysWith({ store: memoryStore(), onEvent: heard.onEvent })
      const created = await keys.create({ owner: 'acct_1', allowedIps: ['127.0.0.0/8'] })
      const asked = deferred<void>()
      const left = deferred<void>()
      let reached = 0
      const app = express()
      app.use((req, _res, next) => {
        req.socket.once('close', () => {
          next()
          left.resolve()
        })
        asked.resolve()
      })
      app.get('/', guard(keys), () => {
        reached++
      })
      const { port } = await serve(app)
      const socket = connect(port, '127.0.0.1')
      socket.write(request(lines(created)))
      await asked.promise
      socket.destroy()
      await left.promise
      expect(heard.of('denied').map(({ code }) => code)).toEqual(['ip_not_allowed'])
      expect(heard.of('fault')).toEqual([])
      expect(reached).toBe(0)
    })

    it('I-22 decides alike whether a dual-stack socket says 127.0.0.1 or ::ffff:127.0.0.1', async () => {
      const keys = keysWith()
      const created = await keys.create({ owner: 'acct_1', allowedIps: ['127.0.0.0/8'] })
      const foreign = await keys.create({ owner: 'acct_1', allowedIps: ['10.0.0.0/8'] })
      const peers: unknown[] = []
      const app = express()
      app.use((req, _res, next) => {
        peers.push(req.socket.remoteAddress)
        next()
      })
      app.get('/', guard(keys), (_req, res) => res.json({}))
      const both = await serve(app, { host: '::' })
      const one = await serve(app, { host: '127.0.0.1' })
      const statuses: number[] = []
      for (const { port } of [both, one]) {
        statuses.push(
          (await raw(port, request(lines(created)))).status,
          (await raw(port, request(lines(foreign)))).status,
        )
      }
      expect(peers).toEqual(['::ffff:127.0.0.1', '::ffff:127.0.0.1', '127.0.0.1', '127.0.0.1'])
      expect(statuses).toEqual([200, 403, 200, 403])
    })

    it('I-22 finds a trusted proxy behind ::ffff: too', async () => {
      const keys = keysWith({ trustedProxies: ['127.0.0.1'] })
      const created = await keys.create({ owner: 'acct_1', allowedIps: ['10.0.0.0/8'] })
      const app = express()
      app.get('/', guard(keys), (_req, res) => res.json({}))
      const { port } = await serve(app, { host: '::' })
      const sent = request([...lines(created), 'X-Forwarded-For: ::ffff:10.0.0.5'])
      expect((await raw(port, sent)).status).toBe(200)
    })

    it('I-26 I-27 lets /0 cover its own family alone', async () => {
      const keys = keysWith()
      const ipv4 = await keys.create({ owner: 'acct_1', allowedIps: ['0.0.0.0/0'] })
      const ipv6 = await keys.create({ owner: 'acct_1', allowedIps: ['::/0'] })
      const app = express()
      app.get('/', guard(keys), (_req, res) => res.json({}))
      const { port } = await serve(app, { host: '::' })
      const ask = async (created: typeof ipv4, host: string) => (await raw(port, request(lines(created)), host)).status
      expect([await ask(ipv4, '127.0.0.1'), await ask(ipv4, '::1')]).toEqual([200, 403])
      expect([await ask(ipv6, '127.0.0.1'), await ask(ipv6, '::1')]).toEqual([403, 200])
    })

    it('I-36 tells the client neither the list nor the address, and tells the listener the address', async () => {
      const heard = listener()
      const keys = keysWith({ onEvent: heard.onEvent })
      const created = await keys.create({ owner: 'acct_1', allowedIps: ['198.51.100.7', '2001:db8::/32'] })
      const { port, reached } = await serveGuarded(express, keys)
      const answer = await raw(port, request(lines(created)), '127.0.0.1', '127.0.0.9')
      const told = JSON.stringify([answer.lines, answer.body])
      expect(answer.status).toBe(403)
      expect(told).not.toMatch(/127\.0\.0|198\.51|2001:db8/)
      expect(told).not.toContain(created.key.slice(-20))
      expect(heard.of('denied')).toMatchObject([{ code: 'ip_not_allowed', address: '127.0.0.9', owner: 'acct_1' }])
      expect(reached).toEqual([])
    })
  })
}
