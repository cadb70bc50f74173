import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FRAMEWORKS } from './http-peers.ts'

// A process of its own: one variant on one framework. It says where it listens and what it is to be asked with; to
// every message it answers how much CPU it has used since it began, in microseconds.
const [framework = '', name = '', limit = ''] = process.argv.slice(2)

const variant = FRAMEWORKS[framework]?.find((each) => each.name === name)
if (variant === undefined) throw new Error(`nobody knows ${name} on ${framework}`)
const { listener, sent } = await variant.make(Number(limit))
const server = createServer({ keepAliveTimeout: 60_000 }, listener)
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port, sent }))
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpu: user + system })
})
process.on('disconnect', () => process.exit())
