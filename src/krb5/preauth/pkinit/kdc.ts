import { decode, encode } from '../../../asn1/codec.ts'
import { Asn1Error } from '../../../asn1/error.ts'
import { type Certificate, readCertificate } from '../../../cms/certificate.ts'
import type { Identity } from '../../../cms/identity.ts'
import type { Trust } from '../../../cms/path.ts'
import { readSignedData, signData, verifyData } from '../../../cms/signed.ts'
import type { Enctype } from '../../../crypto/enctypes/profile.ts'
import { Key } from '../../../crypto/key.ts'
import type { Random } from '../../../crypto/random.ts'
import { Secrets } from '../../../crypto/secrets.ts'
import { CLOCK_SKEW, type Env, seconds } from '../../env.ts'
import { KrbError } from '../../errors.ts'
import { AuthorizationData, EncryptedData, type PaData } from '../../messages/basics.ts'
import { adTypes, paTypes } from '../../messages/codes.ts'
import {
  AuthPack,
  ExternalPrincipalIdentifiers,
  KdcDhKeyInfo,
  PaPkAsRep,
  PaPkAsReq,
  PKINIT_AUTH_DATA,
  PKINIT_DH_KEY_DATA,
  pkinitKdfs,
  TdDhParameters,
  typedDataTypes,
} from '../../messages/pkinit.ts'
import { formatPrincipal, isAnonymous, type Principal, parsePrincipal, samePrincipal } from '../../names.ts'
import { computed, type KrbExchange } from '../../questions.ts'
import { sealedContribution } from '../../sealed.ts'
import type { KdcPreauth, KdcPreauthState, Verdict } from '../kdc.ts'
import { type AgreementKey, agreementOf, type KeyAgreement, pkinitGroups } from './agreements.ts'
import {
  type ClientPurpose,
  krbErrorOf,
  principalsIn,
  readNames,
  requireClientPurpose,
  upnsIn,
} from './certificates.ts'
import { requireChecksums } from './checksums.ts'
import { FreshnessTokens } from './freshness.ts'
import { kdfOf, replyKeyOf, sharedSessionKey } from './keys.ts'

/** How a KDC lets clients in by certificate. */
export interface PkinitKdcOptions {
  /** The KDC's own certificate and key. */
  readonly identity: Identity
  /** The authorities that clients' certificates come from. */
  readonly trust: Trust
  /** What clients' certificates must be for; `scLogin` unless said: RFC 4556's purpose, or smart card logon. */
  readonly clientPurpose?: ClientPurpose | undefined
  /** Whether a certificate is the client's; unless said, it must name the client as a principal or by a UPN. */
  readonly isOf?: ((certificate: Certificate, client: Principal) => boolean) | undefined
  /** Users whom a certificate could be of where a service shows it in their names (S4U2Self); those that it names unless said. */
  readonly usersOf?: ((certificate: Certificate) => readonly Principal[]) | undefined
  /** Whether nobody in particular may have a ticket (RFC 8062); false unless said. The database must know the name. */
  readonly anonymous?: boolean | undefined
  /** Whether clients must prove that their key is at hand now (RFC 8070); false unless said. */
  readonly requireFreshness?: boolean | undefined
  /** Groups to agree on keys in, best first; {@link pkinitGroups} unless said. */
  readonly groups?: readonly KeyAgreement[] | undefined
  /** What tickets tell services of the proof (RFC 8129). */
  readonly indicators?: readonly string[] | undefined
}

/** PKINIT, the KDC's half (RFC 4556 §3.2.2, §3.2.3). Its KDC answers by promise: see `respond`. */
export function pkinitKdc(options: PkinitKdcOptions): KdcPreauth {
  const tokens = new FreshnessTokens()
  return {
    name: 'PKINIT',
    types: [paTypes.pkAsReq],
    hint({ client, env }) {
      if (isAnonymous(client) && !options.anonymous) return undefined
      return {
        padata: [
          { padataType: paTypes.pkAsReq, padataValue: new Uint8Array(0) },
          ...(options.anonymous ? [{ padataType: paTypes.pkinitKx, padataValue: new Uint8Array(0) }] : []),
          { padataType: paTypes.asFreshness, padataValue: tokens.issue(env) },
        ],
      }
    },
    check: (proof, state) => new Check(options, tokens, state).run(proof),
    usersOf: (der) => usersOf(der, options),
  }
}

/** One proof at its judge's. */
class Check {
  readonly #options: PkinitKdcOptions
  readonly #tokens: FreshnessTokens
  readonly #state: KdcPreauthState

  constructor(options: PkinitKdcOptions, tokens: FreshnessTokens, state: KdcPreauthState) {
    this.#options = options
    this.#tokens = tokens
    this.#state = state
  }

  *run({ padataValue }: PaData): KrbExchange<Verdict> {
    const { groups = pkinitGroups } = this.#options
    const { signedAuthPack } = decode(PaPkAsReq, padataValue)
    const { content, path } = yield* this.#opened(signedAuthPack)
    const pack = decode(AuthPack, content)
    this.#requireFresh(pack, path === undefined)
    if (!pack.clientPublicValue)
      throw new KrbError('KDC_ERR_PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED', 'keys are agreed on here, not encrypted')
    const { algorithm, subjectPublicKey } = pack.clientPublicValue
    const group = groupOf(algorithm, groups)
    if (!group) return refusedGroup(groups)
    using keys = new Secrets()
    const { key, secret } = agreed(group, subjectPublicKey.octets, this.#state.env.random, keys)
    try {
      return yield* this.#verdict(pack, key, secret, path)
    } finally {
      secret.fill(0)
    }
  }

  /** The AuthPack, and the path of whoever signed it; no path for nobody in particular. */
  *#opened(signed: Uint8Array): KrbExchange<{ readonly content: Uint8Array; readonly path?: readonly Certificate[] }> {
    const { client, env, body } = this.#state
    const { trust, clientPurpose = 'scLogin', isOf = isNamed } = this.#options
    try {
      if (body.value.kdcOptions.has('requestAnonymous') && isAnonymous(client)) return this.#unsigned(signed)
      const verified = yield* computed("verify the client's signature", () =>
        verifyData(signed, PKINIT_AUTH_DATA, trust, seconds(env.now())),
      )
      const [certificate] = verified.path
      requireClientPurpose(certificate!, clientPurpose)
      if (isOf(certificate!, client)) return verified
    } catch (error) {
      throw krbErrorOf(error, 'the signed AuthPack')
    }
    throw new KrbError('KDC_ERR_CLIENT_NAME_MISMATCH', `the certificate is not that of ${formatPrincipal(client)}`)
  }

  #unsigned(data: Uint8Array): { readonly content: Uint8Array } {
    if (!this.#options.anonymous) throw new KrbError('KDC_ERR_POLICY', 'nobody stays anonymous here')
    const { contentType, content, signed } = readSignedData(data)
    if (signed || contentType !== PKINIT_AUTH_DATA)
      throw new KrbError('KDC_ERR_PREAUTH_FAILED', 'the AuthPack of an anonymous client is not signed')
    return { content }
  }

  #requireFresh({ pkAuthenticator }: AuthPack, anonymous: boolean): void {
    const { env, body } = this.#state
    const { ctime, cusec, freshnessToken } = pkAuthenticator
    if (Math.abs(ctime * 1e6 + cusec - env.now()) > CLOCK_SKEW)
      throw new KrbError('KRB_AP_ERR_SKEW', 'the AuthPack is not of now')
    requireChecksums(pkAuthenticator, body.der)
    if (freshnessToken) this.#tokens.require(freshnessToken, env)
    else if (this.#options.requireFreshness && !anonymous)
      throw new KrbError('KDC_ERR_PREAUTH_FAILED', 'a freshness token is required')
  }

  *#verdict(
    pack: AuthPack,
    key: AgreementKey,
    secret: Uint8Array,
    path: readonly Certificate[] | undefined,
  ): KrbExchange<Verdict> {
    const { env, body, request, secrets } = this.#state
    const { identity, indicators } = this.#options
    const enctype = body.value.etype.flatMap((id) => env.enctypes.find((candidate) => candidate.id === id) ?? [])[0]
    if (!enctype) throw new KrbError('KDC_ERR_ETYPE_NOSUPP', 'no enctype of the request is spoken here')
    const content = encode(KdcDhKeyInfo, {
      subjectPublicKey: { octets: key.publicKey, unusedBits: 0 },
      nonce: pack.pkAuthenticator.nonce,
    })
    const dhSignedData = yield* signed(content, identity)
    const kdf = pack.supportedKDFs?.flatMap(({ kdfId }) => kdfOf(kdfId) ?? [])[0]
    const value = { dhSignedData, ...(kdf ? { kdf: { kdfId: pkinitKdfs[kdf] } } : {}) }
    const reply = encode(PaPkAsRep, { kind: 'dhInfo', value })
    const replyKey = secrets.keep(replyKeyOf(secret, { enctype, kdf, body: body.value, request, reply }))
    return {
      kind: 'verified',
      key: replyKey,
      contribute: (sessionEnctype) => contribution(sessionEnctype, replyKey, env),
      padata: [{ padataType: paTypes.pkAsRep, padataValue: reply }],
      indicators,
      ...(path
        ? { authorizationData: verifiedAuthorities(path), until: Math.min(...path.map(({ notAfter }) => notAfter)) }
        : { anonymous: true }),
    }
  }
}

/** KDCDHKeyInfo, signed. Whatever keeps the key from signing is no fault of the client's. */
function* signed(content: Uint8Array, identity: Identity): KrbExchange<Uint8Array> {
  try {
    return yield* computed('sign the PKINIT reply', () =>
      signData({ contentType: PKINIT_DH_KEY_DATA, content }, identity),
    )
  } catch (cause) {
    throw new KrbError('KDC_ERR_SVC_UNAVAILABLE', 'the KDC cannot sign its reply', { cause })
  }
}

/** A session key that the client has a share in, and ours sealed for it: PA-PKINIT-KX (RFC 8062 §7). */
function contribution(
  enctype: Enctype,
  replyKey: Key,
  env: Env,
): { readonly sessionKey: Key; readonly padata: PaData } {
  using share = Key.generate(enctype, env.random)
  const sealed = sealedContribution.seal(replyKey, { keytype: enctype.id, keyvalue: share.octets() }, env)
  return {
    sessionKey: sharedSessionKey(share, replyKey),
    padata: { padataType: paTypes.pkinitKx, padataValue: encode(EncryptedData, sealed) },
  }
}

/** Whether the certificate names the client. */
const isNamed = (certificate: Certificate, client: Principal): boolean =>
  namedIn(certificate).some((principal) => samePrincipal(principal, client))

/** Whom the certificate names: as a principal (RFC 4556 §3.2.2), or by a UPN (MS-PKCA §3.1.5.2.1.1). */
const namedIn = (certificate: Certificate): readonly Principal[] =>
  readNames(() => {
    const upns = upnsIn(certificate).flatMap((upn) => (/^[^@\0]+@[^@\0]+$/.test(upn) ? [parsePrincipal(upn)] : []))
    return [...principalsIn(certificate), ...upns]
  })

/** No authority has to vouch for it: the service that shows it could name anybody as well. */
function usersOf(der: Uint8Array, { isOf, usersOf: named = namedIn }: PkinitKdcOptions): readonly Principal[] {
  try {
    const certificate = readCertificate(der)
    return named(certificate).filter((user) => isOf?.(certificate, user) ?? true)
  } catch (error) {
    throw krbErrorOf(error, 'the certificate of the user')
  }
}

/** AD-INITIAL-VERIFIED-CAS: who vouched for the client, in AD-IF-RELEVANT as they were found good (RFC 4556 §3.2.2). */
function verifiedAuthorities(path: readonly Certificate[]): AuthorizationData {
  const adData = encode(
    ExternalPrincipalIdentifiers,
    path.slice(1).map(({ subjectName, issuerAndSerialNumber, subjectKeyIdentifier }) => ({
      subjectName,
      issuerAndSerialNumber,
      ...(subjectKeyIdentifier ? { subjectKeyIdentifier } : {}),
    })),
  )
  const inner = encode(AuthorizationData, [{ adType: adTypes.initialVerifiedCas, adData }])
  return [{ adType: adTypes.ifRelevant, adData: inner }]
}

/** The group that the client wants; undefined for one that is not taken, weak ones above all. */
function groupOf(algorithm: Parameters<typeof agreementOf>[0], groups: readonly KeyAgreement[]) {
  try {
    return agreementOf(algorithm, groups)
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof Asn1Error)) throw error
    return undefined
  }
}

/** Refused with what would be taken: TD-DH-PARAMETERS (RFC 4556 §3.2.2). */
function refusedGroup(groups: readonly KeyAgreement[]): Verdict {
  const names = groups.map(({ name }) => name).join(', ')
  const dataValue = encode(
    TdDhParameters,
    groups.map(({ algorithm }) => algorithm),
  )
  return {
    kind: 'refused',
    error: new KrbError('KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED', `taken are ${names}`),
    typedData: [{ dataType: typedDataTypes.dhParameters, dataValue }],
  }
}

/** Keys that are tried for a secret of which all clients make the same key: one in 256 needs a second one. */
const MOST_KEYS = 4

/**
 * A key pair of ours and the secret that it gives with the client's. One that begins with a zero octet is not taken: of it
 * Heimdal's clients, Samba's too, make another reply key than everybody else (heimdal/heimdal#1177).
 */
function agreed(group: KeyAgreement, peer: Uint8Array, random: Random, keys: Secrets) {
  for (let tried = 1; ; tried++) {
    const key = keys.keep(group.begin(random))
    const secret = agree(key, peer)
    if (secret[0] !== 0 || tried === MOST_KEYS) return { key, secret }
    secret.fill(0)
  }
}

function agree(key: AgreementKey, peer: Uint8Array): Uint8Array {
  try {
    return key.agree(peer)
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new KrbError('KDC_ERR_PREAUTH_FAILED', `the client's public value: ${cause.message}`, { cause })
  }
}
