/** PKINIT, with certificates and keys out of files, as krb5.conf and `X509_user_identity` say. @module */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CmsError } from '../cms/error.ts'
import type { Identity } from '../cms/identity.ts'
import { certificatesFromPem, pemIdentity, revocationListsFromPem } from '../cms/pem.ts'
import { pkcs12Identity } from '../cms/pkcs12.ts'
import { KrbError } from '../krb5/errors.ts'
import type { Preauth } from '../krb5/preauth/mechanism.ts'
import { groupsFrom } from '../krb5/preauth/pkinit/agreements.ts'
import { anonymousPkinit, pkinit } from '../krb5/preauth/pkinit/client.ts'
import { type CertificateSource, parseCertificateSource } from '../krb5/preauth/pkinit/source.ts'
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
  return pkinit({ ...options, identity: await firstIdentity(names, password) })
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

/** The first that is there. */
async function firstIdentity(
  names: readonly (string | Identity)[],
  password: PkinitLogin['password'],
): Promise<Identity> {
  let missing: FileError | undefined
  for (const name of names) {
    try {
      return typeof name === 'string' ? await identityFrom(source(name), password) : name
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

async function identityFrom(found: CertificateSource, password: PkinitLogin['password']): Promise<Identity> {
  switch (found.kind) {
    case 'pkcs12': {
      const file = await readWhole(found.path)
      return unlocked(found.path, (secret = '') => pkcs12Identity(file, secret), password)
    }
    case 'file': {
      const [certificate, key] = [await readWhole(found.certificate), await readWhole(found.key)]
      return unlocked(found.key, (secret) => pemIdentity({ certificate, key, password: secret }), password)
    }
    case 'folder': {
      const [first] = await filesIn(found.path, /\.crt$/)
      if (!first) throw new FileError(join(found.path, '*.crt'), 'ENOENT')
      return identityFrom({ kind: 'file', certificate: first, key: first.replace(/\.crt$/, '.key') }, password)
    }
    case 'variable':
      return identityFrom(source(`ENV:${found.name}`), password)
  }
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
