import { createHash, createPublicKey, verify } from 'node:crypto'
import type { ApiKeys } from 'keyward'

/** The public key of this identifier in PEM, `undefined` for one that GitHub does not name. */
export type PublicKeys = (identifier: string) => Promise<string | undefined>

/** What GitHub found, and where. */
interface Match {
  readonly token: string
  readonly type: string
  readonly url: string
}

/** Serves `POST` of GitHub's secret scanning partner program: keys that were found in public are revoked. */
export function secretScanning(keys: ApiKeys, publicKeys: PublicKeys) {
  return async (request: Request): Promise<Response> => {
    const body = new Uint8Array(await request.arrayBuffer())
    if (!(await isFromGitHub(request.headers, body, publicKeys))) return new Response(null, { status: 401 })
    const matches: unknown = JSON.parse(new TextDecoder().decode(body))
    if (!Array.isArray(matches) || !matches.every(isMatch)) return new Response(null, { status: 400 })
    return Response.json(await Promise.all(matches.map(revoke)))
  }

  async function revoke({ token, type, url }: Match) {
    const verdict = await keys.verify(token, { resource: '*', cost: 0 })
    if (!verdict.ok && verdict.code === 'unavailable') throw new Error('unavailable: GitHub shall send it again')
    // A refusal has a record where the secret was right: a key that is refused from here was leaked all the same.
    const record = verdict.ok ? verdict.access : verdict.record
    const place = URL.canParse(url) ? new URL(url).href : 'a public place'
    const reason = `Found by GitHub in ${place}`.slice(0, 500)
    if (record !== undefined) await keys.revoke(record.id, { actor: 'github-secret-scanning', reason })
    const token_hash = createHash('sha256').update(token).digest('hex')
    return { token_hash, token_type: type, label: record === undefined ? 'false_positive' : 'true_positive' }
  }
}

/** ECDSA-NIST-P256V1-SHA256 over the body as it came. */
async function isFromGitHub(headers: Headers, body: Uint8Array, publicKeys: PublicKeys): Promise<boolean> {
  const pem = await publicKeys(headers.get('github-public-key-identifier') ?? '')
  if (pem === undefined) return false
  const key = createPublicKey(pem)
  const signature = Buffer.from(headers.get('github-public-key-signature') ?? '', 'base64')
  return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' && verify('sha256', body, key, signature)
}

function isMatch(match: unknown): match is Match {
  const { token, type, url } = Object(match) as Partial<Match>
  return [token, type, url].every((text) => typeof text === 'string')
}

/** GitHub's keys, asked for again where an identifier is new, at most once a minute. */
export function githubKeys(ask = () => fetch('https://api.github.com/meta/public_keys/secret_scanning')): PublicKeys {
  let known = new Map<string, string>()
  let askedAt = Number.NEGATIVE_INFINITY
  return async (identifier) => {
    if (!known.has(identifier) && Date.now() - askedAt > 60_000) {
      askedAt = Date.now()
      const { public_keys } = (await (await ask()).json()) as { public_keys: { key_identifier: string; key: string }[] }
      known = new Map(public_keys.map(({ key_identifier, key }) => [key_identifier, key]))
    }
    return known.get(identifier)
  }
}
