import { defineConfig } from 'vitest/config'
import { subpaths } from './test/support/subpaths.ts'

/** Tests say `kerb/gss` as users do, and reach the source that the published file is built from. */
const alias = subpaths.map(([name, source]) => ({
  find: new RegExp(`^${name}$`),
  replacement: new URL(source, import.meta.url).pathname,
}))

export default defineConfig({
  resolve: { alias },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/interop/**', 'test/runtimes/**'],
          // Several tests try every octet of everything; a busy machine is no failure.
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'runtimes',
          include: ['test/runtimes/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          // What is missing is installed first.
          hookTimeout: 600_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'interop',
          include: ['test/interop/**/*.test.ts'],
          globalSetup: ['test/lab/setup.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
