/** CPU time that Node takes to start and import a subpath of the built package, beside what it takes to start alone. @module */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { Row } from './row.ts'
import type { Effort } from './turns.ts'

interface Target {
  readonly node?: Target
  readonly default: string | Target
}
const fileOf = (target: string | Target): string =>
  typeof target === 'string' ? target : fileOf(target.node ?? target.default)

/** CPU time in milliseconds from the start of a Node process to the end of `code`: what else the machine does hardly counts. */
function milliseconds(code: string): number {
  const told = `${code};const{user,system}=process.cpuUsage();process.stdout.write(String((user+system)/1000))`
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', told], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new TypeError(`node -e "${code}": ${stderr}`)
  return Number(stdout)
}

/** The quickest of each, in turns: what else the machine did can only add. npm's `kerberos` is a peer where it is installed. */
export function measureImports({ rounds }: Pick<Effort, 'rounds'>): readonly Row[] {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Record<string, string | Target> }
  const subpaths = Object.entries(exports).filter(([subpath]) => !subpath.endsWith('.json'))
  const codes = new Map(
    subpaths.map(([subpath, target]) => [
      `import kerb${subpath.slice(1)}`,
      `await import(${JSON.stringify(pathToFileURL(fileOf(target)).href)})`,
    ]),
  )
  const kerberos = resolved('kerberos')
  if (kerberos) codes.set('import kerberos (npm)', `await import(${JSON.stringify(pathToFileURL(kerberos).href)})`)
  const best = new Map([...codes.keys(), ''].map((name) => [name, Number.POSITIVE_INFINITY]))
  for (let round = 0; round < rounds; round++)
    for (const name of best.keys()) best.set(name, Math.min(best.get(name)!, milliseconds(codes.get(name) ?? '')))
  const alone = best.get('')!
  return [...codes.keys()].map((name) => {
    const kerb = best.get(name)!
    return { name, unit: 'ms', kerb, peer: alone, peerName: 'node -e ""', ratio: alone / kerb }
  })
}

function resolved(name: string): string | undefined {
  try {
    return createRequire(`${process.cwd()}/`).resolve(name)
  } catch {
    return undefined
  }
}
