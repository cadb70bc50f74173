/** Now, ms, by a clock that all processes of a machine share, and that nobody can set. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
