/** The facade's ways in by certificate and as nobody in particular, against the embedded KDC over sockets (RFC 4556, RFC 8062). */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { decode } from '../../src/asn1/codec.ts'
import { toBase64 } from '../../src/bytes/index.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { bind, Name, SecurityContext } from '../../src/gss/index.ts'
import type { Krb5Credential } from '../../src/gss/krb5/credential.ts'
import { ticketFor } from '../../src/gss/krb5/initiator.ts'
import { krb5Mechanism } from '../../src/gss/krb5/mechanism.ts'
import { mechanismOids, nameTypeOids } from '../../src/gss/oids.ts'
import { paTypes } from '../../src/krb5/messages/codes.ts'
import { TgsReq } from '../../src/krb5/messages/kdc.ts'
import { formatPrincipal, parsePrincipal } from '../../src/krb5/names.ts'
import { encryptedChallengeKdc } from '../../src/krb5/preauth/challenge/kdc.ts'
import { otp } from '../../src/krb5/preauth/otp/client.ts'
import { otpKdc } from '../../src/krb5/preauth/otp/kdc.ts'
import { pkinitKdc } from '../../src/krb5/preauth/pkinit/kdc.ts'
import { encryptedTimestampKdc } from '../../src/krb5/preauth/timestamp/kdc.ts'
import type { TraceEvent } from '../../src/krb5/trace.ts'
import { Kerberos } from '../../src/node/kerberos.ts'
import { type Realm, startRealm } from '../../src/node/realm.ts'
import { kdcTransport } from '../../src/node/transport.ts'
import { nodeEnv } from '../../src/node/world.ts'
import { seenOfKdcs } from '../../src/store/cacheconfig.ts'
import { defaultConfig } from '../../src/store/options.ts'
import { NOW } from '../support/pki.ts'
import { alice, kdcIdentity, root, trust } from '../support/pkinit.ts'

const few = { enctypes: [enctypes[0]!] }
const real = nodeEnv(defaultConfig)
/** The certificates are of NOW; the clients find that out from the KDC. */
const behind = NOW * 1e6 - real.now()
let realm: Realm
let folder: string
let anchors: readonly string[]
let certificate: string
const sent: Uint8Array[] = []

const pem = (label: string, octets: Uint8Array) =>
  `-----BEGIN ${label}-----\n${toBase64(octets).replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerb-certificate-'))
  await writeFile(join(folder, 'ca.pem'), pem('CERTIFICATE', root.certificate))
  await writeFile(join(folder, 'alice.pem'), pem('CERTIFICATE', alice.certificate))
  await writeFile(join(folder, 'alice.key'), pem('PRIVATE KEY', alice.privateKey))
  anchors = [`FILE:${join(folder, 'ca.pem')}`]
  certificate = `FILE:${join(folder, 'alice.pem')},${join(folder, 'alice.key')}`
  realm = await startRealm({
    users: {
      alice: { password: 'alice-pw', ...few },
      carol: { requiresPreauth: true, ...few },
      bob: { password: 'bob-pw', ...few },
      'WELLKNOWN/ANONYMOUS': { password: 'nobody knows', requiresPreauth: true, ...few },
    },
    services: { 'host/www': few },
    preauth: [
      otpKdc({
        tokens: ({ components }) =>
          components[0] === 'carol' ? [{ flags: new Set(['collectPin', 'separatePinRequired']) }] : undefined,
        verify: (_, value, pin) => value === '123456' && pin === '7',
      }),
      pkinitKdc({ identity: kdcIdentity, trust, anonymous: true }),
      encryptedChallengeKdc,
      encryptedTimestampKdc,
    ],
    env: { now: () => real.now() + behind },
  })
})
afterAll(async () => {
  await realm[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** Kerberos of the realm, what it traces, and what krb5.conf says besides. */
function client(more: Partial<typeof realm.config> = {}) {
  const events: TraceEvent[] = []
  const sockets = kdcTransport({ config: realm.config })
  const kerberos = new Kerberos({
    environment: { configPaths: [] },
    config: { ...realm.config, ...more },
    trace: (event) => events.push(event),
    prompt: () => expect.unreachable(),
    transport: (question) => {
      sent.push(question.message)
      return sockets(question)
    },
  })
  const mechanisms = () => events.flatMap((event) => (event.kind === 'preauth' ? [event.mechanism] : []))
  return { kerberos, events, mechanisms }
}

describe('a certificate', () => {
  test('out of files', async () => {
    const { kerberos, mechanisms } = client()
    using login = await kerberos.login('alice', { certificate, anchors })
    expect(formatPrincipal(login.principal)).toBe('alice@LAB.TEST')
    expect(mechanisms()).toEqual(['PKINIT'])
  })

  test('that signs by itself', async () => {
    using login = await client().kerberos.login('alice', { certificate: alice, anchors })
    expect(login.ticket.flags.has('preAuthent')).toBe(true)
  })

  test('as krb5.conf says (pkinit_identities, pkinit_anchors)', async () => {
    const { kerberos, mechanisms } = client({ pkinitIdentities: [certificate], pkinitAnchors: anchors })
    using login = await kerberos.login('alice')
    expect(formatPrincipal(login.principal)).toBe('alice@LAB.TEST')
    expect(mechanisms()).toEqual(['PKINIT'])
  })

  test('that krb5.conf names and is not there leaves the password', async () => {
    const config = { ...realm.config, pkinitIdentities: ['FILE:/nonexistent.pem'], pkinitAnchors: anchors }
    const kerberos = new Kerberos({ environment: { configPaths: [] }, config, prompt: () => 'alice-pw' })
    using login = await kerberos.login('alice')
    expect(login.preauthType).not.toBe(16)
  })

  test('that is refused is all there was, unless there is a password as well', async () => {
    const { kerberos, mechanisms } = client()
    await expect(kerberos.login('bob', { certificate, anchors })).rejects.toMatchObject({
      code: 'KDC_ERR_CLIENT_NAME_MISMATCH',
      origin: 'peer',
    })
    using login = await kerberos.login('bob', { certificate, anchors, password: 'bob-pw' })
    expect(formatPrincipal(login.principal)).toBe('bob@LAB.TEST')
    expect(mechanisms().slice(0, 2)).toEqual(['PKINIT', 'PKINIT'])
    expect(mechanisms()).toHaveLength(3)
  })

  test('wants somebody to believe the KDC by', () =>
    expect(client().kerberos.login('alice', { certificate })).rejects.toMatchObject({
      code: 'KDC_ERR_KDC_NOT_TRUSTED',
      origin: 'local',
    }))
})

describe('nobody in particular', () => {
  test.each(['', '@LAB.TEST', 'WELLKNOWN/ANONYMOUS@LAB.TEST'])('named "%s", gets tickets', async (name) => {
    const { kerberos } = client()
    using login = await kerberos.login(name, { anonymous: true, anchors })
    expect(formatPrincipal(login.principal)).toBe('WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS')
    await login.save('MEMORY:nobody')
    using again = await kerberos.resume('MEMORY:nobody')
    expect(formatPrincipal(again.ticket.server)).toBe('krbtgt/LAB.TEST@LAB.TEST')
  })

  test('initiates contexts that say so to both sides (RFC 2743 §1.2.5)', async () => {
    const { kerberos } = client()
    using login = await kerberos.login('', { anonymous: true, anchors })
    const creds = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('host/www') } })
    const mech = bind(krb5Mechanism({ ...kerberos.env, now: () => real.now() + behind }), kerberos.world)
    const name = Name.principal('host/www@LAB.TEST')
    const one = new SecurityContext({ usage: 'initiate', name, creds: login.credentials, mech: kerberos.krb5 })
    const two = new SecurityContext({ usage: 'accept', creds, mech })
    await one.step(await two.step(await one.step()))
    for (const { initiatorName, actualFlags } of [one, two]) {
      expect([initiatorName.text, initiatorName.type]).toEqual([
        'WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS',
        nameTypeOids.anonymous,
      ])
      expect(actualFlags.has('anonymity')).toBe(true)
    }
  })

  test('is not somebody', () =>
    expect(client().kerberos.login('alice', { anonymous: true, anchors })).rejects.toMatchObject({
      code: 'NAME_REFUSED',
    }))

  test('arms the login of somebody else', async () => {
    const { kerberos, events, mechanisms } = client({ pkinitAnchors: anchors })
    using login = await kerberos.login('alice', { password: 'alice-pw', armor: { anonymous: true } })
    expect(formatPrincipal(login.principal)).toBe('alice@LAB.TEST')
    expect(mechanisms()).toEqual(['anonymous PKINIT', 'encrypted challenge'])
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'armor', client: 'WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS' }),
    )
  })

  test('arms what a token shows: callbacks give it and its PIN (RFC 6560)', async () => {
    const { kerberos } = client({ pkinitAnchors: anchors })
    const asked: string[] = []
    const answer = (text: string, value: string) => {
      asked.push(text)
      return value
    }
    using login = await kerberos.login('carol', {
      preauth: [otp],
      armor: { anonymous: true },
      otp: (text) => answer(text, '123456'),
      pin: async (text) => answer(text, '7'),
    })
    expect(login.preauthType).toBe(paTypes.otpChallenge)
    expect(asked).toEqual(['PIN of carol@LAB.TEST: ', 'One-time password of carol@LAB.TEST: '])
  })
})

describe('what a cache tells of the KDC', () => {
  test('is the way in and FAST, which tickets are bought through from then on', async () => {
    const { kerberos, events } = client()
    using login = await kerberos.login('alice', { certificate, anchors })
    await login.save('MEMORY:seen')
    const { entries, principal } = await (await kerberos.caches.resolve('MEMORY:seen')).read()
    expect(seenOfKdcs({ entries, principal })).toEqual({
      startRealm: 'LAB.TEST',
      fastAvailable: true,
      preauthType: 16,
    })
    using again = await kerberos.resume('MEMORY:seen')
    expect([again.fastAvailable, again.preauthType]).toEqual([true, 16])
    using credentials = await kerberos.acquire({ usage: 'initiate', store: { ccache: 'MEMORY:seen' } })
    const element = credentials.element(mechanismOids.krb5) as Krb5Credential
    await kerberos.run(ticketFor(element, parsePrincipal('host/www@LAB.TEST'), kerberos.env))
    const { padata = [] } = decode(TgsReq, sent.at(-1)!)
    expect(padata.map(({ padataType }) => padataType)).toContain(paTypes.fxFast)
    expect(events.filter(({ kind }) => kind === 'ticket')).toHaveLength(2)
  })
})
