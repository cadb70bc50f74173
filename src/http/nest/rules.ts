import type { AnyDemand } from '../../model/demand.ts'
import { flawedAt } from '../../model/errors.ts'
import { isRecord } from '../../model/is-object.ts'
import { show, unwanted } from '../../model/redact.ts'
import { DOOR, type WithDoor } from '../door.ts'
import { type Ask, createGuard } from '../guard.ts'
import { type Said, saidOf } from './layers.ts'
import type { Class, Handler } from './metadata.ts'

type Instances = WithDoor | readonly WithDoor[]

/** What `KeywardModule` is given. */
export interface BookOptions {
  readonly keys: Instances | Readonly<Record<string, WithDoor>>
  readonly demand?: AnyDemand
}

/** What a request to a handler has to pass. */
export interface Rule {
  /** Whether somebody said so of this handler or its controller. */
  readonly isSaid: boolean
  readonly ask: Ask | 'open'
}

/**
 * The rule of each handler, compiled when it is first asked for.
 * @throws KeywardError `CONFIG` for each wrong option; and the function that it gives, for a wrong demand
 */
export function createRules(options: BookOptions): (controller: Class, handler: Handler) => Rule {
  const { instances, named } = readOptions(options)
  const { demand = {} } = options
  const unsaid: Rule = { isSaid: false, ask: createGuard(instances, demand) }
  const rules = new WeakMap<Class, WeakMap<Handler, Rule>>()

  function compile(said: Said): Rule {
    if (said === 'open') return { isSaid: true, ask: 'open' }
    if (said.length === 0) return unsaid
    const name = said.map(({ keys }) => keys).findLast((keys) => keys !== undefined)
    // Field by field: what a handler does not state is as its controller has it.
    const merged = Object.assign({}, demand, ...said.map((each) => each.demand))
    return { isSaid: true, ask: createGuard(name === undefined ? instances : named(name), merged) }
  }

  return (controller, handler) => {
    const ofController = rules.get(controller) ?? new WeakMap<Handler, Rule>()
    const rule = ofController.get(handler) ?? compile(saidOf(controller, handler))
    rules.set(controller, ofController.set(handler, rule))
    return rule
  }
}

interface Read {
  /** All of them. */
  readonly instances: Instances
  /** @throws KeywardError `CONFIG` for a name that is none of them */
  named(name: string): WithDoor
}

function readOptions(options: BookOptions): Read {
  if (!isRecord(options) || DOOR in options) {
    throw flawedAt(
      'CONFIG',
      'options',
      `must be { keys, demand? }, as in KeywardModule.forRoot({ keys }), not ${show(options)}`,
    )
  }
  for (const [name, value] of Object.entries(options)) {
    if (name !== 'keys' && name !== 'demand')
      throw flawedAt('CONFIG', name, unwanted('is no option of KeywardModule (keys, demand)', value))
    if (value === undefined) throw flawedAt('CONFIG', name, 'must not be undefined; leave it out')
  }
  const { keys } = options
  const byName = isNamed(keys) ? keys : {}
  return {
    instances: isNamed(keys) ? Object.values(keys) : keys,
    named(name) {
      const found = Object.hasOwn(byName, name) ? byName[name] : undefined
      if (found !== undefined) return found
      const names = Object.keys(byName).join(', ') || 'none has a name'
      throw flawedAt(
        'CONFIG',
        'keys',
        `of @ApiKey must be a name that KeywardModule was given (${names}), not ${show(name)}`,
      )
    },
  }
}

function isNamed(keys: BookOptions['keys']): keys is Readonly<Record<string, WithDoor>> {
  return isRecord(keys) && !(DOOR in keys)
}
