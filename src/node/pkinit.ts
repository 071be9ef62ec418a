/** PKINIT, with certificates and keys out of files, as krb5.conf and `X509_user_identity` say. @module */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { distinguishedNames, readCertificate } from '../cms/certificate.ts'
import { CmsError } from '../cms/error.ts'
import type { Identity } from '../cms/identity.ts'
import { certificatesFromPem, pemIdentity, revocationListsFromPem } from '../cms/pem.ts'
import { pkcs12Identity } from '../cms/pkcs12.ts'
import { KrbError } from '../krb5/errors.ts'
import { formatPrincipal } from '../krb5/names.ts'
import type { Preauth } from '../krb5/preauth/mechanism.ts'
import { groupsFrom } from '../krb5/preauth/pkinit/agreements.ts'
import { principalsIn, readNames, upnsIn } from '../krb5/preauth/pkinit/certificates.ts'
import { anonymousPkinit, pkinit } from '../krb5/preauth/pkinit/client.ts'
import { type CertificateSource, parseCertificateSource } from '../krb5/preauth/pkinit/source.ts'
import { type CertificateFacts, type CertificateRule, certificateRule } from '../store/certificaterule.ts'
import type { LibDefaults } from '../store/options.ts'
import { FileError, readWhole } from './files.ts'

export { type Certificate, type OtherName, type PublicKeyKind, readCertificate } from '../cms/certificate.ts'
export { CmsError, type CmsFault } from '../cms/error.ts'
export type { Identity, SignatureAlgorithm } from '../cms/identity.ts'
export type { Trust } from '../cms/path.ts'
export { certificatesFromPem, type PemFiles, pemIdentity, revocationListsFromPem } from '../cms/pem.ts'
export { pkcs12Identity } from '../cms/pkcs12.ts'
export { type AgreementKey, type KeyAgreement, pkinitGroups } from '../krb5/preauth/pkinit/agreements.ts'
export type { ClientPurpose, KdcPurpose } from '../krb5/preauth/pkinit/certificates.ts'
export {
  type AnonymousPkinitOptions,
  anonymousPkinit,
  type PkinitOptions,
  pkinit,
} from '../krb5/preauth/pkinit/client.ts'
export { type PkinitKdcOptions, pkinitKdc } from '../krb5/preauth/pkinit/kdc.ts'
export { type CertificateSource, parseCertificateSource } from '../krb5/preauth/pkinit/source.ts'

/** What krb5.conf says of PKINIT. */
export type PkinitConfig = Pick<
  LibDefaults,
  | 'pkinitAnchors'
  | 'pkinitIdentities'
  | 'pkinitPool'
  | 'pkinitRevoke'
  | 'pkinitRequireCrlChecking'
  | 'pkinitKdcHostnames'
  | 'pkinitEkuChecking'
  | 'pkinitDhMinBits'
  | 'pkinitCertMatch'
>

/** What to log in with. */
export interface PkinitLogin {
  readonly config: PkinitConfig
  /** `FILE:cert,key`, `PKCS12:file`, … or who signs; krb5.conf's pkinit_identities unless said. */
  readonly identity?: string | Identity | undefined
  /** Without any identity (RFC 8062). */
  readonly anonymous?: boolean | undefined
  /** Asks for the password of a key that is encrypted; `file` is whose. */
  readonly password?: ((file: string) => string | PromiseLike<string>) | undefined
}

/** Most files of a folder of certificates that are read. */
const MAX_FILES = 1000
/** Variables that may name each other. */
const MAX_VARIABLES = 4

/** The mechanism for `preauth` of a login. Throws KrbError NAME_REFUSED, CmsError and FileError. */
export async function pkinitPreauth({ config, identity, anonymous = false, password }: PkinitLogin): Promise<Preauth> {
  const options = {
    trust: {
      anchors: await certificatesIn(config.pkinitAnchors),
      intermediates: await certificatesIn(config.pkinitPool),
      revocationLists: await allIn(config.pkinitRevoke, revocationListsFromPem),
      requireRevocationCheck: config.pkinitRequireCrlChecking,
    },
    kdcHostnames: config.pkinitKdcHostnames,
    kdcPurpose: config.pkinitEkuChecking,
    groups: groupsFrom(config.pkinitDhMinBits),
  }
  if (options.trust.anchors.length === 0)
    throw new KrbError('KDC_ERR_KDC_NOT_TRUSTED', 'no authority is trusted to know a KDC', {
      hint: 'say pkinit_anchors = FILE:/path/of/ca.pem in krb5.conf',
    })
  if (anonymous) return anonymousPkinit(options)
  const names = identity === undefined ? config.pkinitIdentities : [identity]
  return pkinit({ ...options, identity: await firstIdentity(names, config.pkinitCertMatch, password) })
}

const certificatesIn = (sources: readonly string[]) => allIn(sources, certificatesFromPem)

async function allIn(
  sources: readonly string[],
  read: (file: Uint8Array) => readonly Uint8Array[],
): Promise<readonly Uint8Array[]> {
  const all: Uint8Array[] = []
  for (const text of sources) for (const path of await filesOf(source(text))) all.push(...read(await readWhole(path)))
  return all
}

function source(text: string, depth = 0): CertificateSource {
  const found = parseCertificateSource(text)
  if (found.kind !== 'variable') return found
  const value = process.env[found.name]
  if (!value || depth >= MAX_VARIABLES) throw new KrbError('NAME_REFUSED', `${text}: the variable names nothing`)
  return source(value, depth + 1)
}

async function filesOf(found: CertificateSource): Promise<readonly string[]> {
  if (found.kind === 'file') return [found.certificate]
  if (found.kind !== 'folder') throw new KrbError('NAME_REFUSED', 'certificates of others are in FILE or DIR')
  return filesIn(found.path)
}

async function filesIn(folder: string, ending = /./): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: NodeJS.ErrnoException) => {
    throw new FileError(folder, cause.code ?? 'EIO', { cause })
  })
  return names
    .filter((name) => ending.test(name))
    .sort()
    .slice(0, MAX_FILES)
    .map((name) => join(folder, name))
}

/** The first that is there; of one that names several certificates, the one that the rules choose. */
async function firstIdentity(
  names: readonly (string | Identity)[],
  rules: readonly string[],
  password: PkinitLogin['password'],
): Promise<Identity> {
  let missing: FileError | undefined
  for (const name of names) {
    try {
      if (typeof name !== 'string') return name
      const choice = rules.length > 0
      const found = await certificatesOf(source(name), choice, password)
      return await (choice ? chosen(found, rules.map(certificateRule), name) : found[0]!).open()
    } catch (error) {
      if (!(error instanceof FileError) || error.code !== 'ENOENT') throw error
      missing ??= error
    }
  }
  throw (
    missing ??
    new KrbError('NAME_REFUSED', 'no certificate to log in with', {
      hint: 'say which: X509_user_identity=FILE:cert.pem,key.pem, or pkinit_identities in krb5.conf',
    })
  )
}

/** A certificate to log in with, perhaps; its key is read, and its password asked for, once it is chosen. */
interface Offered {
  /** DER. */
  readonly certificate: Uint8Array
  open(): Promise<Identity>
}

/** The certificates that a source names, at least one; the first alone where there is no `choice`. Throws FileError and CmsError. */
async function certificatesOf(
  found: CertificateSource,
  choice: boolean,
  password: PkinitLogin['password'],
): Promise<readonly Offered[]> {
  switch (found.kind) {
    case 'pkcs12': {
      const file = await readWhole(found.path)
      const identity = await unlocked(found.path, (secret = '') => pkcs12Identity(file, secret), password)
      return [{ certificate: identity.certificate, open: async () => identity }]
    }
    case 'file': {
      const file = await readWhole(found.certificate)
      const [certificate] = certificatesFromPem(file)
      if (!certificate) throw new CmsError('malformed', `no certificate in ${found.certificate}`)
      const open = async () => {
        const key = await readWhole(found.key)
        return unlocked(found.key, (secret) => pemIdentity({ certificate: file, key, password: secret }), password)
      }
      return [{ certificate, open }]
    }
    case 'folder': {
      const files = await filesIn(found.path, /\.crt$/)
      if (files.length === 0) throw new FileError(join(found.path, '*.crt'), 'ENOENT')
      const pairs = (choice ? files : files.slice(0, 1)).map((certificate) => ({
        certificate,
        key: certificate.replace(/\.crt$/, '.key'),
      }))
      return (
        await Promise.all(pairs.map((pair) => certificatesOf({ kind: 'file', ...pair }, choice, password)))
      ).flat()
    }
    case 'variable':
      return certificatesOf(source(`ENV:${found.name}`), choice, password)
  }
}

/** The only one that a rule holds for, the first such rule (krb5.conf(5), pkinit_cert_match). Throws KrbError NAME_REFUSED. */
function chosen(offered: readonly Offered[], rules: readonly CertificateRule[], name: string): Offered {
  const all = offered.map((one) => ({ one, facts: factsOf(one.certificate) }))
  for (const holds of rules) {
    const [first, ...more] = all.filter(({ facts }) => holds(facts))
    if (first && more.length === 0) return first.one
  }
  throw new KrbError('NAME_REFUSED', `no rule of pkinit_cert_match holds for just one certificate of ${name}`, {
    hint: `there are: ${all.map(({ facts }) => facts.subject).join(' and ')}`,
  })
}

function factsOf(der: Uint8Array): CertificateFacts {
  const certificate = readCertificate(der)
  const { extendedKeyUsage = [], keyUsage = new Set() } = certificate
  const names = readNames(() => [...principalsIn(certificate).map(formatPrincipal), ...upnsIn(certificate)])
  return { ...distinguishedNames(der), names, purposes: extendedKeyUsage, usages: keyUsage }
}

/** Without a password first, then with the one that is asked for. */
async function unlocked(
  path: string,
  open: (secret?: string) => Promise<Identity>,
  password: PkinitLogin['password'],
): Promise<Identity> {
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof CmsError) || error.fault !== 'password' || !password) throw error
    return open(await password(path))
  }
}
