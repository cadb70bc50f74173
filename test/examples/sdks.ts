import Anthropic from '@anthropic-ai/sdk'
import Anthropic0 from 'anthropic0'
import OpenAI from 'openai'
import OpenAI7 from 'openai7'

/** What every SDK here can be asked for, whatever it calls it. */
export interface Connected {
  /** The whole answer to a question. */
  ask(question: string): Promise<string>
  /** The parts of a streamed one. */
  stream(question: string): Promise<string[]>
  models(): Promise<string[]>
}

export interface Sdk {
  readonly name: string
  /** Its own classes of errors, under the names that all of them share. */
  readonly errors: Record<
    'AuthenticationError' | 'PermissionDeniedError' | 'RateLimitError',
    new (
      ...args: never
    ) => Error
  >
  connect(url: string, key: string, options?: { maxRetries?: number }): Connected
}

const asked = (content: string) => ({ model: 'echo', messages: [{ role: 'user' as const, content }] })

function openai(name: string, Client: typeof OpenAI): Sdk {
  return {
    name,
    errors: Client,
    connect(url, apiKey, options) {
      const client = new Client({ baseURL: `${url}/v1`, apiKey, ...options })
      return {
        async ask(question) {
          const answer = await client.chat.completions.create(asked(question))
          return answer.choices[0]?.message.content ?? ''
        },
        async stream(question) {
          const chunks = await client.chat.completions.create({ ...asked(question), stream: true })
          const parts: string[] = []
          for await (const { choices } of chunks) parts.push(choices[0]?.delta.content ?? '')
          return parts.filter((part) => part !== '')
        },
        models: async () => (await client.models.list()).data.map(({ id }) => id),
      }
    },
  }
}

type AnthropicKeys = { apiKey?: string; authToken?: string }

function anthropic(name: string, Client: typeof Anthropic, given: (key: string) => AnthropicKeys): Sdk {
  return {
    name,
    errors: Client,
    connect(url, key, options) {
      // Variables of whoever runs the tests are none of theirs.
      const client = new Client({ baseURL: url, apiKey: null, authToken: null, ...given(key), ...options })
      const request = (question: string) => ({ ...asked(question), max_tokens: 100 })
      return {
        async ask(question) {
          const { content } = await client.messages.create(request(question))
          return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
        },
        async stream(question) {
          const parts: string[] = []
          const stream = client.messages.stream(request(question)).on('text', (text) => parts.push(text))
          await stream.finalMessage()
          return parts
        },
        models: async () => (await client.models.list()).data.map(({ id }) => id),
      }
    },
  }
}

// Another version has classes with private members of its own, which TypeScript never takes for one another.
const openai7 = OpenAI7 as unknown as typeof OpenAI
const anthropic0 = Anthropic0 as unknown as typeof Anthropic

export const SDKS: readonly Sdk[] = [
  openai('openai 6', OpenAI),
  openai('openai 7', openai7),
  anthropic('@anthropic-ai/sdk 1.11 (apiKey)', Anthropic, (apiKey) => ({ apiKey })),
  anthropic('@anthropic-ai/sdk 1.11 (authToken)', Anthropic, (authToken) => ({ authToken })),
  anthropic('@anthropic-ai/sdk 0.137 (apiKey)', anthropic0, (apiKey) => ({ apiKey })),
  anthropic('@anthropic-ai/sdk 0.137 (authToken)', anthropic0, (authToken) => ({ authToken })),
]

/** The one that sends two headers when it is given two values, as from two variables. */
export function anthropicWithBoth(apiKey: string, authToken: string): Sdk {
  return anthropic('@anthropic-ai/sdk 0.137 (both)', anthropic0, () => ({ apiKey, authToken }))
}
