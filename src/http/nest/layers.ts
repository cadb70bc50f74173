import type { AnyDemand } from '../../model/demand.ts'
import { KeywardError } from '../../model/errors.ts'
import { show } from '../../model/redact.ts'
import { type Class, type Handler, lineOf, metadata, methodsOf, type Name } from './metadata.ts'

/** What `@ApiKey` or `@Public` says of a controller, or of one of its handlers. */
export type Layer = { readonly open: true } | Demanding

interface Demanding {
  readonly open?: never
  readonly demand: AnyDemand
  readonly keys: string | undefined
}

/** What is said of a handler: that it is open, or what is demanded, the outermost first; nothing where nobody said anything. */
export type Said = 'open' | readonly Demanding[]

/** A text, so that what one copy of this package has written another can read. */
const LAYER = 'keyward:layer'

/** What is said of a class, of a method of it, or of a function, which takes it along to where it is copied. */
export function layerAt(each: Class | Handler, name?: Name): Layer | undefined {
  return metadata().getOwnMetadata(LAYER, each, name) as Layer | undefined
}

export function putLayer(each: Class | Handler, name: Name | undefined, layer: Layer): void {
  metadata().defineMetadata(LAYER, layer, each, name)
}

/**
 * What is said of a handler. A method that overrides another inherits its demand, never its opening; a class inherits the
 * demand of the one it extends, and where that is open, it opens its own methods only when it says so.
 * @throws KeywardError `CONFIG` for a handler that cannot be found in a controller that says something of its handlers
 */
export function saidOf(controller: Class, handler: Handler): Said {
  const line = lineOf(controller)
  const place = placeOf(line, handler)
  const own = ownLayer(line, place, handler)
  if (own?.open) return 'open'
  const overridden =
    place === undefined ? [] : line.slice(line.indexOf(place.owner) + 1).map((each) => layerAt(each, place.name))
  const inner = [own, ...overridden].filter(demands)
  const outer = outerLayers(line, place?.owner, inner.length > 0)
  return outer === 'open' ? outer : [...inner, ...outer].reverse()
}

/** What is said of the handler itself. */
function ownLayer(line: readonly Class[], place: Place | undefined, handler: Handler): Layer | undefined {
  const carried = layerAt(handler)
  const written = place && layerAt(place.owner, place.name)
  if (place?.isSure) return written ?? carried
  if (carried !== undefined) return carried
  if (written?.open || (place === undefined && line.some(saysOfHandlers))) {
    throw config(`nobody knows which method of ${line[0]?.name} ${show(handler.name)} is, and what is said of it`)
  }
  return written
}

/** What is said of the controller and of what it extends, the last class first, as far as it is for a method of `owner`. */
function outerLayers(line: readonly Class[], owner: Class | undefined, isDemanding: boolean): Said {
  const demanded: Demanding[] = []
  for (const each of line) {
    const layer = layerAt(each)
    if (layer === undefined) continue
    if (demands(layer)) demanded.push(layer)
    else if (each === owner || each === line[0]) {
      if (!isDemanding && demanded.length === 0) return 'open'
      if (each === owner) break
    }
  }
  return demanded
}

function demands(layer: Layer | undefined): layer is Demanding {
  return layer !== undefined && !layer.open
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
  readonly isSure: boolean
}

/**
 * By what it is; and by its name, where somebody has put a method of the instance before that of its class. A name alone may
 * be that of another method, but for what `bind` gave it.
 */
function placeOf(line: readonly Class[], handler: Handler): Place | undefined {
  for (const owner of line) {
    for (const [name, method] of methodsOf(owner)) if (method === handler) return { owner, name, isSure: true }
  }
  const name = handler.name.replace(/^bound /, '')
  const owner = line.find((each) => methodsOf(each).has(name))
  return owner && { owner, name, isSure: name !== handler.name }
}

function saysOfHandlers(each: Class): boolean {
  return [...methodsOf(each).keys()].some((name) => layerAt(each, name) !== undefined)
}

function config(message: string): KeywardError {
  return new KeywardError('CONFIG', message)
}
