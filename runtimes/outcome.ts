/** What became of checks: how many hold, and what those said that do not. */
export interface Outcome {
  readonly passed: number
  readonly failed: readonly string[]
}

interface Check {
  readonly id: string
  run(): Promise<unknown>
}

/** Runs checks, a few side by side. */
export async function outcomeOf(checks: readonly Check[], abreast = 8): Promise<Outcome> {
  const failed: string[] = []
  const left = [...checks]
  const work = async () => {
    for (let check = left.shift(); check !== undefined; check = left.shift()) {
      const { id } = check
      await check.run().catch((error: Error) => failed.push(`${id}: ${error.message}`))
    }
  }
  await Promise.all(Array.from({ length: abreast }, work))
  return { passed: checks.length - failed.length, failed }
}
