import { randomInt } from 'node:crypto'
import express, { type ErrorRequestHandler, type Request, type RequestHandler } from 'express'
import { type CryptoKey, jwtVerify } from 'jose'
import { bearer, createApiKeys, type KeyRecord } from 'keyward'
import { guard } from 'keyward/express'
import type { Place } from '../place.ts'

export interface ServiceOptions extends Place {
  /** Checks the signatures of users' tokens. */
  readonly publicKey: CryptoKey
  readonly issuer: string
}

/** Agentity: users manage their keys with a JWT; on data routes a key or a JWT will do. */
export function createService({ publicKey, issuer, ...place }: ServiceOptions) {
  const users = new WeakMap<Request, string>()

  /** Who the token of a request is about, if it is good. */
  async function userOf(req: Request): Promise<string | undefined> {
    const [, token] = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(req.headers.authorization ?? '') ?? []
    if (token === undefined) return undefined
    const requirements = { issuer, algorithms: ['ES256'], requiredClaims: ['sub', 'exp'] }
    const verified = await jwtVerify(token, publicKey, requirements).catch(() => undefined)
    return verified?.payload.sub
  }
  const signedIn: RequestHandler = async (req, res, next) => {
    const user = await userOf(req)
    if (user === undefined) return void res.status(401).json({ message: 'Invalid or missing token' })
    users.set(req, user)
    next()
  }
  const signedInUser = (req: Request) => users.get(req) ?? ''

  // #region keys
  const keys = createApiKeys({
    cache: false, // requests with a deleted key stop working at once, in every process
    ...place,
    prefix: 'agk_live_',
    sources: [bearer({ foreign: 'ignore' })], // a JWT in the same header is left to others
    names: 'unique', // a nickname is required, and a user has it once
    generateId: () => String(randomInt(10 ** 11, 10 ** 12)), // their ids are integers: 12 digits are an id of ours
    trustedProxies: [],
  })
  const shown = ({ id, name: nickname, createdAt, updatedAt }: KeyRecord) => {
    return { id: Number(id), nickname, createdAt, updatedAt }
  }

  const apiKeys = express.Router().use(signedIn, express.json())
  apiKeys.post('/', async (req, res) => {
    const { key, record } = await keys.create({ owner: signedInUser(req), name: req.body?.nickname })
    const { id, nickname, ...times } = shown(record)
    res.status(201).json({ id, nickname, key, ...times })
  })
  apiKeys.get('/', async (req, res) => {
    const all: object[] = []
    let page = await keys.list({ owner: signedInUser(req), limit: 100 })
    for (;;) {
      all.push(...page.items.map(shown))
      if (page.cursor === undefined) return void res.json({ apiKeys: all })
      page = await keys.list({ owner: signedInUser(req), limit: 100, cursor: page.cursor })
    }
  })
  apiKeys.delete('/:id', async (req, res) => {
    const record = await keys.get(req.params.id)
    if (record === undefined) return void res.status(404).json({ message: 'API key not found' })
    if (record.owner !== signedInUser(req)) return void res.status(401).json({ message: 'Unauthorized' })
    await keys.remove(record.id, { owner: signedInUser(req) })
    res.json({ message: 'API key deleted successfully' })
  })
  // #endregion

  /** After the guard: a request without a key may still come from a signed-in user. */
  const keyOrUser: RequestHandler = (req, res, next) => (req.apiKey === undefined ? signedIn(req, res, next) : next())

  const sendError: ErrorRequestHandler = (error, _req, res, _next) => {
    const status: number = error.status >= 400 && error.status < 500 ? error.status : 500
    if (status === 500) console.error(error)
    res
      .status(status)
      .json({ message: status === 500 ? 'Something went wrong' : error.message.replace(/^name/, 'nickname') })
  }

  const app = express()
    .use('/auth/api-keys', apiKeys)
    .get('/agents', guard(keys, { optional: true }), keyOrUser, (req, res) => {
      res.json({ owner: req.apiKey?.owner ?? signedInUser(req), by: req.apiKey === undefined ? 'user' : 'key' })
    })
    .get('/agents/own', guard(keys), (req, res) => void res.json({ owner: req.apiKey.owner }))
    .use(sendError)

  return { app, keys, close: () => keys.close() }
}
