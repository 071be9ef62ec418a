/** Bindings to TLS, against certificates and hashes that OpenSSL made. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { tlsExporter, tlsServerEndPoint, tlsUnique } from 'kerb/gss'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { concat, toHex, utf8 } from '../../src/bytes/index.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kerb-bindings-'))
  openssl('genrsa', '-out', 'rsa.pem', '2048')
  for (const curve of ['P-256', 'P-384'])
    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`, '-out', `${curve}.pem`)
  for (const kind of ['ed25519', 'ed448']) openssl('genpkey', '-algorithm', kind, '-out', `${kind}.pem`)
})
afterAll(() => rmSync(folder, { recursive: true }))

const program = 'openssl'
const openssl = (...args: readonly string[]) => execFileSync(program, args, { cwd: folder, stdio: 'pipe' })

function certificate(key: string, ...args: readonly string[]): Uint8Array {
  openssl(
    ...['req', '-x509', '-new', '-key', `${key}.pem`, '-subj', '/CN=www.example.com', '-outform', 'DER'],
    ...['-out', 'certificate.der', ...args],
  )
  return readFileSync(join(folder, 'certificate.der'))
}

const pss = (hash: string, ...more: readonly string[]) => [
  `-${hash}`,
  ...['rsa_padding_mode:pss', ...more].flatMap((option) => ['-sigopt', option]),
]

/** RFC 5929 §4.1: the signature's hash, and SHA-256 for MD5 and SHA-1. */
const cases: readonly [string, string, readonly string[], string][] = [
  ['RSA with MD5', 'rsa', ['-md5'], 'sha256'],
  ['RSA with SHA-1', 'rsa', ['-sha1'], 'sha256'],
  ['RSA with SHA-256', 'rsa', ['-sha256'], 'sha256'],
  ['RSA with SHA-384', 'rsa', ['-sha384'], 'sha384'],
  ['RSA with SHA-512', 'rsa', ['-sha512'], 'sha512'],
  ['RSASSA-PSS with SHA-1', 'rsa', pss('sha1'), 'sha256'],
  ['RSASSA-PSS with SHA-256', 'rsa', pss('sha256'), 'sha256'],
  ['RSASSA-PSS with SHA-384', 'rsa', pss('sha384'), 'sha384'],
  ['RSASSA-PSS with SHA-512', 'rsa', pss('sha512'), 'sha512'],
  ['ECDSA with SHA-1', 'P-256', ['-sha1'], 'sha256'],
  ['ECDSA with SHA-256', 'P-256', ['-sha256'], 'sha256'],
  ['ECDSA with SHA-384', 'P-384', ['-sha384'], 'sha384'],
  ['ECDSA with SHA-512', 'P-384', ['-sha512'], 'sha512'],
]

describe('tls-server-end-point (RFC 5929 §4)', () => {
  test.each(cases)('of a certificate signed by %s', (_, key, args, hash) => {
    const der = certificate(key, ...args)
    const expected = concat(utf8('tls-server-end-point:'), createHash(hash).update(der).digest())
    expect(toHex(tlsServerEndPoint(der)!.applicationData)).toBe(toHex(expected))
  })

  test.each([
    ['Ed25519', 'ed25519', []],
    ['Ed448', 'ed448', []],
    ['RSASSA-PSS of two hashes', 'rsa', pss('sha256', 'rsa_mgf1_md:sha512')],
  ] as const)('is not defined for %s', (_, key, args) =>
    expect(tlsServerEndPoint(certificate(key, ...args))).toBe(undefined),
  )

  test('refuses every truncation, and anything else but a certificate', () => {
    const der = certificate('P-256')
    for (let size = 0; size < der.length; size++)
      expect(() => tlsServerEndPoint(der.subarray(0, size)), String(size)).toThrow(TypeError)
    expect(() => tlsServerEndPoint(concat(der, Uint8Array.of(0)))).toThrow(TypeError)
    expect(() => tlsServerEndPoint(utf8('-----BEGIN CERTIFICATE-----'))).toThrow(/in DER/)
  })

  test('answers or throws TypeError, whatever octet is changed', () => {
    const der = Uint8Array.from(certificate('rsa', ...pss('sha256')))
    for (let at = 0; at < der.length; at++) {
      const changed = Uint8Array.from(der)
      changed[at]! ^= 0x21
      try {
        tlsServerEndPoint(changed)
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError)
      }
    }
  })
})

describe('bindings that the TLS stack gives', () => {
  test('tls-unique is the Finished message (RFC 5929 §3)', () => {
    expect(toHex(tlsUnique(Uint8Array.of(1, 2, 3)).applicationData)).toBe(`${toHex(utf8('tls-unique:'))}010203`)
    expect(() => tlsUnique(new Uint8Array(0))).toThrow(TypeError)
  })
  test('tls-exporter is 32 octets of keying material (RFC 9266 §2)', () => {
    const exported = new Uint8Array(32).fill(7)
    expect(toHex(tlsExporter(exported).applicationData)).toBe(toHex(concat(utf8('tls-exporter:'), exported)))
    for (const size of [0, 31, 33]) expect(() => tlsExporter(new Uint8Array(size))).toThrow(/32 exported octets/)
  })
})
