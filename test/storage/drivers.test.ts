import Module from 'node:module'
import { createApiKeys } from 'keyward'
import { argon2id } from 'keyward/argon2'
import { sqliteStore } from 'keyward/sqlite'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { failure } from '../support/outcome.ts'

/** As where the package cannot be loaded, and Node has no SQLite of its own. */
function without(name: string, fault: Error): void {
  const loader = Module as unknown as { _load: (request: string, ...rest: unknown[]) => unknown }
  const load = loader._load
  loader._load = (request, ...rest) => {
    if (request === name) throw fault
    return load(request, ...rest)
  }
  const builtin = process.getBuiltinModule
  if (builtin !== undefined) vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never)
  onTestFinished(() => {
    loader._load = load
    vi.restoreAllMocks()
  })
}

const DRIVERS: readonly (readonly [string, () => unknown])[] = [
  ['libsql', () => createApiKeys({ prefix: 'dr_', store: sqliteStore(':memory:') })],
  ['@node-rs/argon2', () => createApiKeys({ prefix: 'dr_', hasher: argon2id() })],
]

describe.each(DRIVERS)('%s', (name, act) => {
  const told = async (fault: Error) => {
    without(name, fault)
    const error = await failure(act)
    expect(error).toMatchObject({ code: 'CONFIG', message: expect.stringContaining(`npm install ${name}`) })
    return error.message
  }

  it('that is not installed is to be installed, and nothing more', async () => {
    const fault = Object.assign(new Error(`Cannot find module '${name}'\nRequire stack:\n- /srv/app.js`), {
      code: 'MODULE_NOT_FOUND',
    })
    expect(await told(fault)).toMatch(/npm install \S+$/)
  })

  it('that is installed says by which code it could not be loaded', async () => {
    const fault = Object.assign(new Error('Cannot load native addon because loading addons is disabled.'), {
      code: 'ERR_DLOPEN_DISABLED',
    })
    expect(await told(fault)).toContain(
      '(what is installed could not be loaded: ERR_DLOPEN_DISABLED, Cannot load native addon',
    )
  })

  it('that is installed without its binary says so, and without a code what it came of', async () => {
    expect(
      await told(Object.assign(new Error("Cannot find module '@x/linux'"), { code: 'MODULE_NOT_FOUND' })),
    ).toContain('could not be loaded: MODULE_NOT_FOUND')
    const cause = new Error('Loading addons is disabled.\nmore')
    expect(await told(new Error('Cannot find native binding.', { cause }))).toContain(
      'could not be loaded: Cannot find native binding.; Loading addons is disabled.)',
    )
  })
})
