const said = new Set<string>()

/** Says something once per process that the program's author should mend. */
export function warnOnce(code: string, message: string): void {
  if (said.has(code)) return
  said.add(code)
  emitWarning(code, message)
}

/** Warns in Node's own way, or where that is missing, as on Workers, in the console. */
export function emitWarning(code: string, message: string): void {
  if (typeof process.emitWarning === 'function') process.emitWarning(message, { type: 'KeywardWarning', code })
  else console.warn(`[${code}] ${message}`)
}
