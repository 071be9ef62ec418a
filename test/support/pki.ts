/** A public key infrastructure for tests, made with pkijs: authorities that issue whatever a test wants to see refused. */
import * as asn1js from 'asn1js'
import * as pkijs from 'pkijs'
import { encode } from '../../src/asn1/codec.ts'
import type { Identity } from '../../src/cms/identity.ts'
import { KRB5_PRINCIPAL_SAN, Krb5PrincipalName } from '../../src/krb5/messages/pkinit.ts'
import { parsePrincipal, principalNameOf } from '../../src/krb5/names.ts'

const { subtle } = globalThis.crypto
const engine = new pkijs.CryptoEngine({ name: 'test', crypto: globalThis.crypto })

/** What a certificate is to say. */
export interface Wanted {
  readonly name?: string
  /** `P-256` unless said. */
  readonly key?: 'P-256' | 'P-384' | 'P-521' | 'RSA-2048' | 'RSA-1024'
  /** Seconds since the epoch. */
  readonly notBefore?: number
  readonly notAfter?: number
  readonly authority?: boolean
  readonly pathLength?: number
  /** Kerberos principals, `krbtgt/REALM@REALM`. */
  readonly principals?: readonly string[]
  readonly upns?: readonly string[]
  readonly dnsNames?: readonly string[]
  readonly purposes?: readonly string[]
  /** A critical extension that nobody knows. */
  readonly strange?: boolean
  readonly hash?: 'SHA-1' | 'SHA-256'
  readonly keyUsage?: number
}

/** A certificate with its key. */
export interface Issued extends Identity {
  readonly pki: pkijs.Certificate
  readonly keys: CryptoKeyPair
  /** PKCS#8. */
  readonly privateKey: Uint8Array
}

/** The time that test certificates are made around, in seconds since the epoch: 2027-01-15. */
export const NOW = 1_800_000_000
const YEAR = 365 * 86_400
let serial = 1

/** A self-signed authority. */
export const rootAuthority = (wanted: Wanted = {}): Promise<Issued> =>
  issue({ name: 'root', authority: true, ...wanted })

/** A certificate by `issuer`, or one that signs itself. */
export async function issue(wanted: Wanted, issuer?: Issued): Promise<Issued> {
  const { name = 'leaf', key = 'P-256', notBefore = NOW - YEAR, notAfter = NOW + YEAR, hash = 'SHA-256' } = wanted
  const algorithm = key.startsWith('RSA')
    ? {
        name: 'RSASSA-PKCS1-v1_5',
        hash: 'SHA-256',
        modulusLength: Number(key.slice(4)),
        publicExponent: Uint8Array.of(1, 0, 1),
      }
    : { name: 'ECDSA', namedCurve: key }
  const keys = (await subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
  const pki = new pkijs.Certificate()
  pki.version = 2
  pki.serialNumber = new asn1js.Integer({ value: serial++ })
  const subject = distinguishedName(name)
  pki.subject = subject
  pki.issuer = issuer?.pki.subject ?? subject
  pki.notBefore.value = new Date(notBefore * 1000)
  pki.notAfter.value = new Date(notAfter * 1000)
  pki.extensions = extensionsOf(wanted)
  await pki.subjectPublicKeyInfo.importKey(keys.publicKey, engine)
  const signer = issuer?.keys.privateKey ?? keys.privateKey
  if (hash === 'SHA-1') await signWithSha1(pki, issuer ?? { keys })
  else await pki.sign(signer, hash, engine)
  const curveHash = key === 'P-384' ? 'SHA-384' : key === 'P-521' ? 'SHA-512' : 'SHA-256'
  return {
    pki,
    keys,
    certificate: new Uint8Array(pki.toSchema(true).toBER()),
    privateKey: new Uint8Array(await subtle.exportKey('pkcs8', keys.privateKey)),
    sign: async (data) =>
      new Uint8Array(
        await subtle.sign({ name: algorithm.name, hash: curveHash }, keys.privateKey, new Uint8Array(data)),
      ),
  }
}

/** A revocation list of `issuer` that names these certificates, in DER. */
export async function revocationList(issuer: Issued, revoked: readonly Issued[]): Promise<Uint8Array> {
  const list = new pkijs.CertificateRevocationList()
  list.version = 1
  list.issuer = issuer.pki.subject
  list.thisUpdate = new pkijs.Time({ type: 0, value: new Date((NOW - 3600) * 1000) })
  list.nextUpdate = new pkijs.Time({ type: 0, value: new Date((NOW + 86_400) * 1000) })
  if (revoked.length > 0)
    list.revokedCertificates = revoked.map(
      ({ pki }) =>
        new pkijs.RevokedCertificate({
          userCertificate: pki.serialNumber,
          revocationDate: new pkijs.Time({ type: 0, value: new Date((NOW - 3600) * 1000) }),
        }),
    )
  await list.sign(issuer.keys.privateKey, 'SHA-256', engine)
  return new Uint8Array(list.toSchema(true).toBER())
}

async function signWithSha1(pki: pkijs.Certificate, { keys }: Pick<Issued, 'keys'>): Promise<void> {
  const { subtle } = globalThis.crypto
  pki.signature = new pkijs.AlgorithmIdentifier({ algorithmId: '1.2.840.10045.4.1' })
  pki.signatureAlgorithm = pki.signature
  pki.tbsView = new Uint8Array(pki.encodeTBS().toBER())
  const signature = await subtle.sign({ name: 'ECDSA', hash: 'SHA-1' }, keys.privateKey, new Uint8Array(pki.tbsView))
  pki.signatureValue = new asn1js.BitString({ valueHex: pkijs.createCMSECDSASignature(signature) })
}

function distinguishedName(name: string): pkijs.RelativeDistinguishedNames {
  const part = (type: string, value: string) =>
    new pkijs.AttributeTypeAndValue({ type, value: new asn1js.Utf8String({ value }) })
  return new pkijs.RelativeDistinguishedNames({ typesAndValues: [part('2.5.4.10', 'test'), part('2.5.4.3', name)] })
}

function extensionsOf(wanted: Wanted): pkijs.Extension[] {
  const { authority = false, pathLength, purposes, strange } = wanted
  const extension = (extnID: string, value: asn1js.BaseBlock, critical = false) =>
    new pkijs.Extension({ extnID, critical, extnValue: value.toBER() })
  const usage = wanted.keyUsage ?? (authority ? 0x06 : 0x80)
  const names = alternativeNames(wanted)
  return [
    ...(authority
      ? [
          extension(
            '2.5.29.19',
            new pkijs.BasicConstraints({
              cA: true,
              ...(pathLength === undefined ? {} : { pathLenConstraint: pathLength }),
            }).toSchema(),
            true,
          ),
        ]
      : []),
    extension('2.5.29.15', new asn1js.BitString({ valueHex: Uint8Array.of(usage).buffer, unusedBits: 1 }), true),
    ...(purposes
      ? [
          extension(
            '2.5.29.37',
            new asn1js.Sequence({ value: purposes.map((value) => new asn1js.ObjectIdentifier({ value })) }),
          ),
        ]
      : []),
    ...(names.length > 0 ? [extension('2.5.29.17', new asn1js.Sequence({ value: names }))] : []),
    ...(strange ? [extension('1.2.3.4.5', new asn1js.Null(), true)] : []),
  ]
}

function alternativeNames({ principals = [], upns = [], dnsNames = [] }: Wanted): asn1js.BaseBlock[] {
  const other = (type: string, value: asn1js.BaseBlock) =>
    new asn1js.Constructed({
      idBlock: { tagClass: 3, tagNumber: 0 },
      value: [
        new asn1js.ObjectIdentifier({ value: type }),
        new asn1js.Constructed({ idBlock: { tagClass: 3, tagNumber: 0 }, value: [value] }),
      ],
    })
  return [
    ...principals.map((text) => {
      const principal = parsePrincipal(text)
      const der = encode(Krb5PrincipalName, { realm: principal.realm, principalName: principalNameOf(principal) })
      return other(KRB5_PRINCIPAL_SAN, asn1js.fromBER(new Uint8Array(der)).result)
    }),
    ...upns.map((value) => other('1.3.6.1.4.1.311.20.2.3', new asn1js.Utf8String({ value }))),
    ...dnsNames.map(
      (name) =>
        new asn1js.Primitive({
          idBlock: { tagClass: 3, tagNumber: 2 },
          valueHex: new TextEncoder().encode(name).buffer,
        }),
    ),
  ]
}
