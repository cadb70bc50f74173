import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { KeyEvent } from 'keyward'
import { sqliteStore } from 'keyward/sqlite'
import { createApp, createKeys } from './app.ts'

const folder = process.env.DATA_DIR ?? fileURLToPath(new URL('.data', import.meta.url))
mkdirSync(folder, { recursive: true })

const store = sqliteStore(`${folder}/keys.db`)
const keys = createKeys({ store, onEvent: (event) => console.log(lineOf(event)) })
const server = createApp(keys).listen(Number(process.env.PORT ?? 3000), '127.0.0.1', welcome)

async function welcome(error?: Error): Promise<void> {
  if (error !== undefined) throw error
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { key } = await keys.create({ owner: 'you', name: 'Quickstart', scopes: ['models:*'] })
  console.log(`
A fresh key, shown this once:  ${key}
OpenAI SDK base URL:           ${url}/v1
Anthropic SDK base URL:        ${url}

${curlLines(url, key).join('\n\n')}

Without a key, refused:

curl ${url}/v1/models

Ctrl-C stops. What becomes of each request:
`)
}

function curlLines(url: string, key: string): readonly string[] {
  const question = '"model":"echo","messages":[{"role":"user","content":"Good morning"}]'
  const json = `-H 'Content-Type: application/json'`
  return [
    `curl ${url}/v1/models -H 'Authorization: Bearer ${key}'`,
    `curl ${url}/v1/chat/completions -H 'Authorization: Bearer ${key}' ${json} -d '{${question}}'`,
    `curl -N ${url}/v1/chat/completions -H 'Authorization: Bearer ${key}' ${json} -d '{${question},"stream":true}'`,
    `curl ${url}/v1/messages -H 'X-API-Key: ${key}' ${json} -d '{${question},"max_tokens":100}'`,
    `curl -N ${url}/v1/messages -H 'X-API-Key: ${key}' ${json} -d '{${question},"max_tokens":100,"stream":true}'`,
  ]
}

/** An event for people. No event holds a secret, so any part of one may be logged. */
function lineOf(event: KeyEvent): string {
  const { at, type, id, owner } = event
  const what = type === 'denied' ? `denied (${event.code})` : type
  const who = id === undefined ? '' : ` key ${id} of ${owner}`
  const from = 'address' in event ? ` from ${event.address}` : ''
  const why = type === 'fault' ? ` in ${event.code}: ${event.message}` : ''
  return `${at} ${what}${who}${from}${why}`
}

let closing = false
async function close(): Promise<void> {
  if (closing) return // Ctrl-C comes once from the terminal and once from npm
  closing = true
  server.close()
  await keys.close()
  await store.close?.()
  console.log('Closed.')
}
process.on('SIGINT', close)
process.on('SIGTERM', close)
