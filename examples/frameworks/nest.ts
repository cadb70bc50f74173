import { Controller, Delete, Get, Module, Param } from '@nestjs/common'
import { APP_GUARD, NestFactory } from '@nestjs/core'
import { type Access, createApiKeys } from 'keyward'
import { apiKeyFor, CurrentApiKey, KeywardGuard, KeywardModule, Public } from 'keyward/nest'

export const keys = createApiKeys({ prefix: 'demo_', scopes: { contacts: ['read', 'delete'] }, trustedProxies: [] })
const ApiKey = apiKeyFor<typeof keys>()

@Controller()
class Contacts {
  @Get('health')
  @Public()
  health() {
    return 'ok'
  }

  @Get('contacts')
  @ApiKey({ scopes: ['contacts:read'] })
  list(@CurrentApiKey() access: Access) {
    return { owner: access.owner }
  }

  @Delete('contacts/:id')
  @ApiKey({ scopes: ['contacts:delete'] })
  remove(@Param('id') id: string) {
    return { deleted: id }
  }
}

@Module({
  imports: [KeywardModule.forRoot({ keys })],
  controllers: [Contacts],
  providers: [{ provide: APP_GUARD, useClass: KeywardGuard }], // every route needs a key, but for those that are public
})
class Application {}

const app = await NestFactory.create(Application, { logger: ['warn', 'error'] })
await app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1')
export const server = app.getHttpServer()
