import { guard } from 'keyward/fetch'
import { guardChecks } from 'keyward/testing'

/** A plain script, with neither a server nor a test runner that would keep its process alive. */
const checks = guardChecks({
  header: (request: Request, name) => request.headers.get(name) ?? undefined,
  serve({ keys, demand, handle }) {
    const demanded = { ...demand, address: () => '127.0.0.1' }
    const guarded = guard(keys, demanded, async (_request, access) => new Response(await handle(access)))
    return {
      async send({ method, headers }) {
        const response = await guarded(
          new Request('http://localhost/', { method, headers: headers as [string, string][] }),
        )
        const body = method === 'HEAD' ? '' : await response.text()
        return { status: response.status, headers: Object.fromEntries(response.headers), body }
      },
    }
  },
})
let done = 0
for (const { run } of checks) {
  await run()
  done++
}
console.log(done === checks.length)
