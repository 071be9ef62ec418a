/** Our node:http server beside Apache's mod_auth_gssapi: authenticated requests over many connections, in turns. @module */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../src/node/environment.ts'
import { Kerberos } from '../src/node/kerberos.ts'
import { absentPeers, canInstall, install } from '../test/lab/peers.ts'
import { startApache } from '../test/lab/start.ts'
import { median } from './figure.ts'
import type { Mit } from './mit.ts'
import type { Row } from './row.ts'
import { Served } from './served.ts'
import type { Measuring } from './turns.ts'
import { answered, cpuOfTree, type LoadedSite, siteRequest, spent } from './webload.ts'

const CONNECTIONS = 50
/** Requests in a round, rounds that count, and requests before them. */
const [thorough, quick] = [
  { requests: 10_000, rounds: 3, warmUp: 4000 },
  { requests: 500, rounds: 1, warmUp: 300 },
] as const
/** Tokens that are made, shown and proved at a turn: their contexts are held meanwhile. */
const TURN = 2500

/** The rows of requests; none without MIT's realm. */
export async function measureWebsites({ effort, mit, profile }: Measuring): Promise<Row[]> {
  if (!mit) return []
  const { requests, rounds, warmUp } = effort.warm ? thorough : quick
  await using ours = await startOurs(mit, profile)
  const apache = await apacheOf(mit)
  const { env } = mit.lab
  const config = loadConfig([env['KRB5_CONFIG']!])
  const kerberos = new Kerberos({ config, environment: { configPaths: [], ccacheName: env['KRB5CCNAME'] } })
  using credentials = await kerberos.acquire({ usage: 'initiate' })
  const load = (site: LoadedSite, count: number) => loaded(site, count, () => siteRequest(kerberos.spnego, credentials))

  const site = { port: ours.port, path: '/', pid: ours.pid }
  const sites = apache ? [site, apache] : [site]
  for (const site of sites) await load(site, warmUp)
  const before = await ours.used()
  const samples = sites.map((): Measured[] => [])
  for (let round = 0; round < rounds; round++)
    for (const [i, site] of sites.entries()) samples[i]!.push(await load(site, requests))
  const after = await ours.used()

  const [cpu, wall] = (['cpu', 'wall'] as const).map((what) =>
    samples.map((rounds) => median(rounds.map((round) => round[what]))),
  )
  const peerName = 'Apache, mod_auth_gssapi'
  const [kerb, peer = null] = cpu!
  const [rate, peerRate = null] = wall!.map((nanoseconds) => 1e9 / nanoseconds)
  const alone = { peer: null, peerName: '', ratio: null }
  const name = `HTTP: authenticated request, ${CONNECTIONS} connections`
  const of = `after ${rounds * requests} requests`
  return [
    {
      ...{ name: `${name}, CPU time`, unit: 'µs', kerb: kerb! / 1e3, peer: peer === null ? null : peer / 1e3 },
      peerName,
      ratio: peer && peer / kerb!,
    },
    {
      ...{ name: `${name}, on the wall`, unit: '1/s', kerb: rate!, peer: peerRate },
      peerName,
      ratio: peerRate && rate! / peerRate,
    },
    { name: `HTTP: memory in use before`, unit: 'MiB', kerb: before / 2 ** 20, ...alone },
    { name: `HTTP: memory in use ${of}`, unit: 'MiB', kerb: after / 2 ** 20, ...alone },
  ]
}

/** Nanoseconds that a request took. */
interface Measured {
  readonly cpu: number
  readonly wall: number
}

/** Puts a server under load; making the tokens and proving the answers does not count. Throws LabError for any failure. */
async function loaded(
  site: LoadedSite,
  count: number,
  request: () => ReturnType<typeof siteRequest>,
): Promise<Measured> {
  let [cpu, wall] = [0, 0]
  for (let left = count; left > 0; left -= TURN) {
    const requests = await Promise.all(Array.from({ length: Math.min(left, TURN) }, request))
    const [before, begun] = [cpuOfTree(site), performance.now()]
    const answers = await answered(site, requests, CONNECTIONS)
    wall += performance.now() - begun
    cpu += spent(before, cpuOfTree(site))
    for (const [i, one] of requests.entries()) {
      await one.prove(answers[i]!)
      one[Symbol.dispose]()
    }
  }
  return { cpu: cpu / count, wall: (wall * 1e6) / count }
}

/** Apache in front of MIT's realm; undefined where it is missing and may not be installed. */
async function apacheOf({ root, lab }: Mit): Promise<LoadedSite | undefined> {
  const { apache: missing } = absentPeers()
  if (missing && canInstall()) await install({ apache: missing })
  if (absentPeers().apache) return undefined
  const { dir, url } = await startApache(root, lab)
  const pid = Number.parseInt(readFileSync(join(dir, 'run', 'apache.pid'), 'utf8'), 10)
  return { port: Number(new URL(url).port), path: '/page', pid }
}

/** Our server in a process of its own, with the key of MIT's realm. */
const startOurs = ({ lab: { dir, env } }: Mit, profile?: string) =>
  Served.start(import.meta.resolve('./webserver.js'), {
    task: { config: env['KRB5_CONFIG'], keytab: join(dir, 'keytabs', 'HTTP.keytab') },
    profile,
  })
