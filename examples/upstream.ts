import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * A model that says what it was told, shaped like OpenAI's and like Anthropic's: the one fake part of these examples.
 * A word is a token.
 */
export interface Question {
  readonly model: string
  readonly text: string
  readonly stream: boolean
  readonly promptTokens: number
  /** The most that the answer may have. */
  readonly maxTokens: number
  /** Fields of an answer that are the service's own. */
  readonly more?: object
}

/** What a model answers, piece by piece as it goes over the wire. */
export interface Reply {
  readonly type: 'application/json' | 'text/event-stream'
  readonly pieces: AsyncIterable<string>
  /** The tokens of the question and of as much of the answer as was made. */
  used(): number
}

/** Also of what is held of a balance beforehand. */
const MOST_TOKENS = 100_000

/** @throws an error with status 400, as Express understands it, for what is no request */
export function questionOf(body: unknown): Question {
  const { model, messages, stream, max_tokens, max_completion_tokens } = Object(body)
  if (typeof model !== 'string') throw badRequest('model must be text')
  if (!Array.isArray(messages) || messages.length === 0) throw badRequest('messages must be a list of at least one')
  const maxTokens: unknown = max_completion_tokens ?? max_tokens ?? 100
  if (!Number.isInteger(maxTokens) || Number(maxTokens) < 1 || Number(maxTokens) > MOST_TOKENS)
    throw badRequest(`max_tokens must be a whole number from 1 to ${MOST_TOKENS}`)
  const texts = messages.map((message) => textOf(Object(message).content))
  return {
    model,
    text: texts.at(-1) ?? '',
    stream: stream === true,
    promptTokens: texts.join(' ').split(/\s+/).filter(Boolean).length,
    maxTokens: Number(maxTokens),
  }
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

interface Answering {
  words(): AsyncGenerator<string>
  /** All of it. */
  text(): Promise<string>
  made(): number
}

function answering({ text, maxTokens }: Question): Answering {
  let made = 0
  async function* words() {
    for (const word of (`You said: ${text}`.match(/\S+\s*/g) ?? []).slice(0, maxTokens)) {
      await pause(5)
      made++
      yield word
    }
  }
  return {
    words,
    made: () => made,
    async text() {
      let all = ''
      for await (const word of words()) all += word
      return all
    },
  }
}

type Pieces = (question: Question, answer: Answering) => AsyncGenerator<string>

const reply =
  (whole: Pieces, streamed: Pieces) =>
  (question: Question): Reply => {
    const answer = answering(question)
    return {
      type: question.stream ? 'text/event-stream' : 'application/json',
      pieces: (question.stream ? streamed : whole)(question, answer),
      used: () => question.promptTokens + answer.made(),
    }
  }

const newId = (prefix: string) => prefix + randomUUID().replaceAll('-', '')
const created = () => Math.floor(Date.now() / 1000)

/** `POST /v1/chat/completions`, as OpenAI answers it. */
export const openai = reply(
  async function* ({ model, promptTokens, more }, answer) {
    const content = await answer.text()
    yield JSON.stringify({
      id: newId('chatcmpl-'),
      object: 'chat.completion',
      created: created(),
      model,
      choices: [{ index: 0, message: { role: 'assistant', content, refusal: null }, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: promptTokens,
        completion_tokens: answer.made(),
        total_tokens: promptTokens + answer.made(),
      },
      ...more,
    })
  },
  async function* ({ model, more }, answer) {
    const common = { id: newId('chatcmpl-'), object: 'chat.completion.chunk', created: created(), model, ...more }
    const chunk = (delta: object, finish_reason: string | null) =>
      `data: ${JSON.stringify({ ...common, choices: [{ index: 0, delta, finish_reason }] })}\n\n`
    yield chunk({ role: 'assistant', content: '' }, null)
    for await (const content of answer.words()) yield chunk({ content }, null)
    yield chunk({}, 'stop')
    yield 'data: [DONE]\n\n'
  },
)

/** `POST /v1/messages`, as Anthropic answers it. */
export const anthropic = reply(
  async function* ({ model, promptTokens }, answer) {
    const content = [{ type: 'text', text: await answer.text() }]
    const usage = { input_tokens: promptTokens, output_tokens: answer.made() }
    const end = { stop_reason: 'end_turn', stop_sequence: null }
    yield JSON.stringify({ id: newId('msg_'), type: 'message', role: 'assistant', model, content, usage, ...end })
  },
  async function* ({ model, promptTokens }, answer) {
    const usage = { input_tokens: promptTokens, output_tokens: 0 }
    const empty = { content: [], stop_reason: null, stop_sequence: null, usage }
    const message = { id: newId('msg_'), type: 'message', role: 'assistant', model, ...empty }
    yield sse('message_start', { message })
    yield sse('content_block_start', { index: 0, content_block: { type: 'text', text: '' } })
    for await (const text of answer.words()) {
      yield sse('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })
    }
    yield sse('content_block_stop', { index: 0 })
    const delta = { stop_reason: 'end_turn', stop_sequence: null }
    yield sse('message_delta', { delta, usage: { ...usage, output_tokens: answer.made() } })
    yield sse('message_stop', {})
  },
)

function sse(type: string, data: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`
}
