import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Quickstart, startQuickstart } from './quickstart-process.ts'

const folder = mkdtempSync(join(tmpdir(), 'keyward-quickstart-'))
let quickstart: Quickstart

beforeAll(async () => {
  quickstart = await startQuickstart(folder)
})

afterAll(async () => {
  await quickstart.ctrlC()
  rmSync(folder, { recursive: true })
})

/** Runs a line in a shell, as it stands, and answers what it printed. */
async function shell(line: string): Promise<string> {
  const { stdout } = await promisify(execFile)('sh', ['-c', line])
  return stdout
}

const say = { model: 'echo', messages: [{ role: 'user' as const, content: 'Good morning' }] }

describe('npm run quickstart', () => {
  it('prints a key, both base URLs and six lines of curl', () => {
    expect(quickstart.key).toMatch(/^qs_[0-9A-Za-z]{50}$/)
    expect(quickstart.anthropic).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect(quickstart.openai).toBe(`${quickstart.anthropic}/v1`)
    expect(quickstart.curls).toHaveLength(6)
  })

  it('prints lines of curl that work exactly as they stand', async () => {
    const answers = await Promise.all(quickstart.curls.map(shell))
    const [models, chat, chatStream, message, messageStream, refused] = answers
    const parse = (text = '') => JSON.parse(text) as unknown
    expect(parse(models)).toMatchObject({ data: [{ id: 'echo' }] })
    expect(parse(chat)).toMatchObject({ choices: [{ message: { content: 'Hello you, you said: Good morning' } }] })
    expect(chatStream).toMatch(/^data: \{.*"content":"morning".*\ndata: \[DONE\]\n\n$/s)
    expect(parse(message)).toMatchObject({ content: [{ text: 'Hello you, you said: Good morning' }] })
    expect(messageStream).toMatch(/^event: message_start\n.*"text":"morning".*event: message_stop\n/s)
    expect(parse(refused)).toMatchObject({ status: 401, code: 'missing_credentials' })
  })

  it('prints base URLs that the SDKs take as they stand', async () => {
    const openai = new OpenAI({ baseURL: quickstart.openai, apiKey: quickstart.key })
    const anthropic = new Anthropic({ baseURL: quickstart.anthropic, apiKey: quickstart.key, authToken: null })
    const { choices } = await openai.chat.completions.create(say)
    const { content } = await anthropic.messages.create({ ...say, max_tokens: 100 })
    const counted = await anthropic.messages.countTokens(say)
    expect(choices[0]?.message.content).toContain('Good morning')
    expect(content).toMatchObject([{ text: expect.stringContaining('Good morning') }])
    expect(counted.input_tokens).toBe(2)
  })

  it('logs each decision in one line, in which no secret is', async () => {
    await fetch(`${quickstart.openai}/models`, { headers: { 'x-api-key': quickstart.key } })
    await fetch(`${quickstart.openai}/models`, { headers: { 'x-api-key': `${quickstart.key}x` } })
    await quickstart.printed(/denied \(invalid_key\).*\n/)
    const log = quickstart.output().split('Ctrl-C stops')[1] ?? ''
    const id = quickstart.key.slice(3, 15)
    expect(log).toMatch(new RegExp(`^\\S+Z admitted key ${id} of you from 127\\.0\\.0\\.1$`, 'm'))
    expect(log).toMatch(/^\S+Z denied \(invalid_key\) from 127\.0\.0\.1$/m)
    expect(log).not.toContain(quickstart.key.slice(15, 47))
  })

  it('answers a body that is no JSON with a message and nothing of its insides', async () => {
    const headers = { 'x-api-key': quickstart.key, 'content-type': 'application/json' }
    const answer = await fetch(`${quickstart.openai}/chat/completions`, { method: 'POST', headers, body: '{' })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toEqual({
      type: 'error',
      error: { type: 'invalid_request_error', message: expect.stringContaining('JSON') },
    })
  })

  it('stops at Ctrl-C with everything closed, and knows its keys when it is started again', async () => {
    const { key } = quickstart
    await quickstart.ctrlC()
    expect(quickstart.output()).toMatch(/\nClosed\.\n$/)
    expect(existsSync(join(folder, 'keys.db'))).toBe(true)
    quickstart = await startQuickstart(folder)
    expect(quickstart.key).not.toBe(key)
    const again = await fetch(`${quickstart.openai}/models`, { headers: { 'x-api-key': key } })
    expect(again.status).toBe(200)
  })
})
