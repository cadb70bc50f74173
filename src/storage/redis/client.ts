import { randomInt } from 'node:crypto'

/**
 * A client of ioredis 5 or 6: standalone, behind Sentinel, or a Cluster. What is asked of it is its settings; the store
 * works on connections of its own, made by its `duplicate`.
 */
export interface RedisClient {
  readonly options: object
  duplicate(...overrides: never[]): unknown
  on(event: never, listener: never): unknown
  evalsha(...command: never[]): unknown
}

/** A connection of the store's own: what is used of `Redis` and `Cluster`. */
export interface Connection {
  readonly status: string
  readonly options: ClientOptions
  connect(): Promise<unknown>
  disconnect(reconnect?: boolean): void
  /** With bytes in place of texts. */
  evalshaBuffer(sha: string, keys: number, ...rest: readonly string[]): Promise<unknown>
  evalBuffer(text: string, keys: number, ...rest: readonly string[]): Promise<unknown>
  info(): Promise<unknown>
  select(db: number): Promise<unknown>
  ping(): Promise<unknown>
  wait(replicas: number, ms: number): Promise<unknown>
  subscribe(channel: string): Promise<unknown>
  on(event: string, listener: (...args: readonly unknown[]) => void): unknown
  off?(event: string, listener: () => void): unknown
  readonly stream?: Stream
  /** Of a Cluster. */
  nodes?(role: 'master'): readonly Duplicable[]
}

/** The socket below a connection. */
export interface Stream {
  unref?(): unknown
  cork?(): unknown
  uncork?(): unknown
}

export interface ClientOptions {
  readonly keyPrefix?: unknown
  readonly role?: unknown
  /** Number of the database. */
  readonly db?: number
  readonly enableReadyCheck?: unknown
  readonly username?: unknown
  readonly password?: unknown
  readonly redisOptions?: ClientOptions
}

interface Duplicable {
  readonly stream?: Stream
  duplicate(options: object): Connection
}

/** How long after a loss a new connection is tried, ms: service is back within a second of the server's return. */
const retryStrategy = (times: number): number => Math.min(50 * times, 400)

/**
 * Settings that keep the promises, whatever those of the client are. Nothing waits in a queue that nobody watches, and
 * nothing is sent twice: a command whose answer was lost may have charged already.
 */
const settingsFor = (timeout: number, { enableReadyCheck }: ClientOptions) => ({
  // A host that is lost, or a firewall that has forgotten the connection, says nothing: TCP gives it up after a quarter of
  // an hour. Whoever waited for an answer has given up by then, so that another connection is made, maybe elsewhere.
  socketTimeout: timeout,
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  maxRetriesPerRequest: 0,
  // Where INFO has another name, the host has left the question out: a server that still loads says so itself.
  enableReadyCheck: enableReadyCheck !== false,
  enableAutoPipelining: false,
  commandTimeout: undefined,
  monitor: false,
  readOnly: false,
  stringNumbers: false,
  retryStrategy,
  // A master that has become a replica: the next attempt asks Sentinel or DNS again. What failed did nothing. Redis 6
  // puts words of its own before those of a script.
  reconnectOnError: (error: Error) => (/\bREADONLY /.test(error.message) ? 1 : false),
})

/**
 * A connection for commands, which is made when it is first needed.
 * @param timeout how long an answer is waited for, ms: where nothing is heard for so long, another connection is made
 */
export function commandConnection(client: RedisClient, timeout: number): Connection {
  const settings = settingsFor(timeout, optionsOf(client))
  if (!isCluster(client))
    return renewing(client, duplicate(client, [{ ...settings, sentinelRetryStrategy: retryStrategy }]))
  const { lazyConnect, enableOfflineQueue: _, enableAutoPipelining, ...ofNodes } = settings
  const { redisOptions = {} } = client.options as ClientOptions
  const ofAll = {
    lazyConnect,
    // Else a Cluster refuses what it is asked while it connects to one of its nodes.
    enableOfflineQueue: true,
    enableAutoPipelining,
    scaleReads: 'master',
    // A Cluster sends again what was on a connection that broke.
    retryDelayOnFailover: 0,
    clusterRetryStrategy: retryStrategy,
    redisOptions: { ...redisOptions, ...ofNodes },
  }
  return duplicate(client, [[], ofAll])
}

/** What the host lets a client log in with may end, as tokens do: the next connection takes what it has by then. */
function renewing(client: RedisClient, connection: Connection): Connection {
  connection.on('close', () => {
    const { username, password } = optionsOf(client)
    Object.assign(connection.options, { username, password })
  })
  return connection
}

/** A connection that only listens. It ends when it breaks: whoever listens makes another. */
export function listeningConnection(
  client: RedisClient,
  commands: Connection,
  timeout: number,
): Connection | undefined {
  const settings = {
    ...settingsFor(timeout, optionsOf(client)),
    keyPrefix: '',
    retryStrategy: null,
    sentinelRetryStrategy: () => null,
  }
  if (!isCluster(client)) return duplicate(client, [settings])
  const masters = commands.nodes?.('master') ?? []
  return masters[randomInt(Math.max(1, masters.length))]?.duplicate(settings)
}

/** Those of one connection: of a Cluster, of each of its nodes. */
function optionsOf({ options }: RedisClient): ClientOptions {
  const { redisOptions } = options as ClientOptions
  return redisOptions ?? (options as ClientOptions)
}

export function isCluster(client: RedisClient): boolean {
  return (client as { readonly isCluster?: unknown }).isCluster === true
}

/** What the client puts before every name of its own accord. */
export function keyPrefixOf({ options }: RedisClient): string {
  const { keyPrefix, redisOptions } = options as ClientOptions
  const prefix = keyPrefix ?? redisOptions?.keyPrefix
  return typeof prefix === 'string' ? prefix : ''
}

/** Runs when the client is closed for good. @returns stops waiting for that */
export function onEnd(client: RedisClient, work: () => void): () => void {
  const { on, off } = client as unknown as Connection
  on.call(client, 'end', work)
  return () => void off?.call(client, 'end', work)
}

function duplicate(client: RedisClient, overrides: readonly unknown[]): Connection {
  return client.duplicate(...(overrides as readonly never[])) as Connection
}
