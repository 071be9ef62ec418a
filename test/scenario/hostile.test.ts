/** A KDC that lies: every login ends with a typed error, soon, and without growing (RFC 4120 §3.1.5, §3.3.4, §10). */
import { describe, expect, test } from 'vitest'
import { encode } from '../../src/asn1/codec.ts'
import { sequenceOf } from '../../src/asn1/structures.ts'
import { utf8 } from '../../src/bytes/index.ts'
import { errorCodes } from '../../src/krb5/errorcodes.ts'
import { asExchange } from '../../src/krb5/exchanges/as.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { PaData } from '../../src/krb5/messages/basics.ts'
import { paTypes } from '../../src/krb5/messages/codes.ts'
import type { EncKdcRepPart, KdcRep } from '../../src/krb5/messages/kdc.ts'
import { EtypeInfo2 } from '../../src/krb5/messages/preauth.ts'
import { hostService, parsePrincipal } from '../../src/krb5/names.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { fixedEnv } from '../support/env.ts'
import { type Suffered, suffer } from '../support/hostile.ts'
import { type Falsified, PASSWORD, REALM, runAgainst, TIME } from '../support/scriptedkdc.ts'

/** What an attack may cost: far below a user's patience, far above what these take. */
const SECONDS = 3
const MEBIBYTES = 64

const client = parsePrincipal('alice', { realm: REALM })
const service = hostService('HTTP', 'www.lab.test', REALM)
const env = fixedEnv(TIME)
const asked = () => asExchange({ client, secret: passwordSecret(client, PASSWORD), lifetime: 3600 }, env)

/** The login's first request is answered honestly unless `lies` say otherwise from the first on. */
const login = (lies: Falsified, from: 'first' | 'second' = 'second') =>
  suffer(() => runAgainst(asked(), (n) => (n === 0 && from === 'second' ? {} : lies)))
const buy = async (lies: Falsified) => {
  const { credential: tgt } = await runAgainst(asked())
  return suffer(() => runAgainst(tgsExchange({ tgt, service }, env), () => lies))
}

function expectRefused({ error, seconds, mebibytes }: Suffered, code?: string) {
  expect(error).toMatchObject({ name: 'KrbError', ...(code === undefined ? {} : { code }) })
  expect(seconds).toBeLessThan(SECONDS)
  expect(mebibytes).toBeLessThan(MEBIBYTES)
}

/** KDC_ERR_PREAUTH_REQUIRED with this ETYPE-INFO2. */
const hint = (
  entries: readonly { etype: number; salt?: Uint8Array; s2kparams?: Uint8Array }[],
  code = 25,
): Falsified => ({
  error: {
    code,
    eData: encode(sequenceOf(PaData), [
      { padataType: paTypes.etypeInfo2, padataValue: encode(EtypeInfo2, entries as EtypeInfo2) },
      { padataType: paTypes.encTimestamp, padataValue: new Uint8Array(0) },
    ]),
  },
})

describe('rounds of hashing without end (RFC 3962 §4, RFC 8009 §4)', () => {
  const rounds: readonly [string, number, readonly number[]][] = [
    ['2^32, which is written as 0', 18, [0, 0, 0, 0]],
    ['2^32 - 1', 18, [0xff, 0xff, 0xff, 0xff]],
    ['2^32 - 1, with SHA-2', 20, [0xff, 0xff, 0xff, 0xff]],
    ['2^24', 17, [1, 0, 0, 0]],
  ]
  test.each(rounds)('%s, asked for before the login', async (_, etype, octets) => {
    const lie = hint([{ etype, salt: utf8('LAB.TESTalice'), s2kparams: Uint8Array.from(octets) }])
    expectRefused(await login(lie, 'first'), 'REPLY_MALFORMED')
  })
  test.each(rounds)('%s, asked for in the reply', async (_, etype, octets) => {
    const padataValue = encode(EtypeInfo2, [{ etype, s2kparams: Uint8Array.from(octets) }])
    const reply = (honest: KdcRep): KdcRep => ({
      ...honest,
      padata: [{ padataType: paTypes.etypeInfo2, padataValue }],
      encPart: { ...honest.encPart, etype },
    })
    expectRefused(await login({ reply }))
  })
  test('a parameter of a size that nobody defined', async () => {
    const lie = hint([{ etype: 18, salt: utf8('x'), s2kparams: new Uint8Array(100_000) }])
    expectRefused(await login(lie, 'first'), 'REPLY_MALFORMED')
  })
})

describe('encryption types that were not asked for', () => {
  test.each([
    ['none that is known', [{ etype: 4711 }]],
    ['a weak one alone', [{ etype: 23 }]],
    ['a hundred thousand of them', Array.from({ length: 100_000 }, (_, i) => ({ etype: 1000 + i }))],
  ])('offered for the password: %s', async (_, entries) => {
    expectRefused(await login(hint(entries), 'first'))
  })
  test.each([23, 3, 4711])('used for the reply: %i', async (etype) => {
    const reply = (honest: KdcRep) => ({ ...honest, encPart: { ...honest.encPart, etype } })
    expectRefused(await login({ reply }), 'ENCTYPE_REFUSED')
    expectRefused(await buy({ reply }))
  })
  test.each([23, 3])('used for the session key: %i', async (keytype) => {
    const part = (honest: EncKdcRepPart) => ({ ...honest, key: { keytype, keyvalue: new Uint8Array(16) } })
    expectRefused(await login({ part }), 'ENCTYPE_REFUSED')
    expectRefused(await buy({ part }), 'ENCTYPE_REFUSED')
  })
})

describe('a reply to something else than was asked', () => {
  const part = (change: Partial<EncKdcRepPart> | ((part: EncKdcRepPart) => Partial<EncKdcRepPart>)): Falsified => ({
    part: (honest) => ({ ...honest, ...(typeof change === 'function' ? change(honest) : change) }),
  })
  const reply = (change: Partial<KdcRep>): Falsified => ({ reply: (honest) => ({ ...honest, ...change }) })
  const bob = { nameType: 1, nameString: ['bob'] }

  test.each<[string, Falsified]>([
    ['nonce', part(({ nonce }) => ({ nonce: nonce ^ 1 }))],
    ['realm of the service', part({ srealm: 'EVIL.TEST' })],
    ['name of the service', part({ sname: { nameType: 2, nameString: ['krbtgt', 'EVIL.TEST'] } })],
    ['realm of the client', reply({ crealm: 'EVIL.TEST' })],
    ['name of the client', reply({ cname: bob })],
    ['end, later than asked for', part(({ endtime }) => ({ endtime: endtime + 86_400 }))],
    ['start, in the future', part({ starttime: TIME + 86_400 })],
  ])('by another %s', async (_, lie) => {
    expectRefused(await login(lie), 'REPLY_MODIFIED')
    expectRefused(await buy(lie), 'REPLY_MODIFIED')
  })
})

describe('other messages in place of a reply', () => {
  const codes = Object.values(errorCodes)
    .map(({ number }) => number)
    .filter((number) => number !== undefined && number > 0)

  test('a KRB-ERROR of any code, and of none that there is', async () => {
    for (const code of [...codes, 0, 127, 9999, -1, 2 ** 31 - 1]) {
      expectRefused(await login({ error: { code } }))
      expectRefused(await buy({ error: { code } }))
    }
  }, 60_000)
  test('a KRB-ERROR whose data are no data', async () => {
    for (const eData of [new Uint8Array(0), new Uint8Array(100_000), new Uint8Array(1000).fill(0x30)])
      for (const code of [24, 25, 91]) expectRefused(await login({ error: { code, eData } }, 'first'))
  })
  test('a KRB-ERROR of a text without end', async () => {
    const { error, ...cost } = await login({ error: { code: 60, eText: 'A\u001b[2J'.repeat(200_000) } })
    expectRefused({ error, ...cost }, 'KRB_ERR_GENERIC')
    expect(String(error).length).toBeLessThan(2000)
    expect(String(error)).not.toContain('\u001b')
  })
  test('a TGS-REP for an AS-REQ and the reverse', async () => {
    const other = (reply: Uint8Array) => reply.map((octet, i) => (i === 0 ? octet ^ (0x6b ^ 0x6d) : octet))
    expectRefused(await login({ octets: other }))
    expectRefused(await buy({ octets: other }))
  })
  test('the request itself, and nothing at all', async () => {
    const echo = await suffer(() => runAgainst(asked(), (_, message) => ({ octets: () => message })))
    expectRefused(echo)
    expectRefused(await login({ octets: () => new Uint8Array(0) }))
  })
  test('eight mebibytes of nested containers, and of nothing', async () => {
    for (const octets of [new Uint8Array(2 ** 23).fill(0x6b), nested(2 ** 20), new Uint8Array(2 ** 23)])
      expectRefused(await login({ octets: () => octets }))
  })
})

/** `depth` sequences around each other, in an AS-REP's tag. */
function nested(depth: number): Uint8Array {
  const octets = new Uint8Array(depth * 5)
  const view = new DataView(octets.buffer)
  for (let i = 0; i < depth; i++) {
    octets.set([i === 0 ? 0x6b : 0x30, 0x83], i * 5)
    view.setUint16(i * 5 + 2, (octets.length - (i + 1) * 5) >> 8)
    octets[i * 5 + 4] = (octets.length - (i + 1) * 5) & 0xff
  }
  return octets
}

describe('a KDC that never has enough', () => {
  const endless = async (answer: (n: number) => Falsified) => {
    let asked_ = 0
    const suffered = await suffer(() =>
      runAgainst(asked(), (n) => {
        asked_ = n + 1
        return answer(n)
      }),
    )
    return { ...suffered, asked: asked_ }
  }

  test.each<[string, (n: number) => Falsified]>([
    ['asks for pre-authentication again and again', () => hint([{ etype: 18, salt: utf8('LAB.TESTalice') }])],
    ['with another salt each time', (n) => hint([{ etype: 18, salt: utf8(`salt ${n}`) }])],
    ['finds the proof wrong, with another salt each time', (n) => hint([{ etype: 18, salt: utf8(`${n}`) }], 24)],
    ['asks for more and more of it', () => hint([{ etype: 18, salt: utf8('LAB.TESTalice') }], 91)],
    ['says that its clock is elsewhere each time', (n) => ({ error: { code: 37, stime: TIME + 1000 * (n + 1) } })],
    ['asks in turn for all of these', (n) => [hint([{ etype: 18 }]), hint([{ etype: 17 }], 24), hint([], 91)][n % 3]!],
  ])('%s', async (_, answer) => {
    const { asked, ...suffered } = await endless(answer)
    expectRefused(suffered)
    expect(asked).toBeLessThan(20)
  })

  test('sends its clients from realm to realm', async () => {
    const { credential: tgt } = await runAgainst(asked())
    let bought = 0
    const away = await suffer(() =>
      runAgainst(tgsExchange({ tgt, service: { ...service, realm: '' } }, env), (n): Falsified => {
        bought = n
        const sname = { nameType: 2, nameString: ['krbtgt', `REALM${n}.TEST`] }
        return {
          part: (part) => ({ ...part, sname }),
          reply: (reply) => ({ ...reply, ticket: { ...reply.ticket, sname } }),
        }
      }),
    )
    expectRefused(away)
    expect(bought).toBeLessThan(20)
  })
})

test('the KDC that these tests falsify lets alice in when it does not lie', async () => {
  expect((await login({})).error).toBeUndefined()
  expect((await buy({})).error).toBeUndefined()
})
