import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { EXPRESS, FASTIFY } from './http-apps.ts'

// A process of its own: one variant on one framework. It says where it listens and what it is to be asked with. To every
// message it answers what its event loop was since the last: percentiles between two ticks of a timer of 1 ms, in ms.
const [framework = '', name = ''] = process.argv.slice(2)

const variant = { Express: EXPRESS, Fastify: FASTIFY }[framework]?.find((each) => each.name === name)
if (variant === undefined) throw new Error(`nobody knows ${name} on ${framework}`)
const { listener, sent } = await variant.make(1e9)
const server = createServer({ keepAliveTimeout: 60_000 }, listener)
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port, sent }))

const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
process.on('message', () => {
  const [p50, p99, max] = [delay.percentile(50), delay.percentile(99), delay.max].map((ns) => ns / 1e6)
  process.send?.({ p50, p99, max })
  delay.reset()
})
process.on('disconnect', () => process.exit())
