/** What the open contexts of an acceptor take, which no clock tells. @module */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SecurityContext } from '../src/gss/context.ts'
import type { GssFlag } from '../src/gss/flags.ts'
import { Krb5Credential } from '../src/gss/krb5/credential.ts'
import { krb5Mechanism } from '../src/gss/krb5/mechanism.ts'
import { bind } from '../src/gss/mechanism.ts'
import { Name } from '../src/gss/name.ts'
import type { Env } from '../src/krb5/env.ts'
import type { AuthorizationData } from '../src/krb5/messages/basics.ts'
import { formatPrincipal } from '../src/krb5/names.ts'
import { random } from '../src/node/random.ts'
import { now } from '../src/node/world.ts'
import { enctypeOf, providers, usual } from './providers.ts'
import type { Row } from './row.ts'
import { granted, type Shared } from './tickets.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Octets of the PAC of a user who is in some groups. */
const PAC_OCTETS = 1024

const env: Env = { now, random, enctypes: providers[usual]! }
const flags: readonly GssFlag[] = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection']
const unasked = () => {
  throw new TypeError('nothing is asked of the world where ticket and key are at hand')
}
// Replays are remembered elsewhere, and forgotten while the context stays open.
const mech = bind(krb5Mechanism(env), {
  send: unasked,
  prompt: unasked,
  keep: unasked,
  compute: unasked,
  replay: () => false,
})

/**
 * The octets that one of `count` open contexts takes, on V8's heap and outside it: of one client, whose ticket has a PAC,
 * and of as many clients, whose tickets have none or have one.
 */
export async function measureMemory(count: number): Promise<Row[]> {
  const enctype = enctypeOf(usual)
  const authorizationData: AuthorizationData = [{ adType: 1, adData: new Uint8Array(PAC_OCTETS) }]
  const shared = granted(enctype, env, { authorizationData })
  const { serviceKey } = shared
  const clients: Readonly<Record<string, () => Shared>> = {
    'one ticket with a PAC': () => shared,
    'a ticket each': () => granted(enctype, env, { serviceKey }),
    'a ticket with a PAC each': () => granted(enctype, env, { serviceKey, authorizationData }),
  }
  const rows: Row[] = []
  for (const [who, next] of Object.entries(clients))
    for (const state of ['fresh', 'at work'] as const) {
      const name = `acceptor's context, ${state}: ${who}`
      rows.push({ name, unit: 'B', kerb: await measure(count, next, state), peer: null, peerName: '', ratio: null })
    }
  return rows
}

/** The octets of one of `count` contexts: right after the handshake, or when it has sealed a message and opened one. */
async function measure(count: number, next: () => Shared, state: 'fresh' | 'at work'): Promise<number> {
  const first = next()
  const { serviceKey } = first
  const services = Krb5Credential.acceptor([serviceKey], serviceKey.principal)
  const acceptors: SecurityContext[] = []
  const message = new Uint8Array(100)
  const before = inUse()
  for (let i = 0; i < count; i++) {
    const { credential } = next()
    const creds = Krb5Credential.credentials({ initiate: { client: credential.client, tickets: [credential] } })
    const name = Name.principal(formatPrincipal(credential.server))
    const initiator = new SecurityContext({ usage: 'initiate', name, flags, creds, mech })
    const acceptor = new SecurityContext({ usage: 'accept', creds: services, mech })
    await initiator.step(await acceptor.step(await initiator.step()))
    if (state === 'at work')
      initiator.unwrap(acceptor.wrap(acceptor.unwrap(initiator.wrap(message).message).message).message)
    acceptors.push(acceptor)
    initiator[Symbol.dispose]()
    // What is not disposed of gives its room among key schedules back to nobody.
    if (credential !== first.credential) credential.key[Symbol.dispose]()
  }
  const used = inUse() - before
  for (const acceptor of acceptors) acceptor[Symbol.dispose]()
  return used / count
}

/** Octets in use that no garbage is among. */
function inUse(): number {
  collectGarbage()
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
