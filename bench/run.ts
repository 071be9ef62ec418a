/** `npm run bench`: kerb's figures beside those of its peers, measured in turns. README.md tells how to read them. @module */
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { groups } from './groups/index.ts'
import { measureImports } from './imports.ts'
import { measureKdcs, soak } from './kdcs.ts'
import { measureMemory } from './memory.ts'
import { missingForMit, startMit } from './mit.ts'
import { writePage } from './page.ts'
import { providers, usual } from './providers.ts'
import { measureProxies } from './proxies.ts'
import { formatTable, type Row } from './row.ts'
import { type Effort, measureGroup } from './turns.ts'
import { measureWebsites } from './websites.ts'

const { values: options } = parseArgs({
  options: {
    json: { type: 'string' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true },
    profile: { type: 'string' },
    soak: { type: 'string' },
    write: { type: 'string' },
  },
})

if (options.soak !== undefined) {
  const used = await soak(Number(options.soak))
  console.log(`MiB in use, tenth by tenth: ${used.map((octets) => (octets / 2 ** 20).toFixed(1)).join(' ')}`)
  process.exit()
}

const effort: Effort = options.quick
  ? { processes: 1, rounds: 3, milliseconds: 30, warmUps: 10, warm: false }
  : { processes: 3, rounds: 7, milliseconds: 300, warmUps: 1, warm: true }

const begun = loadavg()[0]!
const missing = await missingForMit()
const mit = missing === undefined ? await startMit() : undefined
const measuring = { effort, mit, profile: options.profile }
const rows: Row[] = []
try {
  for (const { name: group, everyProvider, onRequest } of groups) {
    if (!(options.only?.includes(group) ?? !onRequest)) continue
    for (const provider of everyProvider ? Object.keys(providers) : [usual]) {
      if (process.stderr.isTTY) process.stderr.write(`${group} (${provider}) …\n`)
      rows.push(...(await measureGroup({ group, provider, mit: mit?.tickets }, measuring)))
    }
  }
  if (options.only?.includes('memory')) rows.push(...(await measureMemory(options.quick ? 2_000 : 100_000)))
  if (options.only?.includes('kdc') ?? true) rows.push(...(await measureKdcs(measuring)))
  if (options.only?.includes('imports')) rows.push(...measureImports(effort))
  if (options.only?.includes('gssproxy')) rows.push(...(await measureProxies(measuring)))
  if (options.only?.includes('http') ?? true) rows.push(...(await measureWebsites(measuring)))
} finally {
  await mit?.[Symbol.asyncDispose]()
}
console.log(formatTable(rows))
if (missing !== undefined) console.log(`Without MIT krb5: ${missing}`)
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`)
if (options.write !== undefined)
  writePage(options.write, rows, { mit: mit?.name, load: [begun, loadavg()[0]!], arguments: process.argv.slice(2) })
