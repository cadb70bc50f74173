/**
 * What Keyward is told of a request. Node's `IncomingMessage` and the fetch `Request` carry header lines that fit;
 * an adapter adds where the request came from.
 */
export interface RequestFacts {
  /** Header lines as they came, name and value in turn, as Node's `rawHeaders`: repetitions can be seen. */
  readonly rawHeaders?: readonly string[] | undefined
  /** Where there are no raw lines: a fetch `Headers`, or names and values. */
  readonly headers?: { get(name: string): string | null } | Readonly<Record<string, unknown>> | undefined
  /** The address at the other end of the socket; `undefined` where there is none (a unix socket, a closed one). */
  readonly peer?: string | undefined
  /** The client's address where the runtime knows it; nothing is then read from headers. */
  readonly address?: string | undefined
  /**
   * Whether the connection is TLS: said so, or what the runtime gave, which is asked only where `requireTls` is set:
   * Node's request for its socket, a fetch `Request` for its URL.
   */
  readonly secure?: boolean | { readonly socket?: unknown; readonly url?: unknown } | undefined
  /** What lives as long as the client's connection: what a text proved is remembered with it, so that it is hashed once. */
  readonly connection?: object | undefined
  /** The framework's own object: what the functions of a demand are given. */
  readonly request?: unknown
}

/** A credential in the host's hands: from a message queue, a cookie, a test. */
export interface BareCredential {
  readonly key: string
  /** The other half, where keys come in pairs. */
  readonly secret?: string | undefined
  /** Where the caller is; without it an address allowlist cannot pass. */
  readonly address?: string | undefined
}

/** What `verify` takes: the text, the text with its circumstances, or a request. */
export type Credential = string | BareCredential | RequestFacts
