/** Every reason that a refusal can have, each by what brings it about; the peer sees the same bare answer for all of them. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toBase64, utf8 } from '../../src/bytes/index.ts'
import {
  type BoundMechanism,
  bind,
  type Credentials,
  type GssFlag,
  Name,
  SecurityContext,
} from '../../src/gss/index.ts'
import { Krb5Credential, krb5Mechanism } from '../../src/gss/krb5/index.ts'
import type { FailureReason, NegotiateRequest } from '../../src/http/index.ts'
import { shifted } from '../../src/krb5/env.ts'
import { createNegotiateAcceptor, type NodeAcceptorOptions } from '../../src/node/http.ts'
import type { Kerberos } from '../../src/node/kerberos.ts'
import { startRealm } from '../../src/node/realm.ts'

let realm: Awaited<ReturnType<typeof startRealm>>
let kerberos: Kerberos
let alice: Credentials

beforeAll(async () => {
  realm = await startRealm({
    users: { alice: 'alice-pw' },
    services: { 'HTTP/www.lab.test': {}, 'HTTP/other.lab.test': {}, 'HTTP/brief.lab.test': { maxLife: 60 } },
  })
  kerberos = realm.kerberos()
  alice = (await kerberos.login('alice', { password: 'alice-pw' })).credentials
})
afterAll(() => realm[Symbol.asyncDispose]())

interface Sent {
  readonly target?: string
  readonly creds?: Credentials
  readonly mech?: BoundMechanism
  readonly flags?: readonly GssFlag[]
  readonly bound?: string
}

async function token({ target = 'HTTP@www.lab.test', creds = alice, mech = kerberos.spnego, flags, bound }: Sent = {}) {
  const channelBindings = bound === undefined ? undefined : { applicationData: utf8(bound) }
  const name = Name.hostbased(target)
  const context = new SecurityContext({ usage: 'initiate', mech, creds, name, flags, channelBindings })
  return `Negotiate ${toBase64((await context.step())!)}`
}

const machine = (options: NodeAcceptorOptions = {}) =>
  createNegotiateAcceptor({
    kerberos: realm.kerberos(),
    store: { keytab: realm.keytab('HTTP/www.lab.test') },
    ...options,
  })

/** Kerberos on a machine whose clock is ahead. */
const ahead = (seconds: number) => {
  const env = shifted(kerberos.env, seconds * 1e6)
  return {
    mech: bind(krb5Mechanism(env, { defaultRealm: realm.name, realmOfHost: () => realm.name }), kerberos.world),
    now: () => env.now(),
  }
}

/** A keytab of the same service in another realm of the same name: same version, another key. */
async function foreignKeytab() {
  await using other = await startRealm({ services: ['HTTP/www.lab.test'] })
  return other.keytab('HTTP/www.lab.test')
}

type Case = () => Promise<{ options?: NodeAcceptorOptions; request: NegotiateRequest; before?: NegotiateRequest }>

const cases: Readonly<Record<Exclude<FailureReason, 'other'>, Case>> = {
  ntlm: async () => ({ request: { authorization: 'Negotiate TlRMTVNTUAABAAAAl4II4gAAAAAAAAAAAAAAAAAAAAA=' } }),
  malformed: async () => ({ request: { authorization: 'Negotiate YWJj' } }),
  replay: async () => {
    const authorization = await token()
    return { before: { authorization }, request: { authorization } }
  },
  'clock-skew': async () => ({
    options: ahead(3600),
    request: { authorization: await token({ mech: kerberos.krb5 }) },
  }),
  'no-key': async () => ({ request: { authorization: await token({ target: 'HTTP@other.lab.test' }) } }),
  'wrong-service': async () => ({
    options: { store: { keytab: await foreignKeytab() } },
    request: { authorization: await token() },
  }),
  expired: async () => {
    // the client does not know that its ticket lives for a minute
    const { ticket } = await kerberos.login('alice', { password: 'alice-pw', service: 'HTTP/brief.lab.test' })
    const tickets = [{ ...ticket, endtime: ticket.endtime + 86_400 }]
    const creds = Krb5Credential.credentials({ initiate: { client: ticket.client, tickets } })
    const later = ahead(1000)
    return {
      options: { ...later, store: { keytab: realm.keytab('HTTP/brief.lab.test') } },
      request: { authorization: await token({ target: 'HTTP@brief.lab.test', creds, mech: later.mech }) },
    }
  },
  'channel-bindings': async () => ({
    options: { channelBindings: { applicationData: utf8('here') } },
    request: { authorization: await token({ bound: 'there' }) },
  }),
  connection: async () => ({
    request: { authorization: await token({ flags: ['mutualAuthentication', 'dceStyle'] }) },
  }),
  mechanism: async () => ({
    options: { mech: kerberos.spnego },
    request: { authorization: `Negotiate ${toBase64(Uint8Array.of(0x60, 8, 0x06, 3, 0x2a, 3, 4, 1, 2, 3))}` },
  }),
  password: async () => ({
    options: { basic: true },
    request: { secure: true, authorization: `Basic ${toBase64(utf8('alice:wrong'))}` },
  }),
  kdc: async () => ({
    options: { basic: true, store: { keytab: await foreignKeytab() } },
    request: { secure: true, authorization: `Basic ${toBase64(utf8('alice:alice-pw'))}` },
  }),
  busy: async () => ({
    options: { basic: { concurrency: 0 } },
    request: { secure: true, authorization: `Basic ${toBase64(utf8('alice:alice-pw'))}` },
  }),
  insecure: async () => ({
    options: { basic: true },
    request: { authorization: `Basic ${toBase64(utf8('alice:alice-pw'))}` },
  }),
  forbidden: async () => ({ options: { authorize: () => false }, request: { authorization: await token() } }),
}

test.each(Object.entries(cases))('%s', async (reason, make) => {
  const { options, request, before } = await make()
  const acceptor = machine(options)
  if (before) expect((await acceptor.authenticate(before)).kind).toBe('success')
  const result = await acceptor.authenticate(request)
  if (result.kind !== 'failure') return expect.fail(result.kind)
  expect(result.reason, String(result.error)).toBe(reason)
  if (reason === 'busy') expect([result.status, result.headers]).toEqual([429, {}])
  else if (reason === 'forbidden') expect(result.status).toBe(403)
  else {
    const negotiate = [result.headers['www-authenticate']].flat()[0]
    expect([result.status, negotiate, Object.keys(result.headers)]).toEqual([401, 'Negotiate', ['www-authenticate']])
  }
})
