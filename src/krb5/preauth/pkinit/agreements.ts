/** The Diffie-Hellman groups that PKINIT agrees on keys in (RFC 4556 §3.2.1, RFC 5349 §3). @module */
import { decode, encode } from '../../../asn1/codec.ts'
import { objectIdentifier } from '../../../asn1/primitives.ts'
import { equal, fromHex, toHex } from '../../../bytes/index.ts'
import { type NistCurve, nistCurves } from '../../../crypto/groups/elliptic.ts'
import { type ModpGroup, modpGroupOf, modpGroups } from '../../../crypto/groups/modp.ts'
import type { Random } from '../../../crypto/random.ts'
import { type AlgorithmIdentifier, BigInteger, DomainParameters, keyAgreements } from '../../messages/pkinit.ts'

/** A group as PKINIT puts it into messages. */
export interface KeyAgreement {
  readonly name: string
  /** How SubjectPublicKeyInfo and TD-DH-PARAMETERS name it. */
  readonly algorithm: AlgorithmIdentifier
  /** A fresh key pair, for one exchange. */
  begin(random: Random): AgreementKey
}

/** One side's key pair; disposing of it wipes the private key. */
export interface AgreementKey extends Disposable {
  /** The contents of the subjectPublicKey BIT STRING (RFC 3279 §2.3.3, RFC 5480 §2.2). */
  readonly publicKey: Uint8Array
  /**
   * DHSharedSecret of RFC 4556 §3.2.3.1 (RFC 5349 §3 for curves), the caller's to wipe. `peer` is as in `publicKey`.
   * Throws Asn1Error when it cannot be read, RangeError when it is not an element of the group.
   */
  agree(peer: Uint8Array): Uint8Array
}

const curveOids: Readonly<Record<NistCurve['name'], string>> = {
  'P-256': '1.2.840.10045.3.1.7',
  'P-384': '1.3.132.0.34',
  'P-521': '1.3.132.0.35',
}

function groupName(number: number): string {
  return `group ${number}`
}

/** All of them: what everybody speaks first, then the curves, then the group that takes longest. */
export const pkinitGroups: readonly KeyAgreement[] = [
  modp(modpGroups[0]!),
  ...nistCurves.map(ecdh),
  ...modpGroups.slice(1).map(modp),
]

/** From the weakest to the strongest, as MIT reckons (krb5.conf(5), pkinit_dh_min_bits). */
const byStrength = ['group 14', 'P-256', 'group 16', 'P-384', 'P-521']
/** The weakest group that each value of pkinit_dh_min_bits lets in; nothing lets in group 2, of 1024 bits. */
const weakest = { 1024: 'group 14', 2048: 'group 14', 4096: 'group 16' } as const

/** The groups that are no weaker than pkinit_dh_min_bits says. */
export function groupsFrom(minimum: keyof typeof weakest | NistCurve['name']): readonly KeyAgreement[] {
  const from = byStrength.indexOf(typeof minimum === 'number' ? weakest[minimum] : minimum)
  return pkinitGroups.filter(({ name }) => byStrength.indexOf(name) >= from)
}

/**
 * The group of `allowed` that a peer names; undefined when it is not among them. Throws Asn1Error when the parameters
 * cannot be read, and RangeError, which says why, for groups that are nobody's or too weak.
 */
export function agreementOf(
  { algorithm, parameters }: AlgorithmIdentifier,
  allowed: readonly KeyAgreement[],
): KeyAgreement | undefined {
  if (!parameters) return undefined
  if (algorithm === keyAgreements.modp) {
    // q and what follows it are the sender's own reckoning: the group is known by the prime
    const { p, g } = decode(DomainParameters, parameters)
    const { number } = modpGroupOf(p, g)
    return allowed.find(({ name }) => name === groupName(number))
  }
  return allowed.find(
    (group) => group.algorithm.algorithm === algorithm && equal(group.algorithm.parameters!, parameters),
  )
}

function modp(group: ModpGroup): KeyAgreement {
  const { prime: p, generator: g, order: q } = group
  return {
    name: groupName(group.number),
    algorithm: { algorithm: keyAgreements.modp, parameters: encode(DomainParameters, { p, g, q }) },
    begin(random) {
      const pair = group.keyPair(random)
      return {
        publicKey: encode(BigInteger, numberOf(pair.publicKey)),
        agree: (peer) => group.sharedSecret(pair.privateKey, octetsOf(decode(BigInteger, peer))),
        [Symbol.dispose]: () => pair[Symbol.dispose](),
      }
    },
  }
}

function ecdh(curve: NistCurve): KeyAgreement {
  return {
    name: curve.name,
    algorithm: { algorithm: keyAgreements.ecdh, parameters: encode(objectIdentifier, curveOids[curve.name]) },
    begin(random) {
      const pair = curve.keyPair(random)
      return {
        publicKey: pair.publicKey,
        agree: (peer) => curve.sharedSecret(pair.privateKey, peer),
        [Symbol.dispose]: () => pair[Symbol.dispose](),
      }
    },
  }
}

const numberOf = (octets: Uint8Array): bigint => BigInt(`0x${toHex(octets)}`)
const octetsOf = (number: bigint): Uint8Array => fromHex(evenDigits(number.toString(16)))
const evenDigits = (digits: string) => (digits.length % 2 ? `0${digits}` : digits)
