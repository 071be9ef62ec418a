import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

interface Target {
  readonly node?: Target
  readonly default: string | Target
}

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, string | Target> }
const fileOf = (target: string | Target): string =>
  typeof target === 'string' ? target : fileOf(target.node ?? target.default)

/** Tests say `kerb/gss` as users do, and reach the source that the published file is built from. */
const alias = Object.entries(exports)
  .filter(([subpath]) => !subpath.endsWith('.json'))
  .map(([subpath, target]) => ({
    find: new RegExp(`^kerb${subpath.slice(1)}$`),
    replacement: new URL(fileOf(target).replace('./dist/', './src/').replace(/\.js$/, '.ts'), import.meta.url).pathname,
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
