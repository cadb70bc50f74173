/**
 * What Keyward asks of a Kysely: any instance of 0.28 or later fits, whatever tables and plugins it knows. Nothing of the
 * package is imported, so that whoever does not use it need not have it.
 */
export interface SqlDatabase {
  readonly isTransaction: boolean
  withoutPlugins(): SqlDatabase
  connection(): { execute<T>(work: (connection: SqlDatabase) => Promise<T>): Promise<T> }
  getExecutor(): { compileQuery(node: SqlNode, queryId: SqlQueryId): { readonly sql: string } }
  executeQuery(query: SqlQuery): Promise<SqlAnswer>
}

/** SQL that is ready to be sent, as Kysely calls it. */
export interface SqlQuery {
  readonly sql: string
  readonly parameters: readonly unknown[]
  readonly query: SqlNode
  readonly queryId: SqlQueryId
}

export interface SqlNode {
  readonly kind: 'RawNode'
  readonly sqlFragments: readonly string[]
  readonly parameters: readonly ({ readonly kind: 'IdentifierNode' } | { readonly kind: 'ValueNode' })[]
}

export interface SqlQueryId {
  readonly queryId: string
}

export interface SqlAnswer {
  readonly rows: readonly unknown[]
  readonly numAffectedRows?: bigint | undefined
}

const QUERY_ID: SqlQueryId = { queryId: 'keyward' }

/** One statement; its values are parameters, never part of the text. */
export function send(database: SqlDatabase, sql: string, parameters: readonly unknown[] = []): Promise<SqlAnswer> {
  const query: SqlNode = { kind: 'RawNode', sqlFragments: [sql], parameters: [] }
  return database.executeQuery({ sql, parameters, query, queryId: QUERY_ID })
}

/** How this dialect writes an identifier and a parameter: `"a" $1`. */
export function handwriting(database: SqlDatabase): string {
  const identifier = { kind: 'IdentifierNode', name: 'a' } as const
  const value = { kind: 'ValueNode', value: 1 } as const
  const node: SqlNode = { kind: 'RawNode', sqlFragments: ['', ' ', ''], parameters: [identifier, value] }
  return database.getExecutor().compileQuery(node, QUERY_ID).sql
}
