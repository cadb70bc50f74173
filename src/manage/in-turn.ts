/** Does what is asked for one key after what was asked for it before, whatever became of that. */
export type InTurn = <T>(id: string, work: () => Promise<T>) => Promise<T>

/** Those of this process who edit one key need not find out from the store that another was first. */
export function createTurns(): InTurn {
  const last = new Map<string, Promise<void>>()
  return (id, work) => {
    const before = last.get(id)
    const done = before === undefined ? work() : before.then(work)
    const over = done.then(ignore, ignore).then(() => {
      if (last.get(id) === over) last.delete(id)
    })
    last.set(id, over)
    return done
  }
}

function ignore(): void {}
