/** PKINIT against KDCs and clients that lie: RFC 4556 §3.2.2 to §3.2.4, §5; RFC 8062 §7. */
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../../src/asn1/codec.ts'
import { readSignedData, signData, wrapUnsigned } from '../../../src/cms/signed.ts'
import { MODP_2048 } from '../../../src/crypto/groups/modptable.ts'
import { AsRep, AsReq } from '../../../src/krb5/messages/kdc.ts'
import {
  AuthPack,
  BigInteger,
  PaPkAsRep,
  PaPkAsReq,
  PKINIT_AUTH_DATA,
  PKINIT_DH_KEY_DATA,
} from '../../../src/krb5/messages/pkinit.ts'
import { anonymousPrincipal } from '../../../src/krb5/names.ts'
import { groupsFrom, pkinitGroups } from '../../../src/krb5/preauth/pkinit/agreements.ts'
import { anonymousPkinit } from '../../../src/krb5/preauth/pkinit/client.ts'
import { parseCertificateSource } from '../../../src/krb5/preauth/pkinit/source.ts'
import { type Issued, issue, NOW, revocationList } from '../../support/pki.ts'
import {
  alice,
  kdcCertificate,
  kdcIdentity,
  logIn,
  pkinitRealm,
  REALM,
  root,
  trust,
  userCertificate,
} from '../../support/pkinit.ts'
import { changedReply, group2, offeringGroup2, publicValue, resigned, unsigned } from '../../support/pkinitlies.ts'

const group = (name: string) => pkinitGroups.filter((one) => one.name === name)
const same = <T>(info: T) => info
const modp = (value: bigint) => publicValue(encode(BigInteger, value))

describe("a KDC's certificate is refused", () => {
  test.each<[string, () => Promise<Issued>, string]>([
    ['of another realm', () => kdcCertificate({ principals: ['krbtgt/OTHER@OTHER'] }), 'KDC_ERR_KDC_NAME_MISMATCH'],
    ['of another service', () => kdcCertificate({ principals: [`host/kdc@${REALM}`] }), 'KDC_ERR_KDC_NAME_MISMATCH'],
    [
      'with a host name that nobody said',
      () => kdcCertificate({ principals: [], dnsNames: ['kdc'] }),
      'KDC_ERR_KDC_NAME_MISMATCH',
    ],
    ['without a purpose', () => kdcCertificate({ purposes: [] }), 'KDC_ERR_INCONSISTENT_KEY_PURPOSE'],
    ['for TLS servers', () => kdcCertificate({ purposes: ['1.3.6.1.5.5.7.3.1'] }), 'KDC_ERR_INCONSISTENT_KEY_PURPOSE'],
    ['of a user', () => userCertificate(), 'KDC_ERR_INCONSISTENT_KEY_PURPOSE'],
    ['that may not sign', () => kdcCertificate({ keyUsage: 0x20 }), 'KDC_ERR_INCONSISTENT_KEY_PURPOSE'],
    [
      'signed by itself',
      () => issue({ principals: [`krbtgt/${REALM}@${REALM}`], purposes: ['1.3.6.1.5.2.3.5'] }),
      'KDC_ERR_KDC_NOT_TRUSTED',
    ],
    ['that has expired', () => kdcCertificate({ notAfter: NOW - 1 }), 'KDC_ERR_KDC_NOT_TRUSTED'],
  ])('%s', async (_, make, code) => {
    const realm = pkinitRealm({ identity: await make() })
    await expect(logIn(realm)).rejects.toMatchObject({ code, origin: 'local' })
  })

  test('that was revoked', async () => {
    const revocationLists = [await revocationList(root, [kdcIdentity])]
    await expect(logIn(pkinitRealm(), { trust: { ...trust, revocationLists } })).rejects.toMatchObject({
      code: 'KDC_ERR_REVOKED_CERTIFICATE',
    })
  })

  test('but not with a host name, or a purpose, that was said', async () => {
    const identity = await kdcCertificate({
      principals: [],
      dnsNames: ['KDC.lab.test'],
      purposes: ['1.3.6.1.5.5.7.3.1'],
    })
    const said = { kdcHostnames: ['kdc.lab.test'], kdcPurpose: 'kpServerAuth' } as const
    await expect(logIn(pkinitRealm({ identity }), said)).resolves.toBeDefined()
  })
})

describe("a KDC's reply is refused", () => {
  test.each<[string, (octets: Uint8Array) => Promise<Uint8Array>, string]>([
    ['that nobody signed', unsigned, 'KDC_ERR_INVALID_SIG'],
    ['with signed content of another type', resigned(same, { type: PKINIT_AUTH_DATA }), 'KDC_ERR_INVALID_SIG'],
    ['signed by a client', resigned(same, { identity: alice }), 'KDC_ERR_INCONSISTENT_KEY_PURPOSE'],
    ['with the nonce of another request', resigned((info) => ({ ...info, nonce: info.nonce ^ 1 })), 'REPLY_MODIFIED'],
    [
      'with a key that is used again',
      resigned((info) => ({ ...info, nonce: 0, dhKeyExpiration: NOW + 60 }), {
        rep: (value) => ({ ...value, serverDHNonce: new Uint8Array(32) }),
      }),
      'REPLY_MODIFIED',
    ],
    ['with the public value 0', resigned(modp(0n)), 'REPLY_MODIFIED'],
    ['with the public value 1', resigned(modp(1n)), 'REPLY_MODIFIED'],
    ['with the public value p - 1', resigned(modp(MODP_2048 - 1n)), 'REPLY_MODIFIED'],
    ['with the public value p', resigned(modp(MODP_2048)), 'REPLY_MODIFIED'],
    ['with another public value', resigned(modp(4n)), 'KRB_AP_ERR_BAD_INTEGRITY'],
    ['with a public value that is no INTEGER', resigned(publicValue(Uint8Array.of(4, 1, 2))), 'REPLY_MALFORMED'],
    [
      'with a key derivation that was not offered',
      resigned(same, { rep: (value) => ({ ...value, kdf: { kdfId: '1.2.3' } }) }),
      'REPLY_MODIFIED',
    ],
    [
      'without the key derivation that was used',
      resigned(same, { rep: ({ dhSignedData }) => ({ dhSignedData }) }),
      'KRB_AP_ERR_BAD_INTEGRITY',
    ],
    [
      'with an encrypted key',
      changedReply(() => encode(PaPkAsRep, { kind: 'encKeyPack', value: new Uint8Array(8) })),
      'KDC_ERR_PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED',
    ],
    ['without PKINIT', changedReply(() => undefined), 'REPLY_MODIFIED'],
  ])('%s', async (_, change, code) => {
    await expect(logIn({ ...pkinitRealm(), change })).rejects.toMatchObject({ name: 'KrbError', code, origin: 'local' })
  })

  test('with a point that is not on the curve, and with none', async () => {
    const off = new Uint8Array(65).fill(5)
    off[0] = 4
    for (const octets of [off, Uint8Array.of(0), new Uint8Array(0)]) {
      const change = resigned(publicValue(octets))
      await expect(logIn({ ...pkinitRealm(), change }, { groups: group('P-256') })).rejects.toMatchObject({
        code: 'REPLY_MODIFIED',
      })
    }
  })

  test('at every truncation', async () => {
    let size = 0
    let whole = 1
    const realm = pkinitRealm()
    const change = changedReply((octets) => {
      whole = octets.length
      return octets.subarray(0, size)
    })
    for (; size < whole; size += 41)
      await expect(logIn({ ...realm, change }, { groups: group('P-256') })).rejects.toMatchObject({ name: 'KrbError' })
  })

  test('by nobody in particular, where the KDC alone chose the session key', async () => {
    const client = anonymousPrincipal(REALM)
    const change = (octets: Uint8Array) => {
      if (octets[0] !== 0x6b) return octets
      const reply = decode(AsRep, octets)
      return encode(AsRep, { ...reply, padata: (reply.padata ?? []).filter(({ padataType }) => padataType !== 147) })
    }
    const request = { client, preauth: [anonymousPkinit({ trust })] }
    await expect(logIn({ ...pkinitRealm({ anonymous: true }), change }, {}, request)).rejects.toMatchObject({
      code: 'REPLY_MODIFIED',
    })
  })
})

test('a client is not talked into a weak group', async () => {
  let asked = 0
  const change = offeringGroup2(() => {
    asked++
  })
  await expect(logIn({ ...pkinitRealm({ groups: group('P-384') }), change })).rejects.toMatchObject({
    code: 'KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED',
  })
  expect(asked).toBe(1)
})

type Pack = AuthPack
/** Changes the AuthPack of every request, and signs it again. */
const changedRequest =
  (
    change: (pack: Pack) => Pack,
    sign: (content: Uint8Array) => Uint8Array | Promise<Uint8Array> = (content) =>
      signData({ contentType: PKINIT_AUTH_DATA, content }, alice),
  ) =>
  async (octets: Uint8Array) => {
    const request = decode(AsReq, octets)
    const padata = []
    for (const one of request.padata ?? []) {
      if (one.padataType === 16) {
        const { content } = readSignedData(decode(PaPkAsReq, one.padataValue).signedAuthPack)
        const signedAuthPack = await sign(encode(AuthPack, change(decode(AuthPack, content))))
        padata.push({ ...one, padataValue: encode(PaPkAsReq, { signedAuthPack }) })
      } else padata.push(one)
    }
    return encode(AsReq, { ...request, padata })
  }

const authenticator = (change: Partial<Pack['pkAuthenticator']>) => (pack: Pack) => ({
  ...pack,
  pkAuthenticator: { ...pack.pkAuthenticator, ...change },
})
const pack = (change: Partial<Pack>) => (one: Pack) => ({ ...one, ...change })

describe("a client's proof is refused", () => {
  const refused = async (
    change: (octets: Uint8Array) => Promise<Uint8Array>,
    options: Parameters<typeof pkinitRealm>[0] = {},
  ) => {
    const realm = pkinitRealm(options)
    const respond = async (octets: Uint8Array) => realm.respond(await change(octets))
    return logIn({ respond }, {}, { followClock: false }).then(
      () => 'let in',
      (error: { readonly code: string }) => error.code,
    )
  }

  test.each<[string, (octets: Uint8Array) => Promise<Uint8Array>, string]>([
    [
      'that nobody signed',
      changedRequest(
        (one) => one,
        (content) => wrapUnsigned({ contentType: PKINIT_AUTH_DATA, content }),
      ),
      'KDC_ERR_INVALID_SIG',
    ],
    [
      'that was signed as something else',
      changedRequest(
        (one) => one,
        (content) => signData({ contentType: PKINIT_DH_KEY_DATA, content }, alice),
      ),
      'KDC_ERR_INVALID_SIG',
    ],
    ['for another request', changedRequest(authenticator({ paChecksum: new Uint8Array(20) })), 'KRB_AP_ERR_MODIFIED'],
    [
      'for another request by the second checksum',
      changedRequest(
        authenticator({
          paChecksum2: { checksum: new Uint8Array(32), algorithmIdentifier: { algorithm: '2.16.840.1.101.3.4.2.1' } },
        }),
      ),
      'KRB_AP_ERR_MODIFIED',
    ],
    [
      'without a checksum',
      changedRequest(authenticator({ paChecksum: undefined, paChecksum2: undefined })),
      'KDC_ERR_PA_CHECKSUM_MUST_BE_INCLUDED',
    ],
    ['of yesterday', changedRequest(authenticator({ ctime: NOW - 86_400 })), 'KRB_AP_ERR_SKEW'],
    [
      'with a freshness token that was made up',
      changedRequest(authenticator({ freshnessToken: new Uint8Array(20) })),
      'KDC_ERR_PREAUTH_EXPIRED',
    ],
    [
      'without a public value',
      changedRequest(pack({ clientPublicValue: undefined })),
      'KDC_ERR_PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED',
    ],
    [
      'in group 2',
      changedRequest(
        pack({
          clientPublicValue: { algorithm: group2, subjectPublicKey: { octets: encode(BigInteger, 4n), unusedBits: 0 } },
        }),
      ),
      'KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED',
    ],
    [
      'with the public value 1',
      changedRequest((one) => ({
        ...one,
        clientPublicValue: {
          ...one.clientPublicValue!,
          subjectPublicKey: { octets: encode(BigInteger, 1n), unusedBits: 0 },
        },
      })),
      'KDC_ERR_PREAUTH_FAILED',
    ],
  ])('%s', async (_, change, code) => expect(await refused(change)).toBe(code))

  test('without a freshness token where one is required', async () =>
    expect(
      await refused(changedRequest(authenticator({ freshnessToken: undefined })), { requireFreshness: true }),
    ).toBe('KDC_ERR_PREAUTH_FAILED'))

  test('by the certificate of somebody else', async () => {
    const identity = await userCertificate({ principals: [`bob@${REALM}`] })
    await expect(logIn(pkinitRealm(), { identity })).rejects.toMatchObject({
      code: 'KDC_ERR_CLIENT_NAME_MISMATCH',
      origin: 'peer',
    })
  })

  test('at every truncation, without an exception', async () => {
    const realm = pkinitRealm()
    let request = new Uint8Array(0)
    await logIn(
      {
        ...realm,
        seen: (octets) => {
          request = new Uint8Array(octets)
        },
      },
      { groups: group('P-256') },
    )
    const message = decode(AsReq, request)
    const value = message.padata!.find(({ padataType }) => padataType === 16)!.padataValue
    for (let size = 0; size < value.length; size += 29) {
      const padata = [{ padataType: 16, padataValue: value.subarray(0, size) }]
      expect((await realm.respond(encode(AsReq, { ...message, padata })))?.[0]).toBe(0x7e)
    }
  })
})

test('pkinit_dh_min_bits leaves the groups that are no weaker', () => {
  const names = (minimum: Parameters<typeof groupsFrom>[0]) => groupsFrom(minimum).map(({ name }) => name)
  expect(names(1024)).toEqual(['group 14', 'P-256', 'P-384', 'P-521', 'group 16'])
  expect(names(4096)).toEqual(['P-384', 'P-521', 'group 16'])
  expect(names('P-384')).toEqual(['P-384', 'P-521'])
})

describe('the place of a certificate (krb5.conf(5))', () => {
  test.each([
    ['FILE:/a.pem,/b.key', { kind: 'file', certificate: '/a.pem', key: '/b.key' }],
    ['FILE:/a.pem', { kind: 'file', certificate: '/a.pem', key: '/a.pem' }],
    ['/a.pem', { kind: 'file', certificate: '/a.pem', key: '/a.pem' }],
    ['DIR:/certs', { kind: 'folder', path: '/certs' }],
    ['PKCS12:/a.p12', { kind: 'pkcs12', path: '/a.p12' }],
    ['ENV:X509', { kind: 'variable', name: 'X509' }],
  ])('%s', (text, source) => expect(parseCertificateSource(text)).toEqual(source))

  test('is not a module of C code', () =>
    expect(() => parseCertificateSource('PKCS11:opensc-pkcs11.so')).toThrow(/sign\(\)/))
  test.each(['FILE:', 'FILE:,', 'KCM:x', ''])('is not %j', (text) =>
    expect(() => parseCertificateSource(text)).toThrow(expect.objectContaining({ code: 'NAME_REFUSED' })),
  )
})
