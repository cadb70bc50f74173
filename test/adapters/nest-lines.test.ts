import { createApiKeys } from 'keyward'
import { ApiKey, KeywardGuard, KeywardModule, Public } from 'keyward/nest'
import { describe, expect, it } from 'vitest'
import { NESTS, packagesOf, serveNest } from '../support/nest.ts'
import { raw, request } from '../support/raw.ts'

type Class = new (...args: never[]) => object

/** What is said of a handler, where classes extend each other or take methods from each other. */
for (const kind of NESTS) {
  describe(`what is said along a line of classes, ${kind.name}`, async () => {
    const { common, core } = await packagesOf(kind)
    const { Controller, Get, Module } = common

    /** The status of each path, to a key of `acct_1` that may read, and to nobody. */
    async function asked(controllers: readonly Class[], paths: readonly string[], everywhere = false) {
      const keys = createApiKeys({
        prefix: 'nst_',
        scopes: { contacts: ['read', 'delete'] },
        trustedProxies: [],
      })
      const { key } = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
      @Module({
        imports: [KeywardModule.forRoot({ keys })] as never[],
        controllers: [...controllers],
        providers: everywhere ? [{ provide: core.APP_GUARD, useClass: KeywardGuard }] : [],
      })
      class Application {}
      const { port } = await serveNest(kind, Application)
      const status = async (target: string, lines: readonly string[]) =>
        (await raw(port, request([...lines], { target }))).status
      return {
        holder: await Promise.all(paths.map((path) => status(path, [`X-API-Key: ${key}`]))),
        nobody: await Promise.all(paths.map((path) => status(path, []))),
      }
    }

    it('a class and a method keep the demand that they inherit, but for what they state', async () => {
      @ApiKey({ scopes: ['contacts:delete'] })
      class Deleting {
        @Get('inherited') inherited() {
          return 1
        }
        @Get('method') @ApiKey({ owner: 'acct_1' }) method() {
          return 1
        }
      }
      @ApiKey()
      @Controller('bare')
      class Bare extends Deleting {}
      @ApiKey({ owner: 'acct_1' })
      @Controller('owned')
      class Owned extends Deleting {
        @Get('method') @ApiKey({ cost: 2 }) override method() {
          return 1
        }
      }
      @ApiKey({ scopes: ['contacts:read'] })
      @Controller('reading')
      class Reading extends Deleting {
        @Get('method') @ApiKey({ owner: 'acct_2' }) override method() {
          return 1
        }
      }
      const paths = ['bare', 'owned', 'reading'].flatMap((name) => [`/${name}/inherited`, `/${name}/method`])
      const { holder, nobody } = await asked([Bare, Owned, Reading], paths)
      expect(holder).toEqual([403, 403, 403, 403, 200, 403])
      expect(nobody).toEqual([401, 401, 401, 401, 401, 401])
    })

    it('an open class that extends one opens what it inherits, and drops no demand of what it does not open', async () => {
      @ApiKey({ owner: 'acct_2' })
      class Base {
        @Get('said') @ApiKey({ scopes: ['contacts:read'] }) said() {
          return 1
        }
        @Get('unsaid') unsaid() {
          return 1
        }
      }
      @Public()
      @Controller()
      class Child extends Base {
        @Get('own') own() {
          return 1
        }
        @Get('guarded') @ApiKey({ scopes: ['contacts:read'] }) guarded() {
          return 1
        }
      }
      const { holder, nobody } = await asked([Child], ['/said', '/unsaid', '/own', '/guarded'])
      expect(holder).toEqual([403, 200, 200, 200])
      expect(nobody).toEqual([401, 200, 200, 401])
    })

    it.each([false, true])(
      'a method that is copied takes along what is said of it (for all: %s)',
      async (everywhere) => {
        class Mixin {
          @Get('secret') @ApiKey({ scopes: ['contacts:delete'] }) secret() {
            return 1
          }
          @Get('public') @Public() public() {
            return 1
          }
        }
        @Controller()
        class Mixed {}
        for (const name of ['secret', 'public']) {
          Object.defineProperty(Mixed.prototype, name, Object(Object.getOwnPropertyDescriptor(Mixin.prototype, name)))
        }
        const { holder, nobody } = await asked([Mixed], ['/secret', '/public'], everywhere)
        expect(holder).toEqual([403, 200])
        expect(nobody).toEqual([401, 200])
      },
    )

    it('a method of the instance that is called like an open one opens nothing', async () => {
      @Controller()
      class Instrumented {
        constructor() {
          const around = (method: () => number, keepsMetadata: boolean) => {
            function traced() {
              return method()
            }
            if (keepsMetadata) copyMetadata(method, traced)
            return traced
          }
          Object.assign(this, { kept: around(this.kept, true), lost: around(this.lost, false) })
        }
        @Get('kept') @ApiKey({ scopes: ['contacts:delete'] }) kept() {
          return 1
        }
        @Get('lost') @ApiKey({ scopes: ['contacts:delete'] }) lost() {
          return 1
        }
        @Get('traced') @Public() traced() {
          return 1
        }
      }
      const { holder, nobody } = await asked([Instrumented], ['/kept', '/lost', '/traced'], true)
      expect(holder).toEqual([403, 500, 200])
      expect(nobody).toEqual([401, 500, 200])
    })
  })
}

/** As tools that wrap methods do with `reflect-metadata`. */
function copyMetadata(from: object, to: object): void {
  const { getMetadataKeys, getMetadata, defineMetadata } = Reflect as unknown as {
    getMetadataKeys(target: object): readonly string[]
    getMetadata(key: string, target: object): unknown
    defineMetadata(key: string, value: unknown, target: object): void
  }
  for (const key of getMetadataKeys(from)) defineMetadata(key, getMetadata(key, from), to)
}
