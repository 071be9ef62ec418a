/** Object identifiers of X.509 and CMS that are looked at here. @module */

/** X.509 extensions that are looked at, here or by pkijs (RFC 5280 §4.2): a critical one that is not among them is refused. */
export const extensions = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  issuerAltName: '2.5.29.18',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  distributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  policyMappings: '2.5.29.33',
  authorityKeyIdentifier: '2.5.29.35',
  policyConstraints: '2.5.29.36',
  extendedKeyUsage: '2.5.29.37',
  inhibitAnyPolicy: '2.5.29.54',
} as const

/** Attributes that are signed beside the content (RFC 5652 §11.1, §11.2). */
export const signedAttributes = { contentType: '1.2.840.113549.1.9.3', messageDigest: '1.2.840.113549.1.9.4' } as const

/** Public keys (RFC 3279 §2.3, RFC 4055 §1.2). */
export const keyTypes = { rsa: '1.2.840.113549.1.1.1', ec: '1.2.840.10045.2.1' } as const

/** Hash functions that signatures may be made with, by their object identifiers: SHA-1 and MD5 are not among them. */
export const hashes: Readonly<Record<string, 'SHA-256' | 'SHA-384' | 'SHA-512'>> = {
  '2.16.840.1.101.3.4.2.1': 'SHA-256',
  '2.16.840.1.101.3.4.2.2': 'SHA-384',
  '2.16.840.1.101.3.4.2.3': 'SHA-512',
}

/** Signatures that are believed: RSA (PKCS#1 and PSS) and ECDSA over SHA-2 (RFC 4055, RFC 5758). */
export const signatures: ReadonlySet<string> = new Set([
  ...['1.2.840.113549.1.1.11', '1.2.840.113549.1.1.12', '1.2.840.113549.1.1.13', '1.2.840.113549.1.1.10'],
  ...['1.2.840.10045.4.3.2', '1.2.840.10045.4.3.3', '1.2.840.10045.4.3.4'],
])

/** How the parts of a distinguished name are abbreviated (RFC 4514 §3). */
export const nameParts: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.25': 'DC',
  '0.9.2342.19200300.100.1.1': 'UID',
  '1.2.840.113549.1.9.1': 'emailAddress',
}

/** What signers may use, for peers that ask (RFC 4556 §3.2.1, supportedCMSTypes): hash functions by themselves, too, for Heimdal. */
export const acceptedAlgorithms: readonly string[] = [...signatures, ...Object.keys(hashes)]
