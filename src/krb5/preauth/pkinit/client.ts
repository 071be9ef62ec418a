import { decode, encode } from '../../../asn1/codec.ts'
import type { Identity } from '../../../cms/identity.ts'
import { acceptedAlgorithms } from '../../../cms/oids.ts'
import type { Trust } from '../../../cms/path.ts'
import { signData, verifyData, wrapUnsigned } from '../../../cms/signed.ts'
import type { Key } from '../../../crypto/key.ts'
import { Secrets } from '../../../crypto/secrets.ts'
import { seconds, timestamp } from '../../env.ts'
import { KrbError } from '../../errors.ts'
import { EncryptedData, type PaData } from '../../messages/basics.ts'
import { paTypes } from '../../messages/codes.ts'
import type { KdcRep } from '../../messages/kdc.ts'
import {
  AuthPack,
  type DhRepInfo,
  KdcDhKeyInfo,
  PaPkAsRep,
  PaPkAsReq,
  PKINIT_AUTH_DATA,
  PKINIT_DH_KEY_DATA,
  pkinitKdfs,
  TdDhParameters,
  typedDataTypes,
} from '../../messages/pkinit.ts'
import { formatPrincipal, isAnonymous } from '../../names.ts'
import { computed, type KrbExchange } from '../../questions.ts'
import { keyOf, readable, requireEnctype } from '../../reading.ts'
import { sealedContribution } from '../../sealed.ts'
import type { LoginState, Preauth, PreauthRun } from '../mechanism.ts'
import { type AgreementKey, agreementOf, type KeyAgreement, pkinitGroups } from './agreements.ts'
import { type KdcPurpose, krbErrorOf, requireKdcCertificate } from './certificates.ts'
import { checksumsOf } from './checksums.ts'
import { kdfOf, kdfs, replyKeyOf, sharedSessionKey } from './keys.ts'

/** How to log in without a certificate: whom to believe, and what the KDC's certificate must say. */
export interface AnonymousPkinitOptions {
  /** The authorities that KDCs' certificates come from. */
  readonly trust: Trust
  /** DNS names of the realm's KDCs, for certificates that do not name the realm (pkinit_kdc_hostname). */
  readonly kdcHostnames?: readonly string[] | undefined
  /** What KDCs' certificates must be for; `kpKDC` unless said (pkinit_eku_checking). */
  readonly kdcPurpose?: KdcPurpose | undefined
  /** Groups to agree on keys in, the first one to try first; {@link pkinitGroups} unless said. */
  readonly groups?: readonly KeyAgreement[] | undefined
}

/** How to log in with a certificate. */
export interface PkinitOptions extends AnonymousPkinitOptions {
  readonly identity: Identity
}

/** PKINIT: the client proves itself with a certificate, the KDC too (RFC 4556, RFC 8636, RFC 8070). */
export const pkinit = ({ identity, ...options }: PkinitOptions): Preauth => mechanism('PKINIT', options, identity)

/** Anonymous PKINIT: only the KDC proves itself (RFC 8062 §4). For `WELLKNOWN/ANONYMOUS` alone, which it asks for itself. */
export const anonymousPkinit = (options: AnonymousPkinitOptions): Preauth => mechanism('anonymous PKINIT', options)

function mechanism(name: string, options: AnonymousPkinitOptions, identity?: Identity): Preauth {
  return {
    name,
    types: [paTypes.pkAsReq],
    announced: [{ padataType: paTypes.asFreshness, padataValue: new Uint8Array(0) }],
    fallible: true,
    begin: (login) =>
      isAnonymous(login.client) === (identity === undefined) ? new Run(login, options, identity) : undefined,
  }
}

/** What the last request was made with. */
interface Sent {
  readonly key: AgreementKey
  readonly nonce: number
}

class Run implements PreauthRun {
  readonly #login: LoginState
  readonly #options: AnonymousPkinitOptions
  readonly #identity: Identity | undefined
  readonly #secrets = new Secrets()
  readonly #groups: readonly KeyAgreement[]
  #group: KeyAgreement
  /** Groups that the KDC refused. */
  readonly #refused = new Set<KeyAgreement>()
  #sent: Sent | undefined
  #replyKey: Key | undefined
  #doubtful = false

  constructor(login: LoginState, options: AnonymousPkinitOptions, identity: Identity | undefined) {
    const { groups = pkinitGroups } = options
    const [first] = groups
    if (!first) throw new TypeError('PKINIT wants at least one Diffie-Hellman group')
    this.#login = login
    this.#options = options
    this.#identity = identity
    this.#groups = groups
    this.#group = first
  }

  /** Heimdal's KDC, and Samba's, makes another key of secrets that begin with a zero octet (heimdal/heimdal#1177). */
  get doubtful(): boolean {
    return this.#doubtful
  }

  *answer(offered: readonly PaData[]): KrbExchange<readonly PaData[] | undefined> {
    if (offered.length > 0 && !offered.some(({ padataType }) => padataType === paTypes.pkAsReq)) return undefined
    const { env, body } = this.#login
    // MIT's KDC echoes the nonce of the body, Heimdal's that of the AuthPack: one for both
    const { nonce } = body.value
    const key = this.#secrets.keep(this.#group.begin(env.random))
    this.#sent = { key, nonce }
    const { time, micros } = timestamp(env)
    const freshnessToken = offered.find(({ padataType }) => padataType === paTypes.asFreshness)?.padataValue
    const content = encode(AuthPack, {
      pkAuthenticator: {
        cusec: micros,
        ctime: time,
        nonce,
        ...checksumsOf(body.der, freshnessToken !== undefined),
        ...(freshnessToken?.length ? { freshnessToken } : {}),
      },
      clientPublicValue: {
        algorithm: this.#group.algorithm,
        subjectPublicKey: { octets: key.publicKey, unusedBits: 0 },
      },
      supportedCMSTypes: acceptedAlgorithms.map((algorithm) => ({ algorithm })),
      supportedKDFs: kdfs.map((kdf) => ({ kdfId: pkinitKdfs[kdf] })),
    })
    const signedAuthPack = yield* this.#sign(content)
    return [
      { padataType: paTypes.pkAsReq, padataValue: encode(PaPkAsReq, { signedAuthPack }) },
      // MIT tells others by it that PKINIT failed, and no more why
      ...(this.#identity ? [] : [{ padataType: paTypes.pkinitKx, padataValue: new Uint8Array(0) }]),
    ]
  }

  /** Another group, where the KDC did not take ours and says which it would (RFC 4556 §3.2.2). */
  retry(refusal: KrbError, data: readonly PaData[]): boolean {
    if (refusal.code !== 'KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED') return false
    this.#refused.add(this.#group)
    const told = data.find(({ padataType }) => padataType === typedDataTypes.dhParameters)
    const taken = told
      ? readable(() => decode(TdDhParameters, told.padataValue), { step: 'AS-REQ' }).flatMap(
          (algorithm) => this.#ours(algorithm) ?? [],
        )
      : []
    const next = taken.find((group) => !this.#refused.has(group))
    if (next) this.#group = next
    return next !== undefined
  }

  /** The group of ours that the KDC names: it may well name others, and weak ones. */
  #ours(algorithm: Parameters<typeof agreementOf>[0]): KeyAgreement | undefined {
    try {
      return agreementOf(algorithm, this.#groups)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      return undefined
    }
  }

  *#sign(content: Uint8Array): KrbExchange<Uint8Array> {
    const data = { contentType: PKINIT_AUTH_DATA, content }
    const identity = this.#identity
    if (!identity) return wrapUnsigned(data)
    try {
      return yield* computed('sign the AuthPack', () => signData(data, identity))
    } catch (error) {
      throw krbErrorOf(error, `the certificate of ${formatPrincipal(this.#login.client)}`)
    }
  }

  *replyKey(reply: KdcRep, request: Uint8Array): KrbExchange<Key> {
    const { env, body, client } = this.#login
    const origin = { step: 'AS-REQ', realm: client.realm }
    const sent = this.#sent
    const padata = reply.padata?.find(({ padataType }) => padataType === paTypes.pkAsRep)
    if (!sent || !padata) throw new KrbError('REPLY_MODIFIED', 'the KDC did not answer our PKINIT request', origin)
    const { kind, value } = readable(() => decode(PaPkAsRep, padata.padataValue), origin)
    if (kind === 'encKeyPack')
      throw new KrbError(
        'KDC_ERR_PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED',
        'the KDC encrypted the key for us instead of agreeing on one, which was not asked for',
        origin,
      )
    const info = yield* this.#verified(value)
    const { subjectPublicKey, nonce, dhKeyExpiration } = readable(() => decode(KdcDhKeyInfo, info), origin)
    if (dhKeyExpiration !== undefined || value.serverDHNonce)
      throw new KrbError('REPLY_MODIFIED', 'the KDC used a Diffie-Hellman key again, which we did not allow', origin)
    if (nonce !== sent.nonce) throw new KrbError('REPLY_MODIFIED', 'another nonce in the signed PKINIT reply', origin)
    const kdf = value.kdf && kdfOf(value.kdf.kdfId)
    if (value.kdf && !kdf)
      throw new KrbError('REPLY_MODIFIED', `the key derivation ${value.kdf.kdfId} was not offered`, origin)
    const enctype = requireEnctype(reply.encPart.etype, env, origin, 'reply')
    const secret = this.#agree(sent.key, subjectPublicKey.octets)
    this.#doubtful = secret[0] === 0
    try {
      const context = { enctype, kdf, body: body.value, request, reply: padata.padataValue }
      this.#replyKey = this.#secrets.keep(replyKeyOf(secret, context))
      return this.#replyKey
    } finally {
      secret.fill(0)
    }
  }

  /**
   * Whether the session key is one that we have a share in: for nobody in particular it must be, as the ticket is to
   * protect channels (RFC 8062 §7); for others it need not.
   */
  confirm({ padata }: KdcRep, sessionKey: Key): void {
    const origin = { step: 'AS-REQ', realm: this.#login.client.realm }
    const sealed = padata?.find(({ padataType }) => padataType === paTypes.pkinitKx)
    if (!sealed && this.#identity) return
    if (!sealed) throw new KrbError('REPLY_MODIFIED', 'the session key is the choice of the KDC alone', origin)
    const share = readable(
      () => sealedContribution.open(this.#replyKey!, decode(EncryptedData, sealed.padataValue), 'REPLY_MODIFIED'),
      origin,
    )
    using contribution = keyOf(share, this.#login.env, origin, 'contribution of the KDC')
    using shared = sharedSessionKey(contribution, this.#replyKey!)
    if (!shared.equals(sessionKey))
      throw new KrbError('REPLY_MODIFIED', 'the session key is not the one that both sides contributed to', origin)
  }

  /** What the KDC signed, once its signature and its certificate hold. */
  *#verified({ dhSignedData }: DhRepInfo): KrbExchange<Uint8Array> {
    const { env, client } = this.#login
    const { trust, kdcHostnames: hostnames = [], kdcPurpose: purpose = 'kpKDC' } = this.#options
    const at = seconds(env.now())
    try {
      const { content, path } = yield* computed("verify the KDC's signature", () =>
        verifyData(dhSignedData, PKINIT_DH_KEY_DATA, trust, at),
      )
      requireKdcCertificate(path[0]!, { realm: client.realm, hostnames, purpose })
      return content
    } catch (error) {
      throw krbErrorOf(error, "the KDC's signed reply", {
        malformed: 'REPLY_MALFORMED',
        untrusted: 'KDC_ERR_KDC_NOT_TRUSTED',
        expired: 'KDC_ERR_KDC_NOT_TRUSTED',
      })
    }
  }

  #agree(key: AgreementKey, peer: Uint8Array): Uint8Array {
    const origin = { step: 'AS-REQ', realm: this.#login.client.realm }
    try {
      return readable(() => key.agree(peer), origin)
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause
      throw new KrbError('REPLY_MODIFIED', `the KDC's public value: ${cause.message}`, { ...origin, cause })
    }
  }

  [Symbol.dispose](): void {
    this.#secrets[Symbol.dispose]()
  }
}
