const said = new Set<string>()

/** Says something once per process that the program's author should mend, by Node's own way of warning. */
export function warnOnce(code: string, message: string): void {
  if (said.has(code)) return
  said.add(code)
  process.emitWarning(message, { type: 'KeywardWarning', code })
}
