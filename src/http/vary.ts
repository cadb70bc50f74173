/**
 * What `Vary` becomes when these names are added: those that are in it already stay as they stand.
 * @param present the field's value so far, whatever a framework gives for one that is not there
 * @param added names, `, ` between them
 */
export function varyWith(present: unknown, added: string): string {
  if (present === undefined || present === null || present === '') return added
  const text = String(present)
  const names = text.toLowerCase().split(/\s*,\s*/)
  const missing = added.split(', ').filter((name) => !names.includes(name) && !names.includes('*'))
  return [text, ...missing].join(', ')
}
