import { KrbError } from '../../errors.ts'

/** Where a certificate or a list of them is: what krb5.conf's pkinit_* options and `X509_user_identity=` say. */
export type CertificateSource =
  /** PEM files: the certificate, and the key where it is in another file. */
  | { readonly kind: 'file'; readonly certificate: string; readonly key: string }
  /** A folder with pairs of `name.crt` and `name.key`, or of certificates alone. */
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'pkcs12'; readonly path: string }
  /** What an environment variable says, in the same words. */
  | { readonly kind: 'variable'; readonly name: string }

/**
 * Reads `FILE:cert[,key]`, `DIR:folder`, `PKCS12:file`, `ENV:variable` or a bare path, as MIT has them (krb5.conf(5),
 * "Specifying PKINIT identity information"). Throws KrbError NAME_REFUSED for PKCS11, saying what to do instead.
 */
export function parseCertificateSource(text: string): CertificateSource {
  const [, prefix, rest] = /^([A-Z][A-Z0-9]*):(.*)$/s.exec(text) ?? [undefined, 'FILE', text]
  if (rest === '') throw new KrbError('NAME_REFUSED', `${text} names nothing`)
  switch (prefix) {
    case 'FILE': {
      const [certificate, key = certificate] = rest!.split(',')
      if (!certificate || !key) throw new KrbError('NAME_REFUSED', `${text} names no file`)
      return { kind: 'file', certificate, key }
    }
    case 'DIR':
      return { kind: 'folder', path: rest! }
    case 'PKCS12':
      return { kind: 'pkcs12', path: rest! }
    case 'ENV':
      return { kind: 'variable', name: rest! }
    case 'PKCS11':
      throw new KrbError('NAME_REFUSED', `${text}: modules of C code are not loaded`, {
        hint: 'give pkinit() an identity with a sign() of its own, which asks the smart card',
      })
    default:
      throw new KrbError('NAME_REFUSED', `${text}: FILE, DIR, PKCS12 and ENV are understood`)
  }
}
