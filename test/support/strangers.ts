import { type Created, createApiKeys, memoryStore } from 'keyward'

/** Keys that are well formed, with a right checksum, and that the instance under test never made. */
export async function unknownKeys(
  prefix: string,
  count: number,
  pair = false,
): Promise<Pick<Created, 'key' | 'secret'>[]> {
  const others = createApiKeys({ prefix, pair, store: memoryStore() })
  return Promise.all(Array.from({ length: count }, () => others.create({ owner: 'a stranger' })))
}
