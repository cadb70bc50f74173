import { flawedAt, KeywardError } from '../model/errors.ts'
import { show, unwanted } from '../model/redact.ts'
import type { WithDoor } from './door.ts'
import { MARK, type WriteDocument, withSecurity } from './fastify/docs.ts'
import { securityOf } from './security.ts'
import { apiKey } from './shown-identity.ts'

/** A hook of Fastify. It declares the least that it looks at, so that it fits routes of any types. */
export type Hook = (
  request: { readonly raw: object },
  reply: { readonly raw: object },
  done: (error?: Error) => void,
) => void

interface Route {
  readonly config?: object
  schema?: object
}

/** A Fastify application or one of its scopes, as far as the plugin needs it. */
export interface Application {
  addHook(name: 'onRequest', hook: Hook): unknown
  addHook(name: 'onRoute', hook: (route: Route) => void): unknown
  addHook(name: 'onReady', hook: (done: () => void) => void): unknown
  decorateRequest(name: string, value: unknown): unknown
  hasRequestDecorator(name: string): boolean
  swagger?: WriteDocument
}

interface Options {
  readonly keys: WithDoor | readonly WithDoor[]
  readonly demand?: { readonly optional?: boolean }
}

/** The plugin's own, and those of any registration. */
const OPTIONS = ['keys', 'demand', 'prefix', 'logLevel', 'logSerializers']

/**
 * Guards every route of a scope and of those below it, and tells `@fastify/swagger`.
 * @throws KeywardError `CONFIG` for an unknown option, or a route that is opened by something else than `false`
 */
export function guardEverything(app: Application, hook: Hook, options: Options): void {
  for (const [name, value] of Object.entries(options)) {
    if (!OPTIONS.includes(name)) throw flawedAt('CONFIG', name, unwanted('is no option (keys, demand)', value))
    if (value === undefined) throw flawedAt('CONFIG', name, 'must not be undefined; leave it out')
  }
  if (!app.hasRequestDecorator('apiKey')) app.decorateRequest('apiKey', apiKey)
  for (const scope of withScopesBelow(app)) scope.addHook('onRequest', unlessOpened(hook))

  const { security, schemes } = securityOf(options.keys, options.demand?.optional === true)
  app.addHook('onRoute', (route) => {
    if (!isOpened(route.config)) route.schema = { ...route.schema, [MARK]: security }
  })
  app.addHook('onReady', (done) => {
    const owner = ownerOf(app, 'swagger')
    if (owner?.swagger) owner.swagger = withSecurity(owner.swagger, schemes)
    done()
  })
}

function unlessOpened(hook: Hook): Hook {
  return function apiKeyGuard(request, reply, done) {
    const { routeOptions } = request as { routeOptions?: { config?: object } }
    if (isOpened(routeOptions?.config)) done()
    else hook(request, reply, done)
  }
}

/** @throws KeywardError `CONFIG` for anything but `false`: who writes `'no'` or `0` has something in mind that is not done */
function isOpened(given: object | undefined): boolean {
  if (given === undefined || !Object.hasOwn(given, 'apiKey')) return false
  const { apiKey } = given as { apiKey?: unknown }
  if (apiKey === false || apiKey === undefined) return apiKey === false
  throw flawedAt('CONFIG', 'config.apiKey', `must be false or left out, not ${show(apiKey)}`)
}

/**
 * A scope, and those that were made before the plugin came: Fastify copies hooks into a scope when it makes it, so that
 * what was registered earlier would stay open. Fastify keeps the list under a symbol that it does not hand out.
 */
function withScopesBelow(app: Application): readonly Application[] {
  const symbol = Object.getOwnPropertySymbols(app).find(({ description }) => description === 'fastify.children')
  const children: unknown = symbol && Reflect.get(app, symbol)
  if (Array.isArray(children)) return [app, ...children.flatMap((child: Application) => withScopesBelow(child))]
  throw new KeywardError('CONFIG', 'keyward/fastify is for Fastify 5')
}

/** Who has a decoration for its own: a scope inherits those of the scopes above it. */
function ownerOf(app: Application | null, name: string): Application | null {
  return app === null || Object.hasOwn(app, name) ? app : ownerOf(Object.getPrototypeOf(app), name)
}

/** Marks a plugin as one that belongs to the scope it is registered in, as `fastify-plugin` does. */
export function asPlugin<P extends (...args: never[]) => unknown>(plugin: P): P {
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'keyward',
    [Symbol.for('plugin-meta')]: { name: 'keyward', fastify: '5.x' },
  })
}
