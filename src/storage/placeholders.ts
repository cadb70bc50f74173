/** `?, ?, ?` */
export function placeholders(values: readonly unknown[]): string {
  return values.map(() => '?').join(', ')
}

/** Adds so many rows. */
export function insertSql(table: string, columns: readonly string[], count = 1): string {
  const rows = Array.from({ length: count }, () => `(${placeholders(columns)})`)
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${rows.join(', ')}`
}
