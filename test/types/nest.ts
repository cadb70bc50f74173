/** Checked by the compiler alone (`npm run typecheck`, `typecheck:7`): nothing here is run. */
import { type CanActivate, type DynamicModule, Module, UseGuards } from '@nestjs/common'
import { APP_GUARD } from '@nestjs/core'
import type { Request } from 'express'
import type { FastifyRequest } from 'fastify'
import { type Access, createApiKeys } from 'keyward'
import { ApiKey, apiKeyFor, CurrentApiKey, KeywardGuard, KeywardModule, type NestRequest, Public } from 'keyward/nest'
import { type Same, same } from './assert.ts'

const keys = createApiKeys({ prefix: 'agk_live_', scopes: { contacts: ['read', 'update'] } })
const agents = createApiKeys({ prefix: 'agt_' })
const Key = apiKeyFor<typeof keys>()
const Any = apiKeyFor<readonly [typeof keys, typeof agents]>()

/** A service of the host's own, by which keys are come by. */
class Vault {
  readonly keys = keys
  createKeywardOptions() {
    return { keys }
  }
}

export const modules: DynamicModule[] = [
  KeywardModule.forRoot({ keys }),
  KeywardModule.forRoot({ keys: [keys, agents], demand: { environment: 'live' } }),
  KeywardModule.forRoot({ keys: { keys, agents } }),
  KeywardModule.forRootAsync({
    imports: [],
    inject: [Vault],
    useFactory: async (vault: Vault) => ({ keys: vault.keys }),
  }),
  KeywardModule.forRootAsync({ useClass: Vault }),
  KeywardModule.forRootAsync({ useExisting: Vault }),
  // @ts-expect-error keys are what it is for
  KeywardModule.forRoot({}),
  // @ts-expect-error no such option
  KeywardModule.forRoot({ keys, guard: true }),
  // @ts-expect-error a factory gives options
  KeywardModule.forRootAsync({ useFactory: () => keys }),
]

@Module({ imports: modules, providers: [{ provide: APP_GUARD, useClass: KeywardGuard }] })
@UseGuards(KeywardGuard)
@ApiKey()
export class Handlers {
  @Key({ scopes: ['contacts:read'] })
  @Public()
  one(@CurrentApiKey() access: Access, @CurrentApiKey('owner') owner: string) {
    return [access, owner]
  }

  @Key({
    scopes: { any: ['contacts:*', 'contacts:update'] },
    resource: (req) => {
      same<Same<typeof req, NestRequest>>()
      return req.params.id
    },
  })
  two() {}

  @Key({ owner: (req: Request) => req.get('x-account'), cost: (req: Request) => Number(req.query.n) })
  @Any({ owner: (req: FastifyRequest) => req.hostname })
  three() {}

  // @ts-expect-error misspelt
  @Key({ scopes: ['contacts:raed'] })
  four() {}

  // @ts-expect-error no such field
  @ApiKey({ scope: ['contacts:read'] })
  five() {}

  // @ts-expect-error an access has no such field
  six(@CurrentApiKey('nonsense') _field: string) {}
}

export const guard = (made: KeywardGuard): CanActivate => made
