/** Logging in with a certificate, and with none: our client against our KDC (RFC 4556, RFC 5349, RFC 8062, RFC 8070, RFC 8636). */
import { describe, expect, test } from 'vitest'
import { decode } from '../../src/asn1/codec.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { AuthorizationData } from '../../src/krb5/messages/basics.ts'
import { adTypes } from '../../src/krb5/messages/codes.ts'
import { ExternalPrincipalIdentifiers } from '../../src/krb5/messages/pkinit.ts'
import { Ticket } from '../../src/krb5/messages/ticket.ts'
import { anonymousPrincipal, formatPrincipal, parsePrincipal } from '../../src/krb5/names.ts'
import { type KeyAgreement, pkinitGroups } from '../../src/krb5/preauth/pkinit/agreements.ts'
import { anonymousPkinit, pkinit } from '../../src/krb5/preauth/pkinit/client.ts'
import { encryptedTimestamp } from '../../src/krb5/preauth/timestamp/client.ts'
import { encryptedTimestampKdc } from '../../src/krb5/preauth/timestamp/kdc.ts'
import { sealedTicket } from '../../src/krb5/sealed.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { issue, NOW, rootAuthority } from '../support/pki.ts'
import {
  alice,
  env,
  kdcCertificate,
  logIn,
  pkinitRealm,
  REALM,
  root,
  trust,
  userCertificate,
} from '../support/pkinit.ts'

const group = (name: string) => pkinitGroups.filter((one) => one.name === name)

/** Group 14, with whose first secrets `spoil` does something: what it gives counts. */
function spoiling(...spoil: readonly ((secret: Uint8Array) => void)[]) {
  let made = 0
  const [usual] = pkinitGroups
  const spoilt: KeyAgreement = {
    ...usual!,
    begin(random) {
      const key = usual!.begin(random)
      const agree = (peer: Uint8Array) => {
        const secret = key.agree(peer)
        spoil[made++]?.(secret)
        return secret
      }
      return { ...key, agree, [Symbol.dispose]: () => key[Symbol.dispose]() }
    },
  }
  return { groups: [spoilt], made: () => made }
}

describe('a secret that begins with a zero octet, of which Heimdal makes another key', () => {
  const zeroed = (secret: Uint8Array) => void (secret[0] = 0)

  test('is asked for once more by the client', async () => {
    const { groups, made } = spoiling(zeroed)
    await expect(logIn(pkinitRealm(), { groups })).resolves.toBeDefined()
    expect(made()).toBe(2)
  })

  test('is the only one for which a reply that does not open is', async () => {
    const { groups, made } = spoiling((secret) => void (secret[0] = secret[0] === 1 ? 2 : 1))
    await expect(logIn(pkinitRealm(), { groups })).rejects.toMatchObject({ code: 'KRB_AP_ERR_BAD_INTEGRITY' })
    expect(made()).toBe(1)
  })

  test('ends the login where it comes again and again', async () => {
    const { groups, made } = spoiling(...Array.from({ length: 20 }, () => zeroed))
    await expect(logIn(pkinitRealm(), { groups })).rejects.toMatchObject({ code: 'KRB_AP_ERR_BAD_INTEGRITY' })
    expect(made()).toBeLessThan(20)
  })

  test('is not taken by our KDC', async () => {
    const { groups, made } = spoiling(zeroed, zeroed)
    await expect(logIn(pkinitRealm({ groups }))).resolves.toBeDefined()
    expect(made()).toBe(3)
  })
})

describe('a certificate', () => {
  test('logs in where there is no password', async () => {
    const { credential } = await logIn(pkinitRealm())
    expect(formatPrincipal(credential.client)).toBe('alice@LAB.TEST')
    expect([...credential.flags]).toEqual(expect.arrayContaining(['initial', 'preAuthent', 'encPaRep']))
  })

  test.each(pkinitGroups.map(({ name }) => name))('agrees on a key in %s', async (name) => {
    const { credential } = await logIn(pkinitRealm(), { groups: group(name) })
    expect(credential.flags.has('preAuthent')).toBe(true)
  })

  test.each(['P-384', 'P-521', 'RSA-2048'] as const)('signs with a %s key, as does the KDC', async (key) => {
    const [user, identity] = [await userCertificate({ key }), await kdcCertificate({ key })]
    await expect(logIn(pkinitRealm({ identity }), { identity: user })).resolves.toBeDefined()
  })

  test('signs through a callback, as a smart card does', async () => {
    const asked: string[] = []
    const { certificate, sign } = alice
    const identity = {
      certificate,
      sign: (data: Uint8Array, algorithm: Parameters<typeof sign>[1]) => {
        asked.push(`${algorithm.name} ${algorithm.hash}`)
        return sign(data, algorithm)
      },
    }
    await logIn(pkinitRealm(), { identity })
    expect(asked).toEqual(['ECDSA SHA-256'])
  })

  test('is from an authority below the root, and brings its chain', async () => {
    const middle = await issue({ name: 'middle', authority: true }, root)
    const user = await userCertificate({}, middle)
    await expect(logIn(pkinitRealm(), { identity: { ...user, chain: [middle.certificate] } })).resolves.toBeDefined()
    await expect(logIn(pkinitRealm(), { identity: user })).rejects.toMatchObject({
      code: 'KDC_ERR_CANT_VERIFY_CERTIFICATE',
    })
  })

  test('names its owner by a UPN, and serves smart card logon', async () => {
    const identity = await userCertificate({
      principals: [],
      upns: [`alice@${REALM}`],
      purposes: ['1.3.6.1.4.1.311.20.2.2'],
    })
    await expect(logIn(pkinitRealm(), { identity })).resolves.toBeDefined()
    await expect(logIn(pkinitRealm({ clientPurpose: 'kpClientAuth' }), { identity })).rejects.toMatchObject({
      code: 'KDC_ERR_INCONSISTENT_KEY_PURPOSE',
      origin: 'peer',
    })
  })

  test('belongs to whom the realm says', async () => {
    const identity = await userCertificate({ principals: [] })
    const isOf = ({ subject }: { subject: string }) => subject === 'CN=alice, O=test'
    await expect(logIn(pkinitRealm({ isOf }), { identity })).resolves.toBeDefined()
    await expect(logIn(pkinitRealm(), { identity })).rejects.toMatchObject({ code: 'KDC_ERR_CLIENT_NAME_MISMATCH' })
  })

  test.each(enctypes.map((enctype) => [enctype.name, enctype] as const))(
    'makes a reply key of %s',
    async (_, enctype) => {
      const { credential } = await logIn(pkinitRealm(), { groups: group('P-256') }, {}, { ...env, enctypes: [enctype] })
      expect(credential.key.enctype).toBe(enctype)
    },
  )

  test('moves on to the group that the KDC takes', async () => {
    const realm = pkinitRealm({ groups: group('P-384') })
    const requests: Uint8Array[] = []
    await logIn({ ...realm, seen: (request) => requests.push(request) })
    expect(requests).toHaveLength(3)
    await expect(logIn(realm, { groups: group('P-256') })).rejects.toMatchObject({
      code: 'KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED',
    })
  })

  test('that is refused leaves the password', async () => {
    const realm = pkinitRealm({}, [encryptedTimestampKdc])
    realm.database.add('alice', { password: 'alice-pw' })
    const client = parsePrincipal(`alice@${REALM}`)
    const identity = await userCertificate({ principals: ['bob@LAB.TEST'] })
    const { preauthType } = await logIn(
      realm,
      {},
      {
        preauth: [pkinit({ identity, trust }), encryptedTimestamp],
        secret: passwordSecret(client, 'alice-pw'),
      },
    )
    expect(preauthType).toBe(2)
  })

  test('ends with its certificate, and tells who vouched for it', async () => {
    const realm = pkinitRealm()
    const { credential } = await logIn(realm, { identity: await userCertificate({ notAfter: NOW + 600 }) })
    expect(credential.endtime).toBe(NOW + 600)
    const { encPart } = decode(Ticket, credential.ticket)
    const service = realm.database.lookup(parsePrincipal(`krbtgt/${REALM}@${REALM}`))!
    const { authorizationData } = sealedTicket.open(service.keys[0]!, encPart)
    const inner = authorizationData!
      .filter(({ adType }) => adType === adTypes.ifRelevant)
      .flatMap(({ adData }) => decode(AuthorizationData, adData))
      .find(({ adType }) => adType === adTypes.initialVerifiedCas)
    expect(decode(ExternalPrincipalIdentifiers, inner!.adData)).toHaveLength(1)
  })
})

describe('freshness', () => {
  test('is proved where the KDC requires it', async () => {
    await expect(logIn(pkinitRealm({ requireFreshness: true }))).resolves.toBeDefined()
    await expect(logIn(pkinitRealm({ requireFreshness: true }), {}, { onChance: true })).resolves.toBeDefined()
  })

  test('is not proved by the token of another KDC', async () => {
    const [one, other] = [pkinitRealm({ requireFreshness: true }), pkinitRealm({ requireFreshness: true })]
    let n = 0
    const respond = (request: Uint8Array) => (n++ === 0 ? one : other).respond(request)
    // the other one refuses the token with KDC_ERR_PREAUTH_EXPIRED, whereupon the client asks for a new one
    await expect(logIn({ respond })).resolves.toBeDefined()
    expect(n).toBe(4)
  })
})

describe('nobody in particular', () => {
  const client = anonymousPrincipal(REALM)
  const preauth = [anonymousPkinit({ trust })]

  test('gets a ticket that does not say whose it is', async () => {
    const { credential } = await logIn(pkinitRealm({ anonymous: true }), {}, { client, preauth })
    expect(formatPrincipal(credential.client)).toBe('WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS')
    expect(credential.flags.has('anonymous')).toBe(true)
  })

  test('lends its ticket to protect the login of somebody else (RFC 6113 §5.4.1)', async () => {
    const realm = pkinitRealm({ anonymous: true })
    const { credential: ticket } = await logIn(realm, {}, { client, preauth })
    const { armored, credential } = await logIn(realm, {}, { armor: { ticket } })
    expect(armored).toBe(true)
    expect(formatPrincipal(credential.client)).toBe('alice@LAB.TEST')
  })

  test('gets none unless the KDC allows it', () =>
    expect(logIn(pkinitRealm(), {}, { client, preauth, onChance: true })).rejects.toMatchObject({ origin: 'peer' }))

  test('still holds the KDC against its certificate', async () => {
    const realm = pkinitRealm({ anonymous: true, identity: await kdcCertificate({}, await rootAuthority()) })
    await expect(logIn(realm, {}, { client, preauth })).rejects.toMatchObject({ code: 'KDC_ERR_KDC_NOT_TRUSTED' })
  })
})
