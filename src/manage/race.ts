/** Of what is asked for one key at once, the first is done. `work` is told whether another was first, and tells when one is. */
export type Race = <T>(id: string, work: (isLost: () => boolean, won: () => void) => Promise<T>) => Promise<T>

/** What a process asks while it waits for the like is asked at once, also where the store hears of it later. */
export function createRace(): Race {
  const races = new Map<string, { running: number; won: number }>()
  return async (id, work) => {
    const race = races.get(id) ?? { running: 0, won: 0 }
    races.set(id, race)
    race.running++
    const { won: before } = race
    try {
      return await work(
        () => race.won > before,
        () => race.won++,
      )
    } finally {
      if (--race.running === 0) races.delete(id)
    }
  }
}
