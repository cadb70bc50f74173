import { said } from './response.ts'

/**
 * The response, which calls `then` when its body has come to its end or broken; of an answer to HEAD nobody reads one. Not
 * when a client hangs up: who makes the body may still be at work, and charges what was used; what is never settled runs out
 * with its lease.
 */
export function onceRead(response: Response, request: Request, then: () => void): Response {
  // A body that is being read already is not the handler's: somebody else has answered meanwhile.
  if (response.body === null || response.body.locked || request.method === 'HEAD') {
    then()
    return response
  }
  const reader = response.body.getReader()
  let isLeft = false
  const read = async () => {
    const { done, value } = await reader.read()
    if (done && !isLeft) then()
    return { done, value }
  }
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    try {
      const { done, value } = await read()
      if (done) controller.close()
      else controller.enqueue(value)
    } catch (error) {
      if (!isLeft) then()
      controller.error(error)
    }
  }
  const cancel = async (reason: unknown) => {
    // A text is there as a whole, and so is its end: only of what is not may somebody be at work.
    const rest = read().then(({ done }) => (done ? undefined : read()))
    await Promise.race([rest, new Promise((resolve) => setTimeout(resolve))]).catch(then)
    isLeft = true
    await reader.cancel(reason)
  }
  // Two parts are read ahead, so a text to its end: what stands around a guard may put another answer in its place.
  const body = new ReadableStream({ pull, cancel }, { highWaterMark: 2 })
  return said(new Response(body, response), request)
}
