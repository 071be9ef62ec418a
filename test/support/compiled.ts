/** Examples of the documents, compiled as somebody's who has installed the package. @module */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, { node?: { types: string }; types: string }>
}
/** Each subpath of the package, as its source. */
const paths = Object.fromEntries(
  Object.entries(exports)
    .filter(([subpath]) => !subpath.endsWith('.json'))
    .map(([subpath, target]) => [
      `kerb${subpath.slice(1)}`,
      [join(process.cwd(), (target.node ?? target).types.replace('./dist/', 'src/').replace('.d.ts', '.ts'))],
    ]),
)

/** Fails with what the compiler says of the files in `folder`, below the project, with the strictness of the project. */
export function expectToCompile(folder: string): void {
  const compilerOptions = {
    noEmit: true,
    paths,
    noUnusedLocals: false,
    typeRoots: [join(process.cwd(), 'node_modules/@types')],
  }
  const config = { extends: join(process.cwd(), 'tsconfig.json'), compilerOptions, include: ['*.ts'] }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
  try {
    execFileSync('node_modules/.bin/tsc', ['-p', folder], { encoding: 'utf8' })
  } catch (error) {
    expect.fail((error as { stdout: string }).stdout)
  }
}
