import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

/** The models behind the API: the one fake part of this example. They say what they were told, without any network. */
export const MODELS = ['echo']

/** What a client asked, in the part that OpenAI's and Anthropic's requests have in common. */
export interface Question {
  readonly model: string
  readonly stream: boolean
  readonly text: string
  readonly tokens: number
}

/** A whole answer, or its server-sent events. */
export type Reply = object | AsyncIterable<string>

/** @throws an error with status 400, as Express understands it, for what is no request */
export function questionOf(body: unknown): Question {
  const { model, messages, stream = false } = Object(body)
  if (typeof model !== 'string') throw badRequest('model must be text')
  if (!Array.isArray(messages) || messages.length === 0) throw badRequest('messages must be a list of at least one')
  const texts = messages.map((message) => textOf(Object(message).content))
  return { model, stream: stream === true, text: texts.at(-1) ?? '', tokens: tokensIn(texts.join(' ')) }
}

/** The content of a message is text, or a list of blocks of which some are text. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) throw badRequest('content must be text or a list of blocks')
  return content.map((block) => String(Object(block).text ?? '')).join('')
}

function badRequest(message: string): Error {
  return Object.assign(new Error(message), { status: 400 })
}

function tokensIn(text: string): number {
  return text.split(/\s+/).filter(Boolean).length
}

function answerTo({ text }: Question, owner: string): string {
  return `Hello ${owner}, you said: ${text}`
}

/** Word by word, as a model would. */
async function* wordsOf(answer: string): AsyncGenerator<string> {
  for (const word of answer.match(/\S+\s*/g) ?? []) {
    await pause(10)
    yield word
  }
}

/** `POST /v1/chat/completions`, as OpenAI answers it. */
export function chatCompletion(question: Question, owner: string): Reply {
  const { model, tokens } = question
  const answer = answerTo(question, owner)
  const common = { id: newId('chatcmpl-'), created: Math.floor(Date.now() / 1000), model }
  if (question.stream) return chunks({ ...common, object: 'chat.completion.chunk' }, answer)
  const spent = tokensIn(answer)
  return {
    ...common,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: answer, refusal: null }, finish_reason: 'stop' }],
    usage: { prompt_tokens: tokens, completion_tokens: spent, total_tokens: tokens + spent },
  }
}

async function* chunks(common: object, answer: string): AsyncGenerator<string> {
  const chunk = (delta: object, finish_reason: string | null) =>
    `data: ${JSON.stringify({ ...common, choices: [{ index: 0, delta, finish_reason }] })}\n\n`
  yield chunk({ role: 'assistant', content: '' }, null)
  for await (const content of wordsOf(answer)) yield chunk({ content }, null)
  yield chunk({}, 'stop')
  yield 'data: [DONE]\n\n'
}

/** `POST /v1/messages`, as Anthropic answers it. */
export function message(question: Question, owner: string): Reply {
  const answer = answerTo(question, owner)
  const empty = {
    id: newId('msg_'),
    type: 'message',
    role: 'assistant',
    model: question.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: question.tokens, output_tokens: 0 },
  }
  const end = { stop_reason: 'end_turn', stop_sequence: null }
  const usage = { input_tokens: question.tokens, output_tokens: tokensIn(answer) }
  if (!question.stream) return { ...empty, ...end, content: [{ type: 'text', text: answer }], usage }
  return messageEvents(answer, { type: 'message_start', message: empty }, { type: 'message_delta', delta: end, usage })
}

async function* messageEvents(answer: string, start: Typed, end: Typed): AsyncGenerator<string> {
  const index = 0
  yield sse(start)
  yield sse({ type: 'content_block_start', index, content_block: { type: 'text', text: '' } })
  for await (const text of wordsOf(answer)) {
    yield sse({ type: 'content_block_delta', index, delta: { type: 'text_delta', text } })
  }
  yield sse({ type: 'content_block_stop', index })
  yield sse(end)
  yield sse({ type: 'message_stop' })
}

interface Typed {
  readonly type: string
  readonly [field: string]: unknown
}

function sse(event: Typed): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}

function newId(prefix: string): string {
  return prefix + randomUUID().replaceAll('-', '')
}

/** `GET /v1/models`, with the fields of both: each SDK reads its own. */
export function modelList(): object {
  const data = MODELS.map((id) => ({
    id,
    object: 'model',
    created: 1_795_219_200,
    owned_by: 'quickstart',
    type: 'model',
    display_name: id,
    created_at: '2026-11-21T00:00:00Z',
  }))
  return { object: 'list', data, has_more: false, first_id: data[0]?.id, last_id: data.at(-1)?.id }
}
