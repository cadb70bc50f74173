import { memoryStore } from 'keyward'
import { auditLog } from 'keyward/management'
import { expect, it, onTestFinished, vi } from 'vitest'
import { failure } from '../support/outcome.ts'

// In a file of its own: it is said once in a process.
it('auditLog warns once where nobody hears of what went wrong, without the password in it', async () => {
  const warnings: Error[] = []
  const hear = (warning: Error) => warnings.push(warning)
  process.on('warning', hear)
  onTestFinished(() => void process.off('warning', hear))
  const note = () => Promise.reject(new Error('redis://u:pw@host is down'))
  const log = auditLog({ ...memoryStore(), note })
  log.onEvent({ type: 'created', at: '2026-01-01T00:00:00.000Z', id: 'k', owner: 'a' })
  await failure(log.flush)
  await failure(log.flush)
  await vi.waitFor(() => expect(warnings.length).toBeGreaterThan(0))
  expect(warnings.map(({ message }) => message)).toEqual([
    "The audit log could not be written: the store's note failed: redis://[redacted]@host is down. " +
      'Later failures are not reported; onError hears of all.',
  ])
  await log.close()
})
