import type { Engine } from './engine.ts'

/** Names of the tables, and of the channel beside them. */
export interface Tables {
  /** A row for each migration that was made. */
  readonly schema: string
  readonly keys: string
  readonly accounts: string
  readonly holds: string
  readonly notes: string
  /** What PostgreSQL tells of changes on. */
  readonly channel: string
}

export function tablesOf(prefix: string): Tables {
  return {
    schema: `${prefix}schema`,
    keys: `${prefix}keys`,
    accounts: `${prefix}accounts`,
    holds: `${prefix}holds`,
    notes: `${prefix}notes`,
    channel: `${prefix}changes`,
  }
}

/** The most bytes of UTF-8 that a column holds: MySQL needs such a bound, and each has an index somewhere. */
export const LONGEST = {
  id: 512,
  prefix: 128,
  owner: 1_024,
  resource: 1_024,
  unique_name: 2_048,
  status: 16,
  account: 1_280,
  key_id: 512,
  actor: 1_024,
} as const

/** Column types, and what stands behind a table. Text is compared byte for byte: a binary collation, or bytes. */
interface Words {
  text(longest: number): string
  readonly long: string
  readonly whole: string
  readonly behind: string
  /** Behind the table whose rows are written at every use: room for them to stay where they are. */
  readonly behindKeys: string
}

const WORDS: Readonly<Record<Engine['name'], Words>> = {
  PostgreSQL: {
    text: () => 'text COLLATE "C"',
    long: 'text',
    whole: 'bigint',
    behind: '',
    behindKeys: ' WITH (fillfactor = 70)',
  },
  MySQL: {
    text: (longest) => `VARBINARY(${longest})`,
    long: 'LONGBLOB',
    whole: 'BIGINT',
    behind: ' ENGINE=InnoDB ROW_FORMAT=DYNAMIC',
    behindKeys: ' ENGINE=InnoDB ROW_FORMAT=DYNAMIC',
  },
  SQLite: {
    text: () => 'TEXT',
    long: 'TEXT',
    whole: 'INTEGER',
    behind: ' WITHOUT ROWID',
    behindKeys: ' WITHOUT ROWID',
  },
}

/** Where each migration is noted: its highest version is that of the schema. */
export function schemaTable(engine: Engine, { schema }: Tables): string {
  const { whole, behind } = WORDS[engine.name]
  return `CREATE TABLE IF NOT EXISTS ${schema} (version ${whole} NOT NULL PRIMARY KEY)${behind}`
}

/**
 * Each takes a database from the schema of its index to the next. Never change one that was released: append another.
 * MySQL commits at every statement of these, so each must be harmless when it was made already.
 *
 * What is counted (`windows`) and the use marks lie in the row of the key but not under its version: one conditional
 * statement proves the version and takes. `revision` is theirs.
 */
export const MIGRATIONS: readonly ((engine: Engine, tables: Tables) => readonly string[])[] = [
  (engine, { keys, accounts, holds }) => {
    const { text, long, whole, behind, behindKeys } = WORDS[engine.name]
    return [
      ...table(engine, keys, behindKeys, {
        columns: [
          `id ${text(LONGEST.id)} NOT NULL PRIMARY KEY`,
          `version ${whole} NOT NULL`,
          `prefix ${text(LONGEST.prefix)} NOT NULL`,
          `owner ${text(LONGEST.owner)} NOT NULL`,
          `resource ${text(LONGEST.resource)}`,
          `unique_name ${text(LONGEST.unique_name)} UNIQUE`,
          `status ${text(LONGEST.status)} NOT NULL`,
          `created_at ${whole} NOT NULL`,
          `updated_at ${whole} NOT NULL`,
          `revoked_at ${whole}`,
          `revoked_reason ${long}`,
          `data ${long} NOT NULL`,
          `last_used_at ${whole}`,
          `uses ${whole}`,
          `windows ${long}`,
          `revision ${whole} NOT NULL`,
        ],
        indexes: { by_age: 'created_at, id', by_owner: 'owner, created_at, id' },
      }),
      ...table(engine, accounts, behind, {
        columns: [
          `account ${text(LONGEST.account)} NOT NULL PRIMARY KEY`,
          `free ${whole} NOT NULL`,
          `held ${whole} NOT NULL`,
          `refilled_at ${whole} NOT NULL`,
        ],
      }),
      ...table(engine, holds, behind, {
        columns: [
          `account ${text(LONGEST.account)} NOT NULL`,
          `id ${text(LONGEST.id)} NOT NULL`,
          `amount ${whole} NOT NULL`,
          `ends_at ${whole} NOT NULL`,
          `charged ${whole}`,
          'PRIMARY KEY (account, id)',
        ],
        indexes: { by_end: 'account, ends_at' },
      }),
    ]
  },
  (engine, { notes }) => {
    const { text, long, whole, behind } = WORDS[engine.name]
    return table(engine, notes, behind, {
      columns: [
        `id ${text(LONGEST.id)} NOT NULL`,
        `noted_at ${whole} NOT NULL`,
        `owner ${text(LONGEST.owner)} NOT NULL`,
        `key_id ${text(LONGEST.key_id)}`,
        `prefix ${text(LONGEST.prefix)}`,
        `resource ${text(LONGEST.resource)}`,
        `actor ${text(LONGEST.actor)}`,
        `data ${long} NOT NULL`,
        'PRIMARY KEY (owner, noted_at, id)',
      ],
      indexes: { by_age: 'noted_at' },
    })
  },
]

interface Layout {
  readonly columns: readonly string[]
  readonly indexes?: Readonly<Record<string, string>>
}

/** MySQL has no CREATE INDEX IF NOT EXISTS, and no index beside the table is needed: there they are part of it. */
function table({ name }: Engine, table: string, behind: string, { columns, indexes = {} }: Layout): readonly string[] {
  const all = Object.entries(indexes).map(([index, of]) => ({ index: `${table}_${index}`, of }))
  const inside = name === 'MySQL' ? all.map(({ index, of }) => `INDEX ${index} (${of})`) : []
  const beside = name === 'MySQL' ? [] : all
  return [
    `CREATE TABLE IF NOT EXISTS ${table} (${[...columns, ...inside].join(', ')})${behind}`,
    ...beside.map(({ index, of }) => `CREATE INDEX IF NOT EXISTS ${index} ON ${table} (${of})`),
  ]
}
