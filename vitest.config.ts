import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/support/longest-first.ts'

/** Rooms whose tests start browsers, services and programs: each file has a process of its own. */
const PROGRAMS = /^test\/(console|docs|drills|examples|package|runtimes)\//

/**
 * What changes or watches the process itself (mocks, warnings that are given once, globals, the heap) or starts
 * programs. A file that has any of it has a process of its own; it is found by its text, so no list can grow stale.
 */
const OF_THE_PROCESS =
  /\bvi\.(?!fn\b|mocked\b)|process\.(on|once|env|memoryUsage)\b|\.prototype\b|globalThis|node:(child_process|cluster|v8|vm|worker_threads)|(sql-databases|support\/(browser|chromium|full-disk|mariadb|nginx|postgres|private-server|real-stores|redis))\.ts/

/** Installs Nest where it is missing, which a clean checkout's `npm test` needs. */
const NEST = 'test/nest/install.ts'

const files = readdirSync('test', { recursive: true, encoding: 'utf8' })
  .map((path) => `test/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.test.ts') && !path.includes('node_modules/'))
const ofThePackage = (path: string) => path.startsWith('test/package/')
const isAlone = (path: string) => PROGRAMS.test(path) || OF_THE_PROCESS.test(readFileSync(path, 'utf8'))

export default defineConfig({
  resolve: { tsconfigPaths: true }, // `keyward` means the sources here, as in tsconfig.json
  test: {
    pool: 'forks',
    maxWorkers: 2, // one for each core of a small machine: by default there would be one fewer
    testTimeout: 20_000,
    hookTimeout: 60_000, // they start servers, and form a Cluster of them
    coverage: { include: ['src/**', 'adapters/**'] },
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit-alone',
          include: files.filter((path) => isAlone(path) && !ofThePackage(path)),
          globalSetup: NEST,
          // They wait for servers, browsers and programs, for which a machine may be too busy for a moment. The log says
          // `retry x1` of a test that did not pass at once: who sees one twice looks into it.
          retry: process.env.CI === undefined ? 0 : 1,
        },
      },
      {
        // One after the other in the same processes, which have loaded the sources then: half the time.
        extends: true,
        test: { name: 'unit', include: files.filter((path) => !isAlone(path)), isolate: false, globalSetup: NEST },
      },
      {
        extends: true,
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          globalSetup: 'test/package/setup.ts', // builds and packs once, and only when these tests run
          testTimeout: 60_000,
        },
      },
    ],
  },
})
