import type { Awaitable } from '../../model/awaitable.ts'
import { KeywardError } from '../../model/errors.ts'
import type { Decision } from '../guard.ts'
import { showIdentity } from '../shown-identity.ts'
import { type Exchange, exchangeOf } from './exchange.ts'
import { handlersOf } from './layers.ts'
import type { Class, Handler } from './metadata.ts'
import { type RequestContext, requestOf } from './request.ts'
import { type BookOptions, createRules, type Rule } from './rules.ts'

/** What is used of an execution context of Nest. */
export interface GuardContext extends RequestContext {
  getClass(): Class
  getHandler(): Handler
}

/** What the handlers of one application demand, for its guards. */
export interface Book {
  /** @throws KeywardError `CONFIG` for a wrong demand anywhere in a controller */
  read(controller: Class): void
  /**
   * Whether a request may go on. A refused one is answered, and nobody hears of it again.
   * @param everywhere whether a handler of which nothing is said is guarded too
   * @throws KeywardError `CONFIG` for anything but a request of HTTP, and what a function of the demand throws
   */
  admit(context: GuardContext, everywhere: boolean): Awaitable<boolean>
}

/** Under which Nest's container has the book of an application. */
export const BOOK = Symbol.for('keyward.nest')

/** Who comes to a handler that is open. */
const NOBODY = { access: undefined }

/** @throws KeywardError `CONFIG` for each wrong option */
export function createBook(options: BookOptions): Book {
  const ruleOf = createRules(options)
  /** By which rule a request was admitted already: the guard for everything and a controller's own are one. */
  const passed = new WeakMap<object, Rule>()

  return {
    read: (controller) => {
      for (const handler of handlersOf(controller)) ruleOf(controller, handler)
    },
    admit(context, everywhere) {
      const rule = ruleOf(context.getClass(), context.getHandler())
      if (!rule.isSaid && !everywhere) return true
      if (rule.ask === 'open') {
        if (context.getType() === 'http') showIdentity(requestOf(context), NOBODY)
        return true
      }
      const request = requestOf(context)
      if (passed.get(request) === rule) return true
      const exchange = exchangeOf(request, context.switchToHttp().getResponse())
      const settle = (decision: Decision): Awaitable<boolean> => {
        if (!conclude(exchange, decision)) return never()
        passed.set(request, rule)
        showIdentity(request, decision.verdict)
        return true
      }
      const decision = rule.ask(exchange.facts)
      return decision instanceof Promise ? decision.then(settle) : settle(decision)
    },
  }
}

/** Whether the handler is to be called; where it is not, the request has its answer. */
function conclude(exchange: Exchange, decision: Decision): decision is Exclude<Decision, { answer: object }> {
  // A time-out of the host may have answered while the store was asked: then nothing is left to do.
  if (exchange.isOver()) {
    decision.release?.()
    return false
  }
  if (decision.answer !== undefined) {
    exchange.refuse(decision.answer)
    return false
  }
  exchange.add(decision.headers)
  if (decision.release !== undefined) exchange.onceEnded(decision.release)
  return true
}

/**
 * After a refusal. `false` would have Nest throw, and a filter of the host write a second answer after the first. What
 * waits for this is forgotten with the request.
 */
function never(): Promise<boolean> {
  return new Promise(() => {})
}

/** @throws KeywardError `CONFIG` where Nest had nothing to hand to a guard */
export function needBook(book: Book | undefined): Book {
  if (book !== undefined) return book
  throw new KeywardError('CONFIG', 'KeywardGuard needs KeywardModule.forRoot({ keys }) among the imports of a module')
}
