import type { Hasher } from '../model/hasher.ts'
import type { StoredKey } from '../model/key.ts'
import { effectiveWindows } from '../policy/limits.ts'
import { soundKey } from '../policy/soundness.ts'
import { type Found, foundIn } from './found.ts'
import { compileKey, type Known, type KnownOptions } from './known.ts'

/** Makes of a record what a request is decided on, in two steps, between which its secret is proved. */
export interface Opening {
  /** What is to be proved; `undefined` where the record is damaged there. `last` is what was found before. */
  look(id: string, raw: StoredKey, last: Found | undefined): Found | undefined
  /** The whole key; `undefined` where it is damaged, or not any more the one whose secret was proved. */
  open(found: Found): Known | undefined
}

interface OpeningOptions extends Omit<KnownOptions, 'windows'> {
  readonly hasher: Pick<Hasher, 'outdated' | 'knows'>
}

/** @param onFault told of every damage */
export function createOpening(options: OpeningOptions, onFault: (error: unknown) => void): Opening {
  const { vocabulary, plan, hasher } = options
  const known: KnownOptions = { vocabulary, plan, windows: effectiveWindows(undefined, plan), hasher }
  return { look, open }

  function look(id: string, raw: StoredKey, last: Found | undefined): Found | undefined {
    const found = foundIn(id, raw, last)
    if ('damage' in found) return tell(id, found.damage)
    const [hash = ''] = found.hashes
    if (found !== last && hasher.knows?.(hash) === false) tell(id, 'has a hash that none of the hashers can have made')
    return found
  }

  function open(found: Found): Known | undefined {
    if (found.known !== undefined) return found.known
    const sound = soundKey(found.id, found.raw)
    if ('damage' in sound) return tell(found.id, sound.damage)
    const { version, hash } = sound.key
    if (version !== found.version || hash !== found.hashes[0]) return tell(found.id, 'changed while it was looked at')
    if (sound.flaw !== undefined) tell(found.id, sound.flaw)
    found.known = compileKey(found, sound, known)
    // What is older is done with: it would hold what is older still.
    found.earlier = undefined
    return found.known
  }

  function tell(id: string, what: string): undefined {
    onFault(new Error(`the record of ${id} ${what}`))
  }
}
