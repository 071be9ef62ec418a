import { readFileSync } from 'node:fs'

interface Target {
  readonly node?: Target
  readonly default: string | Target
}

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, string | Target> }
const fileOf = (target: string | Target): string =>
  typeof target === 'string' ? target : fileOf(target.node ?? target.default)

/** What Node's users import (`kerb/gss`), each with the source file below `src/` that the published file is built from. */
export const subpaths: readonly (readonly [name: string, source: string])[] = Object.entries(exports)
  .filter(([subpath]) => !subpath.endsWith('.json'))
  .map(([subpath, target]) => [
    `kerb${subpath.slice(1)}`,
    fileOf(target).replace('./dist/', 'src/').replace(/\.js$/, '.ts'),
  ])
