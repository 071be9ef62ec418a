/** Starts the figures: compiles bench/ with the source it measures, as Node 20 loads no TypeScript, and runs it. */
import { spawnSync } from 'node:child_process'
import { cpSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
/** Below node_modules, where the compiled files find what they import and nothing looks for source. */
const out = here('../node_modules/.cache/bench')

rmSync(out, { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [here('../node_modules/typescript/bin/tsc'), '-p', here('.')], {
  stdio: 'inherit',
})
if (status !== 0) process.exit(status ?? 1)
writeFileSync(`${out}/package.json`, '{ "type": "module" }\n')
cpSync(here('mit.c'), `${out}/bench/mit.c`)
// The lab's scripts lie beside the modules that start them.
cpSync(here('../test/lab'), `${out}/test/lab`, { recursive: true, filter: (path) => !path.endsWith('.ts') })
await import(
  fileURLToPath(import.meta.resolve('./run.ts'))
    .replace(here('..'), `${out}/`)
    .replace(/ts$/, 'js')
)
