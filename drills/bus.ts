import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import pg from 'pg'
import { channelOf, type Place } from './place.ts'

/** A way to a server, on which the bus can be cut: what is told of changes is lost, and every connection stays open. */
export interface Way {
  readonly place: Place
  /** From now on; whoever begins to listen afterwards hears nothing either. */
  cut(): void
  end(): void
}

/** How a connection begins to listen, with Redis and with PostgreSQL. */
const LISTENS = /\b(?:subscribe|LISTEN)\b/

/** Leads to a place with one port, past somebody who can hold things back. */
export async function wayTo(place: Place): Promise<Way> {
  let isCut = false
  const sockets = new Set<Socket>()
  const proxy = createServer((near) => {
    const far = connect(portOf(place), '127.0.0.1')
    let isBus = false
    keep(near, far)
    keep(far, near)
    near.on('data', (data) => {
      isBus ||= LISTENS.test(data.toString('latin1'))
      if (!isBus || !isCut) far.write(data)
    })
    far.on('data', (data) => {
      if (!isBus || !isCut) near.write(data)
    })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const { port } = proxy.address() as AddressInfo
  return {
    place: atPort(place, port),
    cut: () => {
      isCut = true
    },
    end() {
      for (const socket of sockets) socket.destroy()
      proxy.close()
    },
  }

  function keep(socket: Socket, other: Socket): void {
    sockets.add(socket)
    socket.setNoDelay()
    socket.on('error', () => {})
    socket.on('close', () => {
      sockets.delete(socket)
      other.destroy()
    })
  }
}

function portOf(place: Place): number {
  if (place.engine === 'Redis') return place.port
  if (place.engine === 'PostgreSQL' || place.engine === 'MariaDB') return Number(place.connection.port)
  throw new Error(`${place.engine} has no one port`)
}

function atPort(place: Place, port: number): Place {
  if (place.engine === 'Redis') return { ...place, port }
  if (place.engine === 'PostgreSQL' || place.engine === 'MariaDB') {
    return { ...place, connection: { ...place.connection, port } }
  }
  throw new Error(`${place.engine} has no one port`)
}

/** What is told on the bus of a place, where there is one. */
export async function listenAt(place: Place): Promise<{ heard: string[]; end(): Promise<void> } | undefined> {
  const heard: string[] = []
  const channel = channelOf(place)
  if (place.engine === 'PostgreSQL') {
    const client = new pg.Client(place.connection)
    client.on('error', () => {})
    client.on('notification', ({ payload = '' }) => void heard.push(payload))
    await client.connect()
    await client.query(`LISTEN ${channel}`)
    return { heard, end: () => client.end() }
  }
  const [port] = place.engine === 'Redis Cluster' ? place.ports : place.engine === 'Redis' ? [place.port] : []
  if (port === undefined) return undefined
  const client = new Redis(port, '127.0.0.1')
  client.on('error', () => {})
  client.on('message', (_, message) => void heard.push(message))
  await client.subscribe(channel)
  return { heard, end: async () => client.disconnect() }
}
