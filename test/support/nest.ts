import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import type { DynamicModule, INestApplication, Type } from '@nestjs/common'
import { onTestFinished } from 'vitest'
import { folderOf, isInstalled, MAJORS } from '../nest/install.ts'

export const PLATFORMS = ['Express', 'Fastify'] as const

/** A major of Nest on one of its platforms. */
export interface NestKind {
  readonly name: string
  readonly major: (typeof MAJORS)[number]
  readonly platform: (typeof PLATFORMS)[number]
}

/** Every major on each platform: what is said of Nest is said of all of them. */
export const NESTS: readonly NestKind[] = MAJORS.flatMap((major) =>
  PLATFORMS.map((platform) => ({ name: `Nest ${major} on ${platform}`, major, platform })),
)

/** The packages of one major. Their types are those of the newer. */
export interface NestPackages {
  readonly common: typeof import('@nestjs/common')
  readonly core: typeof import('@nestjs/core')
}

/** Imports a package of a major, by its own lock file. */
export async function importOf<Module>(major: NestKind['major'], name: string): Promise<Module> {
  const folder = folderOf(major)
  if (!isInstalled(folder)) throw new Error(`Nest ${major} is not installed; type: npm run nest:deps`)
  const path = createRequire(`${folder}/package.json`).resolve(name)
  return import(pathToFileURL(path).href) as Promise<Module>
}

export async function packagesOf({ major }: NestKind): Promise<NestPackages> {
  const common = await importOf<NestPackages['common']>(major, '@nestjs/common')
  return { common, core: await importOf<NestPackages['core']>(major, '@nestjs/core') }
}

/** What a test makes of an application before it listens. */
export type Prepare = (app: INestApplication) => unknown

/** An application on its platform, not yet listening. A fault at the start is thrown, not the end of the process. */
export async function createNest(kind: NestKind, module: Type | DynamicModule): Promise<INestApplication> {
  const { core } = await packagesOf(kind)
  const options = { logger: false, abortOnError: false, forceCloseConnections: true } as const
  const app = await core.NestFactory.create(module as Type, await platformOf(kind), options)
  onTestFinished(() => app.close())
  return app
}

/** Serves an application on a free port until the test ends. */
export async function serveNest(
  kind: NestKind,
  module: Type | DynamicModule,
  { host = '127.0.0.1', prepare = () => {} }: { readonly host?: string; readonly prepare?: Prepare } = {},
): Promise<{ readonly port: number; readonly host: string; readonly app: INestApplication }> {
  const app = await createNest(kind, module)
  await prepare(app)
  await app.listen(0, host)
  return { port: (app.getHttpServer().address() as AddressInfo).port, host, app }
}

async function platformOf({ major, platform }: NestKind) {
  if (platform === 'Express') {
    const { ExpressAdapter } = await importOf<typeof import('@nestjs/platform-express')>(
      major,
      '@nestjs/platform-express',
    )
    return new ExpressAdapter()
  }
  const { FastifyAdapter } = await importOf<typeof import('@nestjs/platform-fastify')>(
    major,
    '@nestjs/platform-fastify',
  )
  return new FastifyAdapter({ forceCloseConnections: true })
}
