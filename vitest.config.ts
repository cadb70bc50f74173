import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { tsconfigPaths: true }, // `keyward` means the sources here, as in tsconfig.json
  test: {
    pool: 'forks',
    maxWorkers: 2, // one for each core of a small machine: by default there would be one fewer
    testTimeout: 20_000,
    hookTimeout: 60_000, // they start servers, and form a Cluster of them
    coverage: { include: ['src/**', 'adapters/**'] },
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/package/**', '**/node_modules/**'] },
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
