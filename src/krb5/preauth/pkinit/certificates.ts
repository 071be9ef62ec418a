/** What certificates of KDCs and of clients must say (RFC 4556 §3.2.2, §3.2.4; MS-PKCA §3.1.5.2.1). @module */
import { decode } from '../../../asn1/codec.ts'
import { Asn1Error } from '../../../asn1/error.ts'
import { utf8String } from '../../../asn1/primitives.ts'
import type { Certificate } from '../../../cms/certificate.ts'
import { CmsError, type CmsFault } from '../../../cms/error.ts'
import type { KrbErrorCode } from '../../errorcodes.ts'
import { KrbError } from '../../errors.ts'
import { KRB5_PRINCIPAL_SAN, Krb5PrincipalName, pkinitPurposes, UPN_SAN } from '../../messages/pkinit.ts'
import { formatPrincipal, type Principal, principalOf, samePrincipal, ticketGrantingService } from '../../names.ts'

/** Which purpose a KDC's certificate must have: RFC 4556's, or that of TLS servers as well, or none (MIT's pkinit_eku_checking). */
export type KdcPurpose = 'kpKDC' | 'kpServerAuth' | 'none'
/** Which purpose a client's certificate must have: RFC 4556's, or Microsoft's smart card logon as well, or none. */
export type ClientPurpose = 'kpClientAuth' | 'scLogin' | 'none'

const kdcPurposes: Readonly<Record<KdcPurpose, readonly string[] | undefined>> = {
  kpKDC: [pkinitPurposes.kdc],
  kpServerAuth: [pkinitPurposes.kdc, pkinitPurposes.serverAuth],
  none: undefined,
}
const clientPurposes: Readonly<Record<ClientPurpose, readonly string[] | undefined>> = {
  kpClientAuth: [pkinitPurposes.client],
  scLogin: [pkinitPurposes.client, pkinitPurposes.smartcardLogon],
  none: undefined,
}

/** Principals that the certificate names (id-pkinit-san). Throws Asn1Error. */
export const principalsIn = ({ otherNames }: Certificate): readonly Principal[] =>
  otherNames
    .filter(({ type }) => type === KRB5_PRINCIPAL_SAN)
    .map(({ value }) => {
      const { realm, principalName } = decode(Krb5PrincipalName, value)
      return principalOf(principalName, realm)
    })

/** User principal names in the certificate, as `alice@corp.example`. Throws Asn1Error. */
export const upnsIn = ({ otherNames }: Certificate): readonly string[] =>
  otherNames.filter(({ type }) => type === UPN_SAN).map(({ value }) => decode(utf8String, value))

/** How a KDC's certificate is known. */
export interface KdcNames {
  readonly realm: string
  /** DNS names that will do where the certificate does not name the realm's ticket-granting service. */
  readonly hostnames: readonly string[]
  readonly purpose: KdcPurpose
}

/**
 * Holds a KDC's certificate, whose path is good, against the realm (RFC 4556 §3.2.4). Throws KrbError
 * KDC_ERR_INCONSISTENT_KEY_PURPOSE and KDC_ERR_KDC_NAME_MISMATCH.
 */
export function requireKdcCertificate(certificate: Certificate, { realm, hostnames, purpose }: KdcNames): void {
  requirePurpose(certificate, kdcPurposes[purpose], 'a KDC')
  const service = ticketGrantingService(realm)
  if (readNames(() => principalsIn(certificate)).some((principal) => samePrincipal(principal, service))) return
  const wanted = hostnames.map((name) => name.toLowerCase())
  if (certificate.dnsNames.some((name) => wanted.includes(name.toLowerCase()))) return
  throw new KrbError(
    'KDC_ERR_KDC_NAME_MISMATCH',
    `the KDC's certificate (${certificate.subject}) does not name ${formatPrincipal(service)}`,
    { realm, hint: 'if it is the right one, say its DNS name (pkinit_kdc_hostname)' },
  )
}

/** Holds the purposes of a client's certificate against the KDC's policy. Throws KrbError KDC_ERR_INCONSISTENT_KEY_PURPOSE. */
export const requireClientPurpose = (certificate: Certificate, purpose: ClientPurpose): void =>
  requirePurpose(certificate, clientPurposes[purpose], 'PKINIT clients')

function requirePurpose(
  { subject, keyUsage, extendedKeyUsage = [] }: Certificate,
  wanted: readonly string[] | undefined,
  whom: string,
): void {
  const signs = keyUsage?.has('digitalSignature') ?? true
  if (signs && (!wanted || extendedKeyUsage.some((purpose) => wanted.includes(purpose)))) return
  throw new KrbError('KDC_ERR_INCONSISTENT_KEY_PURPOSE', `the certificate of ${subject} is not for ${whom}`)
}

/** Names in a certificate as `read` finds them; KrbError KDC_ERR_INVALID_CERTIFICATE when they cannot be read. */
export function readNames<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!(cause instanceof Asn1Error)) throw cause
    throw new KrbError('KDC_ERR_INVALID_CERTIFICATE', `the names in the certificate cannot be read`, { cause })
  }
}

const codes: Readonly<Record<CmsFault, KrbErrorCode>> = {
  malformed: 'KDC_ERR_INVALID_CERTIFICATE',
  signature: 'KDC_ERR_INVALID_SIG',
  untrusted: 'KDC_ERR_CANT_VERIFY_CERTIFICATE',
  expired: 'KDC_ERR_INVALID_CERTIFICATE',
  revoked: 'KDC_ERR_REVOKED_CERTIFICATE',
  'revocation-unknown': 'KDC_ERR_REVOCATION_STATUS_UNKNOWN',
  content: 'KDC_ERR_INVALID_SIG',
  unsupported: 'KDC_ERR_DIGEST_IN_SIGNED_DATA_NOT_ACCEPTED',
  password: 'KRB_ERR_GENERIC',
}

/** The KrbError that a CmsError amounts to (RFC 4556 §3.2.2), with `overrides` for faults that mean something else here; any other error as it is. */
export function krbErrorOf(
  error: unknown,
  whose: string,
  overrides: Partial<Record<CmsFault, KrbErrorCode>> = {},
): unknown {
  if (!(error instanceof CmsError)) return error
  return new KrbError(overrides[error.fault] ?? codes[error.fault], `${whose}: ${error.message}`, { cause: error })
}
