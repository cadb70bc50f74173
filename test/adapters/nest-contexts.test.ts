import { once } from 'node:events'
import type { ArgumentsHost } from '@nestjs/common'
import { createApiKeys } from 'keyward'
import { ApiKey, CurrentApiKey, KeywardGuard, KeywardModule, Public } from 'keyward/nest'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { freePort } from '../support/free-port.ts'
import { createNest, importOf, NESTS, packagesOf } from '../support/nest.ts'

type Microservices = typeof import('@nestjs/microservices')
type WebSockets = typeof import('@nestjs/websockets')

/** The kinds of messages are the same on each platform. */
for (const kind of NESTS.filter(({ platform }) => platform === 'Express')) {
  describe(`keyward/nest is for HTTP, Nest ${kind.major}`, async () => {
    const { common, core } = await packagesOf(kind)
    const { Controller, Module } = common
    const keys = createApiKeys({ prefix: 'ctx_' })
    const reached: string[] = []
    const everywhere = { provide: core.APP_GUARD, useClass: KeywardGuard }
    const told = expect.objectContaining({ code: 'CONFIG', message: expect.stringContaining('@Public()') })

    it('and refuses messages of a microservice but where the handler is public', async () => {
      const microservices = await importOf<Microservices>(kind.major, '@nestjs/microservices')
      const { BaseRpcExceptionFilter, ClientProxyFactory, MessagePattern, Transport } = microservices
      const errors: unknown[] = []
      @common.Catch()
      class Listens extends BaseRpcExceptionFilter {
        override catch(error: unknown, host: ArgumentsHost) {
          errors.push(error)
          return super.catch(error, host)
        }
      }
      @Controller()
      @common.UseFilters(Listens)
      class Messages {
        @MessagePattern('unsaid') unsaid() {
          return reached.push('unsaid')
        }
        @MessagePattern('said') @ApiKey() said() {
          return reached.push('said')
        }
        @MessagePattern('open') @Public() open() {
          return 'opened'
        }
      }
      @Module({ imports: [KeywardModule.forRoot({ keys })], controllers: [Messages], providers: [everywhere] })
      class Application {}
      const options = { transport: Transport.TCP, options: { host: '127.0.0.1', port: await freePort() } } as const
      const app = await createNest(kind, Application)
      app.connectMicroservice(options, { inheritAppConfig: true })
      await app.startAllMicroservices()
      await app.init()
      const client = ClientProxyFactory.create(options)
      const send = (pattern: string) =>
        new Promise((resolve, reject) => client.send(pattern, {}).subscribe({ next: resolve, error: reject }))
      try {
        await expect(send('unsaid')).rejects.toBeDefined()
        await expect(send('said')).rejects.toBeDefined()
        expect(await send('open')).toBe('opened')
      } finally {
        await client.close()
      }
      expect(reached).toEqual([])
      expect(errors).toEqual([told, told])
    })

    it('and refuses messages of a WebSocket but where the handler is public', async () => {
      const { WebSocketGateway, SubscribeMessage } = await importOf<WebSockets>(kind.major, '@nestjs/websockets')
      const { WsAdapter } = await importOf<typeof import('@nestjs/platform-ws')>(kind.major, '@nestjs/platform-ws')
      @WebSocketGateway()
      class Gateway {
        @SubscribeMessage('said') @ApiKey() said() {
          reached.push('said')
          return { event: 'said', data: 1 }
        }
        @SubscribeMessage('identity') identity(@CurrentApiKey() _access: unknown) {
          reached.push('identity')
          return { event: 'identity', data: 1 }
        }
        @SubscribeMessage('open') @Public() open() {
          return { event: 'open', data: 'opened' }
        }
      }
      @Module({ imports: [KeywardModule.forRoot({ keys })], providers: [Gateway] })
      class Application {}
      const app = await createNest(kind, Application)
      app.useWebSocketAdapter(new WsAdapter(app))
      await app.listen(0, '127.0.0.1')
      const socket = new WebSocket((await app.getUrl()).replace('http', 'ws'))
      await once(socket, 'open')
      const answers: unknown[] = []
      socket.on('message', (data) => answers.push(JSON.parse(String(data))))
      for (const event of ['said', 'identity', 'open']) socket.send(JSON.stringify({ event, data: {} }))
      while (!JSON.stringify(answers).includes('opened')) await once(socket, 'message')
      socket.terminate()
      expect(reached).toEqual([])
      const events = answers.map((answer) => (answer as { event: string }).event)
      expect(events.filter((event) => event === 'said' || event === 'identity')).toEqual([])
    })

    it('and refuses resolvers, which Nest calls in a context of another kind', async () => {
      class Resolver {
        @ApiKey() said() {
          return reached.push('said')
        }
        unsaid() {
          return reached.push('unsaid')
        }
        @Public() open() {
          return 'opened'
        }
      }
      @Module({ imports: [KeywardModule.forRoot({ keys })], providers: [Resolver, everywhere] })
      class Application {}
      const app = await createNest(kind, Application)
      await app.init()
      const resolver = app.get(Resolver)
      // As @nestjs/graphql calls what a query names.
      const creator = app.get(core.ExternalContextCreator)
      const contextOf = (name: keyof Resolver) =>
        creator.create(resolver, resolver[name], name, undefined, undefined, undefined, undefined, undefined, 'graphql')
      await expect(Promise.resolve().then(contextOf('said'))).rejects.toEqual(told)
      await expect(Promise.resolve().then(contextOf('unsaid'))).rejects.toEqual(told)
      expect(await contextOf('open')()).toBe('opened')
      expect(reached).toEqual([])
    })
  })
}
