/** Certification paths (RFC 5280 §6): found by our own bounded search, since pkijs follows two CAs that signed each other for ever. @module */
import {
  type BasicConstraints,
  CertificateChainValidationEngine,
  CertificateRevocationList,
  type CryptoEngine,
  type NameConstraints,
  type Certificate as PkiCertificate,
} from 'pkijs'
import { equal } from '../bytes/index.ts'
import { type Certificate, certificateOf, pkiCertificate } from './certificate.ts'
import { guarded, readBer, webCryptoEngine } from './engine.ts'
import { CmsError } from './error.ts'
import { extensions, signatures } from './oids.ts'

/** Whom to believe: everything as DER. */
export interface Trust {
  /** Certificates that are believed as they are. */
  readonly anchors: readonly Uint8Array[]
  /** Certificates that may stand between a certificate and an anchor. */
  readonly intermediates?: readonly Uint8Array[] | undefined
  /** Certificate revocation lists (RFC 5280 §5). */
  readonly revocationLists?: readonly Uint8Array[] | undefined
  /** Refuse certificates that no current list tells of; false unless said. */
  readonly requireRevocationCheck?: boolean | undefined
}

/** Most certificates that are looked at, longest path that is followed, and most signatures that are checked for one. */
const MAX_CERTIFICATES = 32
const MAX_PATH = 8
const MAX_SIGNATURES = 32
/** Weakest RSA key that is believed, in bits. */
const MIN_RSA_BITS = 2048

/** The result code with which pkijs tells of a revoked certificate, and the one for want of a list. */
const REVOKED = 12
const NO_LIST = 11

/** A certificate in both of its forms. */
interface Link {
  readonly pki: PkiCertificate
  readonly certificate: Certificate
}

const linkOf = (der: Uint8Array): Link => {
  const pki = pkiCertificate(der)
  return { pki, certificate: certificateOf(pki) }
}

/**
 * The path from `leaf` to an anchor, both in it, each certificate valid `at` seconds since the epoch (RFC 5280 §6.1).
 * Throws CmsError: `untrusted`, `expired`, `revoked`, `revocation-unknown`, `unsupported` or `malformed`.
 */
export function verifyPath(leaf: Uint8Array, trust: Trust, at: number): Promise<readonly Certificate[]> {
  return guarded('the certificates', () => findPath(leaf, trust, at))
}

async function findPath(leaf: Uint8Array, trust: Trust, at: number): Promise<readonly Certificate[]> {
  const { anchors, intermediates = [] } = trust
  if (intermediates.length > MAX_CERTIFICATES)
    throw new CmsError('unsupported', `${intermediates.length} certificates are more than ${MAX_CERTIFICATES}`)
  const engine = webCryptoEngine()
  const search: Search = {
    anchors: anchors.map(linkOf),
    others: intermediates.map(linkOf),
    engine,
    signatures: 0,
    refusal: undefined,
    accept: (path) => validatePath(path, trust, at, engine),
  }
  const path = await extend([linkOf(leaf)], search)
  if (path) return path.map(({ certificate }) => certificate)
  const { subject, issuer } = linkOf(leaf).certificate
  throw (
    search.refusal ??
    new CmsError('untrusted', `no trusted authority issued the certificate of ${subject} (issuer: ${issuer})`)
  )
}

interface Search {
  readonly anchors: readonly Link[]
  readonly others: readonly Link[]
  readonly engine: CryptoEngine
  signatures: number
  /** Why the path that came furthest was not taken. */
  refusal: CmsError | undefined
  /** Throws CmsError for a path that leads to an anchor and may not be taken all the same. */
  accept(path: readonly Link[]): Promise<void>
}

const same = (a: Link, b: Link) => equal(a.certificate.der, b.certificate.der)

/** The first path that begins like `path` and is accepted; undefined when there is none. */
async function extend(path: readonly Link[], search: Search): Promise<readonly Link[] | undefined> {
  const last = path.at(-1)!
  if (search.anchors.some((anchor) => same(anchor, last))) {
    try {
      await search.accept(path)
      return path
    } catch (error) {
      if (!(error instanceof CmsError)) throw error
      search.refusal = error
      return undefined
    }
  }
  if (path.length >= MAX_PATH) return undefined
  for (const issuer of [...search.anchors, ...search.others]) {
    if (path.some((link) => same(link, issuer)) || !last.pki.issuer.isEqual(issuer.pki.subject)) continue
    if (!(await isSigned(last, issuer, search))) continue
    const found = await extend([...path, issuer], search)
    if (found) return found
  }
  return undefined
}

async function isSigned(link: Link, issuer: Link, search: Search): Promise<boolean> {
  if (search.signatures++ >= MAX_SIGNATURES)
    throw new CmsError('untrusted', `no path was found within ${MAX_SIGNATURES} signatures`)
  try {
    return await link.pki.verify(issuer.pki, search.engine)
  } catch {
    // a key that the algorithm does not fit is not the issuer's
    return false
  }
}

/** Holds a path of good signatures against RFC 5280 §6.1: our checks first, then those of pkijs. */
async function validatePath(path: readonly Link[], trust: Trust, at: number, engine: CryptoEngine): Promise<void> {
  for (const [depth, { pki, certificate }] of path.entries()) {
    const { subject, notBefore, notAfter, key } = certificate
    if (at < notBefore || at > notAfter)
      throw new CmsError(
        'expired',
        `the certificate of ${subject} is valid from ${date(notBefore)} to ${date(notAfter)}`,
      )
    if (key.type === 'rsa' && key.bits < MIN_RSA_BITS)
      throw new CmsError('unsupported', `the RSA key of ${subject} has ${key.bits} bits, fewer than ${MIN_RSA_BITS}`)
    if (depth < path.length - 1 && !signatures.has(pki.signatureAlgorithm.algorithmId))
      throw new CmsError('unsupported', `the certificate of ${subject} is signed with a weak or unknown algorithm`)
    requireKnownExtensions(pki, subject)
    if (depth > 0) requireAuthority(path, depth)
  }
  if (path.length > 1) await validateByLibrary(path, trust, at, engine)
  else if (trust.requireRevocationCheck)
    throw new CmsError('revocation-unknown', `the certificate of ${path[0]!.certificate.subject} is an anchor itself`)
}

const date = (seconds: number) => new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ')

/** Whether the certificate at `depth` may have issued the one before (RFC 5280 §4.2.1.3, §4.2.1.9, §4.2.1.10). */
function requireAuthority(path: readonly Link[], depth: number): void {
  const { pki, certificate } = path[depth]!
  const constraints = extensionOf<BasicConstraints>(pki, extensions.basicConstraints)
  const mayIssue = constraints?.cA && (certificate.keyUsage?.has('keyCertSign') ?? true)
  if (!mayIssue) throw new CmsError('untrusted', `${certificate.subject} is no certification authority`)
  const limit = constraints.pathLenConstraint
  // intermediates between this authority and the leaf; certificates that issued themselves do not count
  const between = path.slice(1, depth).filter(({ pki }) => !pki.subject.isEqual(pki.issuer)).length
  if (limit !== undefined && between > Number(typeof limit === 'number' ? limit : limit.toBigInt()))
    throw new CmsError('untrusted', `${certificate.subject} may not have authorities below it`)
  const names = extensionOf<NameConstraints>(pki, extensions.nameConstraints)
  const subtrees = [...(names?.permittedSubtrees ?? []), ...(names?.excludedSubtrees ?? [])]
  if (subtrees.some(({ base }) => base.type === 0))
    throw new CmsError('unsupported', `${certificate.subject} constrains names of a type that cannot be checked`)
}

const extensionOf = <T>(pki: PkiCertificate, id: string): T | undefined =>
  pki.extensions?.find(({ extnID }) => extnID === id)?.parsedValue as T | undefined

const known: ReadonlySet<string> = new Set(Object.values(extensions))

function requireKnownExtensions({ extensions: all = [] }: PkiCertificate, subject: string): void {
  const unknown = all.find(({ critical, extnID }) => critical && !known.has(extnID))
  if (unknown)
    throw new CmsError('unsupported', `the certificate of ${subject} has the critical extension ${unknown.extnID}`)
}

/** Policies, names and revocation, by pkijs, which is told the path so that it need not look for one. */
async function validateByLibrary(path: readonly Link[], trust: Trust, at: number, engine: CryptoEngine): Promise<void> {
  const certificates = path.map(({ pki }) => pki)
  const { subject } = path[0]!.certificate
  const { revocationLists = [], requireRevocationCheck = false } = trust
  const crls = revocationLists.map((der) =>
    readBer('a certificate revocation list', der, (octets) => CertificateRevocationList.fromBER(octets)),
  )
  if (requireRevocationCheck && crls.length === 0)
    throw new CmsError('revocation-unknown', `no revocation list was given for the certificate of ${subject}`)
  const validation = new CertificateChainValidationEngine({
    trustedCerts: [certificates.at(-1)!],
    certs: certificates.slice(0, -1).reverse(),
    crls,
    checkDate: new Date(at * 1000),
    findIssuer: async (certificate) => {
      const next = certificates[certificates.indexOf(certificate) + 1]
      return next ? [next] : []
    },
  })
  const verdict = await validation.verify({ passedWhenNotRevValues: !requireRevocationCheck }, engine)
  if (verdict.result) return
  const fault =
    verdict.resultCode === REVOKED ? 'revoked' : verdict.resultCode === NO_LIST ? 'revocation-unknown' : 'untrusted'
  throw new CmsError(fault, `the certificate of ${subject} is refused: ${verdict.resultMessage}`)
}
