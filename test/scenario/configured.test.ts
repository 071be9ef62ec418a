/** What krb5.conf says of logins, as the KDC sees it: krb5.conf(5), against the embedded KDC over sockets. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { Name } from '../../src/gss/name.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { paTypes } from '../../src/krb5/messages/codes.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import { AsReq, TgsReq } from '../../src/krb5/messages/kdc.ts'
import { PaPacRequest } from '../../src/krb5/messages/pac.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import type { TraceEvent } from '../../src/krb5/trace.ts'
import { Kerberos } from '../../src/node/kerberos.ts'
import { type Realm, startRealm } from '../../src/node/realm.ts'
import { kdcTransport } from '../../src/node/transport.ts'

const [best, next] = enctypes as unknown as readonly [(typeof enctypes)[number], (typeof enctypes)[number]]
const few = { enctypes: [best, next] }
let realm: Realm

beforeAll(async () => {
  realm = await startRealm({ users: { alice: { password: 'alice-pw', ...few } }, services: { 'host/www': few } })
})
afterAll(() => realm[Symbol.asyncDispose]())

/** Kerberos under a configuration of its own, and what it sends. */
function client(more: Partial<Realm['config']> = {}) {
  const config = { ...realm.config, ...more }
  const sent: Uint8Array[] = []
  const sockets = kdcTransport({ config })
  const kerberos = new Kerberos({
    environment: { configPaths: [] },
    config,
    transport: (question) => {
      sent.push(question.message)
      return sockets(question)
    },
  })
  return { kerberos, sent }
}

test('default_tkt_enctypes and default_tgs_enctypes are what requests offer', async () => {
  const { kerberos, sent } = client({ tktEnctypes: [best], tgsEnctypes: [next] })
  using login = await kerberos.login('alice', { password: 'alice-pw' })
  expect(decode(AsReq, sent.at(-1)!).reqBody.value.etype).toEqual([best.id])
  const service = parsePrincipal('host/www@LAB.TEST')
  await kerberos.run(tgsExchange({ tgt: login.ticket, service }, kerberos.env))
  expect(decode(TgsReq, sent.at(-1)!).reqBody.value.etype).toEqual([next.id])
})

test('verify_ap_req_nofail leaves no password unproved', async () => {
  const options = { keytab: 'MEMORY:none', unverified: 'without-keys' } as const
  using login = await client().kerberos.checkPassword('alice', 'alice-pw', options)
  expect(login.principal.components).toEqual(['alice'])
  await expect(
    client({ verifyApReqNofail: true }).kerberos.checkPassword('alice', 'alice-pw', options),
  ).rejects.toMatchObject({ code: 'NO_KEY' })
})

test.each([true, false])('a PAC is asked for, or against: %s (MS-KILE §2.2.3)', async (pac) => {
  const { kerberos, sent } = client()
  using login = await kerberos.login('alice', { password: 'alice-pw', pac })
  expect(login.ticket.flags.has('initial')).toBe(true)
  for (const message of sent) {
    const asked = decode(AsReq, message).padata?.find(({ padataType }) => padataType === paTypes.pacRequest)
    expect(decode(PaPacRequest, asked!.padataValue).includePac).toBe(pac)
  }
})

/** KDC_ERR_WRONG_REALM of LAB.TEST, whose client realm says where to turn to. */
const wrongRealm = encode(KrbErrorMessage, {
  ...{ stime: 1_800_000_000, susec: 0, errorCode: 68, crealm: 'HOME.TEST', realm: 'LAB.TEST' },
  sname: { nameType: 2, nameString: ['krbtgt', 'LAB.TEST'] },
})

test('an enterprise name is followed to the realm that the KDC says it is of (RFC 6806 §7)', async () => {
  await using home = await startRealm({
    realm: 'HOME.TEST',
    users: { carol: { password: 'HOME', aliases: ['carol\\@corp.example'], ...few } },
  })
  const events: TraceEvent[] = []
  const here = kdcTransport({ config: home.config })
  const kerberos = new Kerberos({
    environment: { configPaths: [] },
    config: realm.config,
    trace: (event) => events.push(event),
    transport: async (question) => {
      if (question.realm === 'HOME.TEST') return here(question)
      return { message: wrongRealm, kdc: 'lab' }
    },
  })
  using login = await kerberos.login('carol@corp.example', { password: 'HOME', enterprise: true })
  expect(login.principal).toMatchObject({ components: ['carol'], realm: 'HOME.TEST' })
  expect(events.filter(({ kind }) => kind === 'referral')).toMatchObject([{ realm: 'HOME.TEST' }])
  await expect(kerberos.login('carol', { password: 'HOME' })).rejects.toMatchObject({ code: 'KDC_ERR_WRONG_REALM' })
})

test('qualify_shortname completes hosts without a domain in names of services, and nothing else', () => {
  const named = (text: string, qualifyShortname?: string) => {
    const config = { ...realm.config, ...(qualifyShortname === undefined ? {} : { qualifyShortname }) }
    const { components } = new Kerberos({ config, environment: { configPaths: [] } }).principalOf(Name.hostbased(text))
    return components.join('/')
  }
  expect(named('host@WWW', 'lab.test')).toBe('host/www.lab.test')
  expect(named('host@www.other.test', 'lab.test')).toBe('host/www.other.test')
  expect(named('host@::1', 'lab.test')).toBe('host/::1')
  expect(named('host@www', '')).toBe('host/www')
  expect(named('host@www')).toBe('host/www')
})
