import { type Access, createApiKeys } from 'keyward'
import { ApiKey, apiKeyFor, CurrentApiKey, KeywardGuard, KeywardModule, type NestRequest, Public } from 'keyward/nest'
import { describe, expect, it } from 'vitest'
import { createNest, NESTS, packagesOf, serveNest } from '../support/nest.ts'
import { raw, request } from '../support/raw.ts'

const OPTIONS = { prefix: 'nst_', scopes: { contacts: ['read', 'delete'] }, trustedProxies: [] } as const
type Class = new (...args: never[]) => object

interface Setting {
  readonly keys?: Parameters<typeof KeywardModule.forRoot>[0]['keys']
  /** Whether `KeywardGuard` stands before the whole application. */
  readonly everywhere?: boolean
  readonly providers?: readonly object[]
  readonly imports?: readonly object[]
}

for (const kind of NESTS) {
  describe(`keyward/nest, ${kind.name}`, async () => {
    const { common, core } = await packagesOf(kind)
    const { Controller, Get, Module, UseGuards, Catch, Injectable } = common

    /** An application of these controllers. */
    function applicationOf(controllers: readonly Class[], { keys, everywhere, providers = [], imports }: Setting) {
      const guards = everywhere === true ? [{ provide: core.APP_GUARD, useClass: KeywardGuard }] : []
      const settled = imports ?? [KeywardModule.forRoot({ keys: keys ?? createApiKeys(OPTIONS) })]
      @Module({
        imports: [...settled] as never[],
        controllers: [...controllers],
        providers: [...guards, ...providers] as never[],
      })
      class Application {}
      return Application
    }

    async function open(controllers: readonly Class[], setting: Setting = {}) {
      const keys = createApiKeys(OPTIONS)
      const { key } = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
      const { port } = await serveNest(kind, applicationOf(controllers, { keys, ...setting }))
      const ask = (target: string, text: string | undefined = key, method = 'GET') =>
        raw(port, request(text === undefined ? [] : [`X-API-Key: ${text}`], { target, method }))
      const status = async (target: string, text?: string) => (await ask(target, text)).status
      const anonymous = async (target: string) => (await raw(port, request([], { target }))).status
      return { keys, key, port, ask, status, anonymous }
    }

    const startOf = async (controllers: readonly Class[], setting: Setting = {}) => {
      const app = await createNest(kind, applicationOf(controllers, setting))
      await app.init()
    }

    describe('KeywardGuard', () => {
      @Controller()
      class Mixed {
        @Get('said') @ApiKey({ scopes: ['contacts:delete'] }) said() {
          return 'said'
        }
        @Get('unsaid') unsaid() {
          return 'unsaid'
        }
        @Get('open') @Public() open() {
          return 'open'
        }
      }

      it('of an application refuses whatever is not public', async () => {
        const { status, anonymous } = await open([Mixed], { everywhere: true })
        expect([await anonymous('/unsaid'), await anonymous('/said'), await anonymous('/open')]).toEqual([
          401, 401, 200,
        ])
        expect([await status('/unsaid'), await status('/said'), await status('/open')]).toEqual([200, 403, 200])
      })

      it('is not needed where @ApiKey() stands, and what says nothing is then open', async () => {
        const { status, anonymous } = await open([Mixed])
        expect([await anonymous('/unsaid'), await anonymous('/said'), await anonymous('/open')]).toEqual([
          200, 401, 200,
        ])
        expect(await status('/said')).toBe(403)
      })

      it('of one controller or of one handler guards these', async () => {
        @Controller('all')
        @UseGuards(KeywardGuard)
        class All {
          @Get() all() {
            return 1
          }
          @Get('open') @Public() open() {
            return 1
          }
        }
        @Controller('one')
        class One {
          @Get() @UseGuards(KeywardGuard) one() {
            return 1
          }
          @Get('other') other() {
            return 1
          }
        }
        const { status, anonymous } = await open([All, One])
        const paths = ['/all', '/all/open', '/one', '/one/other']
        expect(await Promise.all(paths.map(anonymous))).toEqual([401, 200, 401, 200])
        expect(await Promise.all(paths.map((path) => status(path)))).toEqual([200, 200, 200, 200])
      })

      it('and the guard of @ApiKey() take together once', async () => {
        @Controller()
        @UseGuards(KeywardGuard)
        class Twice {
          @Get() @ApiKey({ limits: { minute: 5 } }) @UseGuards(KeywardGuard) twice(@CurrentApiKey() access: Access) {
            return access.readings
          }
        }
        const { ask } = await open([Twice], { everywhere: true })
        expect(JSON.parse((await ask('/')).body)).toMatchObject([{ name: 'minute', remaining: 4 }])
      })

      it('asks each request anew on one connection', async () => {
        const { keys, key, status } = await open([Mixed], { everywhere: true })
        expect(await status('/unsaid')).toBe(200)
        const [id = ''] = (await keys.list()).items.map((record) => record.id)
        await keys.revoke(id)
        expect(await status('/unsaid', key)).toBe(401)
      })

      it('without KeywardModule does not start', async () => {
        await expect(startOf([], { everywhere: true, imports: [] })).rejects.toThrow(/KeywardModule|keyward\.nest/)
        await expect(startOf([Mixed], { imports: [] })).rejects.toThrow(/KeywardModule|keyward\.nest/)
      })

      it('comes before the other guards, which find the identity, and refuses before a filter of the host', async () => {
        const seen: unknown[] = []
        class Looks {
          canActivate(context: { switchToHttp(): { getRequest(): { apiKey?: Access } } }) {
            seen.push(context.switchToHttp().getRequest().apiKey?.owner)
            return true
          }
        }
        @Catch()
        class Everything {
          catch() {
            seen.push('caught')
          }
        }
        @Controller()
        class Guarded {
          @Get('method') @ApiKey() @UseGuards(Looks) method() {
            return 1
          }
          @Get('reversed') @UseGuards(Looks) @ApiKey() reversed() {
            return 1
          }
        }
        @Controller('class')
        @ApiKey()
        @UseGuards(Looks)
        class Whole {
          @Get() whole() {
            return 1
          }
        }
        const filter = { provide: core.APP_FILTER, useClass: Everything }
        const { status, anonymous } = await open([Guarded, Whole], { providers: [filter] })
        for (const path of ['/method', '/reversed', '/class']) {
          expect(await anonymous(path)).toBe(401)
          expect(await status(path)).toBe(200)
        }
        expect(seen).toEqual(['acct_1', 'acct_1', 'acct_1'])
      })
    })

    describe('@ApiKey() and @Public()', () => {
      it('lay the demand of a handler over that of its controller, field by field', async () => {
        @Controller()
        @ApiKey({ scopes: ['contacts:read'], owner: 'acct_1' })
        class Layered {
          @Get('class') same() {
            return 1
          }
          @Get('scopes') @ApiKey({ scopes: ['contacts:delete'] }) scopes() {
            return 1
          }
          @Get('owner') @ApiKey({ owner: 'acct_2' }) owner() {
            return 1
          }
          @Get('cost') @ApiKey({ cost: 2 }) cost() {
            return 1
          }
          @Get('open') @Public() open() {
            return 1
          }
        }
        const keys = createApiKeys(OPTIONS)
        const { status, anonymous } = await open([Layered], { keys })
        const other = await keys.create({ owner: 'acct_1', scopes: ['contacts:delete'] })
        const own = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
        const paths = ['/class', '/scopes', '/owner', '/cost', '/open']
        expect(await Promise.all(paths.map((path) => status(path, own.key)))).toEqual([200, 403, 403, 200, 200])
        expect(await Promise.all(paths.map((path) => status(path, other.key)))).toEqual([403, 200, 403, 403, 200])
        expect(await Promise.all(paths.map(anonymous))).toEqual([401, 401, 401, 401, 200])
      })

      it('take the demand of the module where they state none', async () => {
        @Controller()
        class Bare {
          @Get() bare() {
            return 1
          }
        }
        const keys = createApiKeys(OPTIONS)
        const imports = [KeywardModule.forRoot({ keys, demand: { scopes: ['contacts:delete'] } })]
        const { status } = await open([Bare], { imports, everywhere: true })
        const { key } = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
        expect(await status('/', key)).toBe(403)
      })

      it('hold for a class that extends another: a demand is inherited, an opening is not', async () => {
        @Public()
        class Open {
          @Get('inherited') inherited() {
            return 1
          }
          @Get('overridden') @Public() overridden() {
            return 1
          }
          @Get('kept') @ApiKey({ scopes: ['contacts:delete'] }) kept() {
            return 1
          }
        }
        @Controller()
        class Child extends Open {
          @Get('own') own() {
            return 1
          }
          @Get('overridden') override overridden() {
            return 1
          }
          @Get('kept') override kept() {
            return 1
          }
        }
        const { anonymous, status } = await open([Child], { everywhere: true })
        const paths = ['/own', '/overridden', '/kept', '/inherited']
        expect(await Promise.all(paths.map(anonymous))).toEqual([401, 401, 401, 200])
        expect(await status('/kept')).toBe(403)
      })

      it('hold where another decorator has put a function of its own in between', async () => {
        const wraps = (_target: object, _name: string, descriptor: PropertyDescriptor) => {
          const { value } = descriptor
          descriptor.value = function wrapped(this: unknown, ...args: unknown[]) {
            return Reflect.apply(value, this, args)
          }
        }
        @Controller()
        class Wrapped {
          @Get() @wraps @ApiKey({ scopes: ['contacts:delete'] }) wrapped() {
            return 1
          }
        }
        for (const everywhere of [true, false]) {
          const { anonymous, status } = await open([Wrapped], { everywhere })
          expect([await anonymous('/'), await status('/')]).toEqual([401, 403])
        }
      })

      it('hold where the instance has a method of its own', async () => {
        @Controller()
        class Bound {
          constructor() {
            this.bound = this.bound.bind(this)
          }
          @Get() @ApiKey({ scopes: ['contacts:delete'] }) bound() {
            return 1
          }
        }
        @Controller('lost')
        class Lost {
          constructor() {
            Object.assign(this, { lost: () => 1 })
            Object.defineProperty(Reflect.get(this, 'lost'), 'name', { value: 'another' })
          }
          @Get() @ApiKey({ scopes: ['contacts:delete'] }) lost() {
            return 1
          }
        }
        const { anonymous, status } = await open([Bound, Lost])
        expect([await anonymous('/'), await status('/')]).toEqual([401, 403])
        // Nobody can tell what is said of it: that is a fault of the host, and nothing is let through.
        expect([await anonymous('/lost'), await status('/lost')]).toEqual([500, 500])
      })

      it('let go on without identity where the demand is optional', async () => {
        @Controller()
        class Optional {
          @Get() @ApiKey({ optional: true }) optional(@CurrentApiKey('owner') owner: string | undefined) {
            return { owner: owner ?? null }
          }
        }
        const { ask, anonymous, status } = await open([Optional], { everywhere: true })
        expect(await anonymous('/')).toBe(200)
        expect(JSON.parse((await ask('/')).body)).toEqual({ owner: 'acct_1' })
        expect(await status('/', 'nst_bad')).toBe(401)
      })

      it('give the functions of a demand the request of the platform, with what the route matched', async () => {
        @Controller('agents/:id')
        @ApiKey({ resource: (req: NestRequest) => `agent:${req.params.id}` })
        class Agents {
          @Get() agent() {
            return 1
          }
        }
        const keys = createApiKeys(OPTIONS)
        const { status } = await open([Agents], { keys })
        const bound = await keys.create({ owner: 'acct_1', scopes: ['contacts:*'], resource: 'agent:42' })
        expect([await status('/agents/42', bound.key), await status('/agents/43', bound.key)]).toEqual([200, 403])
      })

      it.each<[string, () => unknown, RegExp]>([
        ['a misspelt scope', () => ApiKey({ scopes: ['contacts:raed'] }), /scopes\.0/],
        ['no scope', () => ApiKey({ scopes: [] }), /scopes must name at least one/],
        ['a misspelt field', () => ApiKey({ scope: ['contacts:read'] } as object), /scope is not a field/],
        ['undefined', () => ApiKey({ scopes: undefined } as object), /scopes must not be undefined/],
        ['a name where there are none', () => ApiKey({}, 'agents'), /must be a name .* not "agents"/],
      ])('with %s do not start, wherever they stand', async (_name, make, message) => {
        const decorate = make() as ReturnType<typeof ApiKey>
        @Controller()
        class Method {
          @Get() @decorate method() {
            return 1
          }
        }
        @Controller()
        @decorate
        class Whole {
          @Get() whole() {
            return 1
          }
        }
        for (const controller of [Method, Whole]) {
          const error: unknown = await startOf([controller]).catch((reason: unknown) => reason)
          expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringMatching(message) })
        }
      })

      it('are a CONFIG error where they stand twice, contradict, or stand before something else', () => {
        const decorated = (...decorators: readonly ReturnType<typeof ApiKey>[]) => {
          class Some {
            method() {}
          }
          const descriptor = Object.getOwnPropertyDescriptor(Some.prototype, 'method') ?? {}
          for (const each of decorators) each(Some.prototype, 'method', descriptor)
        }
        const refused = expect.objectContaining({ code: 'CONFIG' })
        expect(() => decorated(ApiKey(), ApiKey())).toThrow(refused)
        expect(() => decorated(ApiKey(), Public())).toThrow(refused)
        expect(() => ApiKey()({}, 'field', undefined)).toThrow(refused)
        expect(() => ApiKey()(class {}, 'static', { value() {} })).toThrow(refused)
        for (const demand of [null, 'contacts:read', ['contacts:read']]) {
          expect(() => ApiKey(demand as never)).toThrow(refused)
        }
      })
    })

    describe('@CurrentApiKey()', () => {
      it('is the identity that keys.of() and request.apiKey give', async () => {
        const keys = createApiKeys(OPTIONS)
        @Controller()
        class Looks {
          @Get() @ApiKey() looks(
            @CurrentApiKey() access: Access,
            @CurrentApiKey('id') id: string,
            @common.Req() req: { apiKey: Access },
          ) {
            return [keys.of(req) === access, req.apiKey === access, id === access.id, access.can('contacts:read')]
          }
        }
        const { ask } = await open([Looks], { keys })
        const { key } = await keys.create({ owner: 'acct_1', scopes: ['contacts:*'] })
        expect(JSON.parse((await ask('/', key)).body)).toEqual([true, true, true, true])
      })

      it('is a fault where no guard stands, and undefined on a public route', async () => {
        @Controller()
        class Unguarded {
          @Get() bare(@CurrentApiKey() access: Access) {
            return access.owner
          }
        }
        @Controller('open')
        class Opened {
          @Get() @Public() open(@CurrentApiKey() access: Access | undefined) {
            return { isThere: access !== undefined }
          }
        }
        expect(await (await open([Unguarded])).status('/')).toBe(500)
        const { ask } = await open([Opened], { everywhere: true })
        expect(JSON.parse((await ask('/open')).body)).toEqual({ isThere: false })
      })
    })

    describe('KeywardModule', () => {
      const prefixed = (prefix: string) => createApiKeys({ prefix, trustedProxies: [] })

      it('knows several instances, by name too', async () => {
        const [users, agents] = [prefixed('usr_'), prefixed('agt_')]
        const AgentKey = apiKeyFor<typeof agents>('agents')
        @Controller()
        class Both {
          @Get('any') @ApiKey() any(@CurrentApiKey('prefix') prefix: string) {
            return { prefix }
          }
          @Get('agents') @AgentKey() agents(@CurrentApiKey('prefix') prefix: string) {
            return { prefix }
          }
        }
        const { status } = await open([Both], { keys: { users, agents } })
        const [user, agent] = [await users.create({ owner: 'u' }), await agents.create({ owner: 'a' })]
        expect([await status('/any', user.key), await status('/any', agent.key)]).toEqual([200, 200])
        expect([await status('/agents', user.key), await status('/agents', agent.key)]).toEqual([401, 200])
        @Controller()
        class One {
          @Get('any') @ApiKey() any() {
            return 1
          }
        }
        const listed = await open([One], { keys: [users, agents] })
        expect([await listed.status('/any', user.key), await listed.status('/any', agent.key)]).toEqual([200, 200])
        expect(await listed.status('/any', 'oth_key')).toBe(401)
      })

      it.each(['useFactory', 'useClass', 'useExisting'])('takes its keys from other providers by %s', async (way) => {
        const keys = createApiKeys(OPTIONS)
        @Injectable()
        class Vault {
          readonly keys = keys
        }
        @Injectable()
        class Settings {
          createKeywardOptions() {
            return { keys }
          }
        }
        @Module({ providers: [Vault, Settings], exports: [Vault, Settings] })
        class Vaults {}
        const options = {
          useFactory: {
            imports: [Vaults],
            inject: [Vault],
            useFactory: async (vault: Vault) => ({ keys: vault.keys }),
          },
          useClass: { useClass: Settings },
          useExisting: { imports: [Vaults], useExisting: Settings },
        }[way]
        @Controller()
        class Guarded {
          @Get() guarded() {
            return 1
          }
        }
        const imports = [KeywardModule.forRootAsync(options ?? {})]
        const { status, anonymous } = await open([Guarded], { imports, everywhere: true })
        const { key } = await keys.create({ owner: 'acct_1', scopes: ['contacts:*'] })
        expect([await anonymous('/'), await status('/', key)]).toEqual([401, 200])
      })

      it('refuses wrong options, at once or when Nest starts', async () => {
        const keys = createApiKeys(OPTIONS)
        const refused = expect.objectContaining({ code: 'CONFIG' })
        for (const options of [
          undefined,
          {},
          { keys: {} },
          { keys: [] },
          { keys, guard: true },
          { keys, demand: undefined },
        ]) {
          expect(() => KeywardModule.forRoot(options as never), JSON.stringify(options)).toThrow(refused)
        }
        expect(() => KeywardModule.forRoot({ keys, demand: { scopes: [] } })).toThrow(refused)
        expect(() => KeywardModule.forRoot({ keys: { one: keys, other: {} } as never })).toThrow(refused)
        expect(() => KeywardModule.forRootAsync({})).toThrow(refused)
        const late = KeywardModule.forRootAsync({ useFactory: () => ({ keys: [] }) })
        await expect(startOf([], { imports: [late] })).rejects.toMatchObject({ code: 'CONFIG' })
      })
    })
  })
}
