import { DOOR } from '../http/door.ts'
import { type ApiKeys, type Created, type CreateInput, KeywardError } from '../index.ts'
import { present } from '../model/present.ts'

/** A key for a test, and how to send it. */
export interface TestKey<Scope extends string = string> extends Created<Scope> {
  /** The request headers that carry it, as the first source of the instance reads them. */
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Makes a key that may do everything, with headers ready to send: for tests of guarded routes.
 *
 * ```ts
 * const keys = createApiKeys({ prefix: 'ap_', clock: fakeClock() })
 * const { headers, record } = await testKey(keys, { scopes: ['contacts:read'] })
 * const answer = await fetch(url, { headers })
 * ```
 *
 * @param input What the test is about. Default: owner `'test'`, every scope, the first environment, a name of its own.
 * @throws KeywardError as `create` does, `CONFIG` for what is no instance
 */
export async function testKey<Scope extends string>(
  keys: ApiKeys<Scope>,
  input: Partial<CreateInput<NoInfer<Scope>>> = {},
): Promise<TestKey<Scope>> {
  const door: unknown = Object(keys)[DOOR]
  if (door === undefined)
    throw new KeywardError('CONFIG', 'testKey: the first argument must be what createApiKeys made')
  const { context, instance } = keys[DOOR]
  const [environment] = context.environments
  const created = await keys.create({
    owner: 'test',
    name: `test ${++made}`,
    // `*` is in every vocabulary, and in the type of its scopes; where there is none, any text is a scope.
    scopes: ['*' as Scope],
    ...present({ environment }),
    ...input,
  })
  const [source] = instance.sources
  return { ...created, headers: headersFor(source?.headers ?? [], created) }
}

let made = 0

/** One header holds the key, after `Bearer` where it is `Authorization`; two hold the halves of a pair. */
function headersFor([first, second]: readonly string[], { key, secret }: Created): Readonly<Record<string, string>> {
  if (first === undefined) return {}
  if (second !== undefined && secret !== undefined) return { [first]: key, [second]: secret }
  return { [first]: first === 'authorization' ? `Bearer ${key}` : key }
}
