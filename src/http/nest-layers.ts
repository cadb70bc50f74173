import type { AnyDemand } from '../model/demand.ts'
import { KeywardError } from '../model/errors.ts'
import { show } from '../model/redact.ts'
import { type Class, type Handler, lineOf, metadata, methodsOf, type Name } from './nest-metadata.ts'

/** What `@ApiKey` or `@Public` says of a controller, or of one of its handlers. */
export type Layer =
  | { readonly open: true }
  | { readonly open?: never; readonly demand: AnyDemand; readonly keys: string | undefined }

/** What is said of one handler of a controller, the controller's first. */
export interface Said {
  readonly controller: Layer | undefined
  readonly handler: Layer | undefined
}

/** A text, so that what one copy of this package has written another can read. */
const LAYER = 'keyward:layer'

export function layerAt(each: Class, name: Name | undefined): Layer | undefined {
  return metadata().getOwnMetadata(LAYER, each, name) as Layer | undefined
}

export function putLayer(each: Class, name: Name | undefined, layer: Layer): void {
  metadata().defineMetadata(LAYER, layer, each, name)
}

/**
 * What is said of a handler. A method that overrides another inherits its demand, never its opening; and a class that
 * extends an open one opens its own methods only when it says so.
 * @throws KeywardError `CONFIG` for a handler that cannot be found in a controller that says something of its handlers
 */
export function saidOf(controller: Class, handler: Handler): Said {
  const line = lineOf(controller)
  const found = placeOf(line, handler)
  if (found === undefined && line.some(saysOfHandlers)) {
    throw config(`${controller.name} has no method ${show(handler.name)}, so that nobody knows what is said of it`)
  }
  return {
    controller: nearest(line, undefined, [controller, found?.owner]),
    handler: found && nearest(line.slice(line.indexOf(found.owner)), found.name, [found.owner]),
  }
}

/** Every handler of a controller, also inherited ones. */
export function handlersOf(controller: Class): readonly Handler[] {
  const named = new Map<Name, Handler>()
  for (const each of [...lineOf(controller)].reverse())
    for (const [name, method] of methodsOf(each)) named.set(name, method)
  return [...named.values()]
}

interface Place {
  readonly owner: Class
  readonly name: Name
}

/** By what it is; and by its name, where somebody has put a method of the instance before that of its class. */
function placeOf(line: readonly Class[], handler: Handler): Place | undefined {
  const nickname = handler.name.replace(/^bound /, '')
  for (const owner of line) {
    for (const [name, method] of methodsOf(owner)) if (method === handler) return { owner, name }
  }
  const owner = line.find((each) => methodsOf(each).has(nickname))
  return owner && { owner, name: nickname }
}

function nearest(line: readonly Class[], name: Name | undefined, openFor: readonly unknown[]): Layer | undefined {
  for (const each of line) {
    const layer = layerAt(each, name)
    if (layer !== undefined && (layer.open !== true || openFor.includes(each))) return layer
  }
  return undefined
}

function saysOfHandlers(each: Class): boolean {
  return [...methodsOf(each).keys()].some((name) => layerAt(each, name) !== undefined)
}

function config(message: string): KeywardError {
  return new KeywardError('CONFIG', message)
}
