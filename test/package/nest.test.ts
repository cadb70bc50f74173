import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { folderOf, install, MAJORS } from '../nest/install.ts'
import { consumer } from './consumer.ts'

/** An application as its author writes it, of which each use of a type is one of Nest's own. */
const PROGRAM = `
  import 'reflect-metadata'
  import { type CanActivate, Controller, type DynamicModule, Get, Module } from '@nestjs/common'
  import { APP_GUARD, NestFactory } from '@nestjs/core'
  import { type Access, createApiKeys } from 'keyward'
  import { ApiKey, apiKeyFor, CurrentApiKey, KeywardGuard, KeywardModule, type NestRequest, Public } from 'keyward/nest'

  const keys = createApiKeys({ prefix: 'ap_', scopes: { contacts: ['read', 'delete'] } })
  const Key = apiKeyFor<typeof keys>()
  const guard: new (...args: never[]) => CanActivate = KeywardGuard
  class Vault { readonly keys = keys }
  export const late: DynamicModule = KeywardModule.forRootAsync({
    imports: [],
    inject: [Vault],
    useFactory: (vault: Vault) => ({ keys: vault.keys }),
  })

  @Controller()
  class Contacts {
    @Get('open') @Public() open() { return { open: true } }
    @Get('list') @Key({ scopes: ['contacts:read'] }) list(@CurrentApiKey() access: Access, @CurrentApiKey('id') id: string) {
      return { owner: access.owner, same: id === access.id }
    }
    @Get('remove') @ApiKey({ scopes: ['contacts:delete'], cost: (req: NestRequest) => Number(req.query.n ?? 1) }) remove() {
      return {}
    }
    // @ts-expect-error misspelt
    @Get('never') @Key({ scopes: ['contacts:raed'] }) never() {}
    // @ts-expect-error no field of an access
    field(@CurrentApiKey('nonsense') _field: string) {}
  }
  Reflect.deleteProperty(Contacts.prototype, 'never')

  @Module({
    imports: [KeywardModule.forRoot({ keys })],
    controllers: [Contacts],
    providers: [{ provide: APP_GUARD, useClass: guard }],
  })
  class Application {}

  async function main(): Promise<void> {
    const { key } = await keys.create({ owner: 'acct_1', scopes: ['contacts:read'] })
    const app = await NestFactory.create(Application, { logger: false })
    await app.listen(0, '127.0.0.1')
    const ask = async (path: string) => {
      const answer = await fetch(\`\${await app.getUrl()}/\${path}\`, { headers: { 'x-api-key': key } })
      return \`\${answer.status} \${(await answer.text()).slice(0, 40)}\`
    }
    console.log([await ask('open'), await ask('list'), (await ask('remove')).slice(0, 3)].join('\\n'))
    await app.close()
    await keys.close()
  }
  main()`

const PRINTED = '200 {"open":true}\n200 {"owner":"acct_1","same":true}\n403\n'

beforeAll(install)

describe.each(MAJORS)('a consumer of keyward/nest with Nest %s', (major) => {
  const names = ['common', 'core', 'platform-express'].map((name) => `@nestjs/${name}`)
  const modules = join(folderOf(major), 'node_modules')
  const others = Object.fromEntries([...names, 'reflect-metadata', 'rxjs'].map((name) => [name, join(modules, name)]))

  // Nest 12 is of ES modules alone.
  const languages = major === '11' ? ['mts', 'cts'] : ['mts']
  const compilers = ['typescript', 'typescript7']
  const cases = compilers.flatMap((compiler) => languages.map((language) => [compiler, language] as const))

  it.each(cases)('compiles with %s and runs, as .%s', (compiler, language) => {
    const project = consumer(['@types/node'], others)
    project.write('package.json', '{}')
    project.write(`main.${language}`, PROGRAM)
    const options = ['--strict', '--exactOptionalPropertyTypes', '--target', 'ES2022', '--types', 'node']
    const decorators = ['--experimentalDecorators', '--emitDecoratorMetadata', '--skipLibCheck']
    const resolution = ['--module', 'NodeNext', '--moduleResolution', 'NodeNext', '--outDir', 'out']
    const tsc = resolve('node_modules', compiler, 'bin/tsc')
    expect(project.node(tsc, ...options, ...decorators, ...resolution, `main.${language}`)).toBe('')
    expect(project.node(`out/main.${language.replace('ts', 'js')}`)).toBe(PRINTED)
  })
})
