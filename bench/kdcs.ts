/** The embedded KDC beside krb5kdc: exchanges in a second of their CPU time, under the same load by UDP, in turns. @module */
import { median, ratioOf } from './figure.ts'
import { cpuOf, exchanged, type Load, type Loaded, requestsFor } from './kdcload.ts'
import type { Row } from './row.ts'
import { Served } from './served.ts'
import type { Measuring } from './turns.ts'

/** Exchanges in a round: half a second of CPU time, as the clock of other processes ticks in hundredths. */
const ROUND = 1500
/** Rounds that the embedded KDC serves alone before they count: until V8 has compiled what a request takes. */
const WARM_ROUNDS = 10
const names: Readonly<Record<Load, string>> = {
  as: 'KDC: AS exchange, encrypted timestamp, with PAC',
  tgs: 'KDC: TGS exchange, with PAC',
}

/** The rows of both kinds of exchange. */
export async function measureKdcs({ effort, mit, profile }: Measuring): Promise<Row[]> {
  await using ours = await startOurs(profile)
  const sides = mit ? [addressOf(ours), mit.kdc] : [addressOf(ours)]
  const rows: Row[] = []
  for (const load of ['as', 'tgs'] as const) {
    const makers = await Promise.all(sides.map((side) => requestsFor(side, load)))
    if (effort.warm) for (let round = 0; round < WARM_ROUNDS; round++) await measured(addressOf(ours), makers[0]!)
    const samples = sides.map((): number[] => [])
    for (let round = -effort.warmUps; round < effort.rounds; round++)
      for (const [i, side] of sides.entries()) {
        const perSecond = await measured(side, makers[i]!)
        if (round >= 0) samples[i]!.push(perSecond)
      }
    const [kerb, peer] = samples
    rows.push({
      ...{ name: names[load], unit: '1/s', kerb: median(kerb!), peer: peer ? median(peer) : null },
      ...{ peerName: mit?.name ?? '', ratio: peer ? ratioOf(kerb!, peer) : null },
    })
  }
  return rows
}

async function measured(kdc: Loaded, request: () => Uint8Array): Promise<number> {
  const requests = Array.from({ length: ROUND }, request)
  const before = cpuOf(kdc)
  await exchanged(kdc, requests)
  return (ROUND * 1000) / (cpuOf(kdc) - before)
}

/** Octets that the embedded KDC has in use after each of `rounds` tenths of `count` requests, of both kinds in turns. */
export async function soak(count: number, rounds = 10): Promise<readonly number[]> {
  await using ours = await startOurs()
  const makers = await Promise.all((['as', 'tgs'] as const).map((load) => requestsFor(addressOf(ours), load)))
  const used: number[] = []
  for (let round = 0; round < rounds; round++) {
    const size = Math.ceil(count / rounds)
    await exchanged(
      addressOf(ours),
      Array.from({ length: size }, (_, i) => makers[i % makers.length]!()),
    )
    used.push(await ours.used())
  }
  return used
}

/** The embedded KDC in a process of its own. */
const startOurs = (profile?: string) => Served.start(import.meta.resolve('./kdcserver.js'), { profile })

const addressOf = ({ port, pid }: Served): Loaded => ({ host: '127.0.0.1', port, pid })
