import type { Application, Request, Response } from 'express'
import type { ApiKeys, Demand } from 'keyward'
import { guard } from 'keyward/express'
import type { ExpressModule } from './express.ts'
import { type Served, serve } from './serve.ts'

export interface Guarded extends Served {
  readonly app: Application
  /** Whose key reached the handler, request by request; `undefined` for an anonymous one. */
  readonly reached: (string | undefined)[]
}

/** Serves one guarded route at `/`, and notes which requests reach its handler. */
export async function serveGuarded(
  express: ExpressModule,
  keys: ApiKeys | readonly ApiKeys[],
  demand?: Demand<string, Request>,
): Promise<Guarded> {
  const app = express()
  const reached: (string | undefined)[] = []
  app.all('/', demand === undefined ? guard(keys) : guard(keys, demand), (req: Request, res: Response) => {
    const access: { owner: string } | undefined = req.apiKey
    reached.push(access?.owner)
    res.json({ owner: access?.owner ?? null })
  })
  return { app, reached, ...(await serve(app)) }
}
