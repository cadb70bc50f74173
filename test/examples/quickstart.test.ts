import { describe, expect, it } from 'vitest'
import { anthropicWithBoth, SDKS } from './sdks.ts'
import { type Service, startService } from './service.ts'

async function unknownKey(): Promise<string> {
  const elsewhere = await startService()
  return elsewhere.key()
}

/** What a rotation without overlap replaced: the id is known, the checksum fits, the secret is another. */
async function replacedKey({ keys }: Service): Promise<string> {
  const { key, record } = await keys.create({ owner: 'you', scopes: ['models:*'] })
  await keys.rotate(record.id, { overlap: 0 })
  return key
}

async function revokedKey(service: Service): Promise<string> {
  const { key, record } = await service.keys.create({ owner: 'you', scopes: ['models:*'] })
  await service.keys.revoke(record.id, { reason: 'a test' })
  return key
}

const BAD_KEYS = [
  { kind: 'an unknown key', make: unknownKey, code: 'invalid_key', message: 'The API key is not valid.' },
  { kind: 'a wrong secret', make: replacedKey, code: 'invalid_key', message: 'The API key is not valid.' },
  { kind: 'a revoked key', make: revokedKey, code: 'revoked', message: 'This API key was revoked.' },
  {
    kind: 'an expired key',
    make: (service: Service) => service.expiredKey(),
    code: 'expired',
    message: 'This API key has expired.',
  },
]

/** What a promise is rejected with. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => expect.fail(`it was answered: ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
}

describe.each(SDKS)('$name', (sdk) => {
  it('is answered with a valid key', async () => {
    const service = await startService()
    const client = sdk.connect(service.url, await service.key())
    expect(await client.ask('Good morning')).toBe('Hello you, you said: Good morning')
    expect(await client.models()).toEqual(['echo'])
    expect(service.requests()).toBe(2)
  })

  it('is answered part by part with a valid key', async () => {
    const service = await startService()
    const client = sdk.connect(service.url, await service.key())
    expect(await client.stream('Good morning')).toEqual(['Hello ', 'you, ', 'you ', 'said: ', 'Good ', 'morning'])
  })

  it.each(BAD_KEYS)(
    'raises AuthenticationError for $kind after exactly one attempt',
    async ({ make, code, message }) => {
      const service = await startService()
      const key = await make(service)
      const error = await rejection(sdk.connect(service.url, key).ask('Good morning'))
      expect(error).toBeInstanceOf(sdk.errors.AuthenticationError)
      expect(error).toMatchObject({ status: 401, message: expect.stringContaining(message) })
      expect(service.requests()).toBe(1)
      expect(service.events.at(-1)).toMatchObject({ type: 'denied', code })
    },
  )

  it.each(BAD_KEYS)('raises AuthenticationError for $kind when it streams', async ({ make, message }) => {
    const service = await startService()
    const key = await make(service)
    const error = await rejection(sdk.connect(service.url, key).stream('Good morning'))
    expect(error).toBeInstanceOf(sdk.errors.AuthenticationError)
    expect(error).toMatchObject({ message: expect.stringContaining(message) })
    expect(service.requests()).toBe(1)
  })

  it('raises PermissionDeniedError for a scope that the key lacks, after exactly one attempt', async () => {
    const service = await startService()
    const client = sdk.connect(service.url, await service.key({ scopes: ['models:list'] }))
    expect(await client.models()).toEqual(['echo'])
    const error = await rejection(client.ask('Good morning'))
    expect(error).toBeInstanceOf(sdk.errors.PermissionDeniedError)
    expect(error).toMatchObject({
      status: 403,
      message: expect.stringContaining('This API key lacks a scope that the request needs: models:run.'),
    })
    expect(service.requests()).toBe(2)
  })

  it('raises RateLimitError when it may not try again', async () => {
    const service = await startService()
    const client = sdk.connect(service.url, await service.key({ limits: { minute: 1 } }), { maxRetries: 0 })
    await client.ask('Good morning')
    const error = await rejection(client.ask('Good evening'))
    expect(error).toBeInstanceOf(sdk.errors.RateLimitError)
    expect(error).toMatchObject({ status: 429, message: expect.stringContaining('has used up its rate limit') })
    expect(service.requests()).toBe(2)
  })

  it('does not sleep through a wait of an hour: the answer tells it not to try again', async () => {
    const service = await startService()
    const client = sdk.connect(service.url, await service.key({ limits: { hour: 1 } }))
    await client.ask('Good morning')
    expect(await rejection(client.ask('Good evening'))).toBeInstanceOf(sdk.errors.RateLimitError)
    expect(service.requests()).toBe(2)
  })
})

it('every SDK succeeds by its own retry after a short rate limit', async () => {
  const service = await startService()
  const tries = SDKS.map(async (sdk) => {
    const limits = [{ name: 'burst', limit: 1, window: '2s' }] as const
    const client = sdk.connect(service.url, await service.key({ limits }))
    await client.ask('Good morning')
    expect(await client.ask('Good evening'), sdk.name).toBe('Hello you, you said: Good evening')
  })
  await Promise.all(tries)
  const denials = service.events.filter(({ type }) => type === 'denied')
  expect(denials).toHaveLength(SDKS.length)
  expect(denials.every((event) => 'code' in event && event.code === 'rate_limited')).toBe(true)
  expect(service.requests()).toBe(3 * SDKS.length)
})

describe('@anthropic-ai/sdk 0.137 with both of its variables set', () => {
  const foreign = 'sk-ant-api03-somebody-elses'

  it.each([
    { kind: 'x-api-key', with: (key: string) => anthropicWithBoth(key, foreign) },
    { kind: 'Authorization', with: (key: string) => anthropicWithBoth(foreign, key) },
  ])("is answered with our key in $kind and another service's in the other", async (both) => {
    const service = await startService()
    const key = await service.key()
    expect(await both.with(key).connect(service.url, key).ask('Good morning')).toContain('Good morning')
  })

  it('is refused with two different keys of ours, after exactly one attempt', async () => {
    const service = await startService()
    const both = anthropicWithBoth(await service.key(), await service.key())
    const error = await rejection(both.connect(service.url, '').ask('Good morning'))
    expect(error).toMatchObject({ status: 400, message: expect.stringContaining('more than one API key') })
    expect(service.requests()).toBe(1)
  })
})
