/** What others computed: the appendices of the RFCs, and a matrix that MIT and an independent implementation agree on. */
import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import { krbFxCf2, octetStringToKey, pkinitKey, prfPlus } from '../../src/crypto/derive.ts'
import type { Purpose } from '../../src/crypto/enctypes/profile.ts'
import { enctypeById } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { nfold } from '../../src/crypto/nfold.ts'
import { type HashName, macOf } from '../../src/crypto/primitives/primitives.ts'
import { makeScratch, WORK } from '../../src/crypto/primitives/scratch.ts'
import { vectors } from '../support/vectors.ts'
import { suites } from './providers.ts'

interface Encrypted {
  enctype: number
  usage: number
  key: string
  confounder: string
  plaintext: string
  ciphertext: string
}
interface Summed {
  enctype: number
  checksum_type: number
  usage: number
  key: string
  data?: string
  plaintext?: string
  checksum: string
}
interface FromString {
  enctype: number
  params: string | null
  password: string
  salt: string
  key: string
}
interface Pseudo {
  enctype: number
  key: string
  input: string
  length?: number
  output: string
}
interface Derived {
  enctype: number
  base_key: string
  usage: number
  kind: 'Ke' | 'Ki' | 'Kc'
  derived_key: string
}
interface Combined {
  enctype: number
  k1: string
  k2: string
  pepper1_utf8: string
  pepper2_utf8: string
  output: string
}

/** The cases of each enctype apart, with its number. */
const byEnctype = <Case extends { enctype: number }>(cases: readonly Case[]): [number, Case[]][] =>
  [...new Set(cases.map(({ enctype }) => enctype))].map((id) => [id, cases.filter(({ enctype }) => enctype === id)])

const purposes: Readonly<Record<Derived['kind'], Purpose>> = { Ke: 'encrypt', Ki: 'integrity', Kc: 'checksum' }
const matrix = vectors<{ encrypt: Encrypted[]; checksum: Summed[]; usage_keys: Derived[] }>('generated_crypto_matrix')
const sha2 = vectors<{
  string_to_key: FromString[]
  key_derivation: Derived[]
  encrypt: Encrypted[]
  checksum: Summed[]
  prf: Pseudo[]
}>('rfc8009_aes_sha2')
const camellia = vectors<{
  string_to_key: FromString[]
  key_derivation: Derived[]
  encrypt: Encrypted[]
  checksum: Summed[]
}>('rfc6803_camellia')
const arcfour = vectors<{
  string_to_key: { password_utf8: string; key: string }[]
  encrypt: Omit<Encrypted, 'enctype'>[]
}>('rfc4757_rc4_hmac')
const des3 = {
  strings: vectors<{ vectors: { password: string; salt: string; key: string }[] }>('rfc3961_des3_string2key').vectors,
  derived: vectors<{ vectors: { key: string; constant: string; DR: string; DK: string }[] }>('rfc3961_des3_dr_dk')
    .vectors,
}
const strings = vectors<{ vectors: FromString[]; generated: FromString[] }>('rfc3962_string2key')
const prf = vectors<{
  prf: Pseudo[]
  prf_plus: Pseudo[]
  gss_pseudo_random: {
    enctype: number
    context_key: string
    prf_in: string
    desired_output_len: number
    output: string
  }[]
}>('prf')
const cf2 = vectors<{ vectors: Combined[]; generated: Combined[] }>('rfc6113_krb_fx_cf2')
const primitives = vectors<{
  hmac: { hash: HashName; key: string; data: string; mac: string }[]
  pbkdf2: { hash: HashName; password: string; salt: string; iterations: number; length: number; output: string }[]
  aes: { key: string; plaintext: string; ciphertext: string }[]
}>('primitives')

describe('n-fold (RFC 3961 §A.1)', () => {
  const { vectors: appendix, generated } =
    vectors<Record<'vectors' | 'generated', Record<string, never>[]>>('rfc3961_nfold')
  test.each([...appendix, ...generated])('folds $input into $bits bits', ({ input, bits, output }) =>
    expect(toHex(nfold(fromHex(input!), bits! / 8))).toBe(output),
  )
})

describe.each(suites)('over $name', ({ primitives: provider, rows }) => {
  const row = (id: number) => enctypeById(id, rows)!
  const key = (id: number, hex: string) => new Key(row(id), fromHex(hex))

  test.each(primitives.hmac)('HMAC-$hash of $data (RFC 2202, RFC 4231)', ({ hash, key, data, mac }) => {
    using keyed = provider.hmac(hash, fromHex(key))
    expect(toHex(macOf(keyed, fromHex(data), mac.length / 2))).toBe(mac)
  })
  test.each(primitives.pbkdf2)(
    'PBKDF2-$hash, $iterations rounds, $length octets (RFC 6070, RFC 7914 §11)',
    ({ hash, password, salt, iterations, length, output }) =>
      expect(toHex(provider.pbkdf2(hash, fromHex(password), fromHex(salt), iterations, length))).toBe(output),
  )
  test.each(primitives.aes)('AES with the key $key (FIPS 197 §C)', ({ key, plaintext, ciphertext }) => {
    const area = makeScratch(WORK + 16)
    area.octets.set(fromHex(plaintext), WORK)
    using cipher = provider.aes(fromHex(key))
    cipher.encrypt(area, WORK, WORK + 16)
    expect(toHex(area.octets.subarray(WORK))).toBe(ciphertext)
    cipher.decrypt(area, WORK, WORK + 16)
    expect(toHex(area.octets.subarray(WORK))).toBe(plaintext)
  })

  test.each(
    byEnctype([
      ...matrix.encrypt,
      ...sha2.encrypt,
      ...camellia.encrypt,
      ...arcfour.encrypt.map((vector) => ({ enctype: 23, ...vector })),
    ]),
  )('enctype %i encrypts and decrypts as RFC 8009 §A, RFC 6803 §10 and MIT do', (id, cases) => {
    for (const { usage, key: octets, confounder, plaintext, ciphertext } of cases) {
      const held = key(id, octets)
      expect(toHex(held.encrypt(usage, fromHex(plaintext), () => fromHex(confounder)))).toBe(ciphertext)
      const opened = toHex(held.decrypt(usage, fromHex(ciphertext)))
      expect(opened.slice(0, plaintext.length)).toBe(plaintext)
      // Where there is padding, it comes out as zeros.
      expect(opened.slice(plaintext.length)).toMatch(row(id).padding === 1 ? /^$/ : /^(00){0,7}$/)
    }
    expect(cases.length).toBeGreaterThan(0)
  })
  test.each(byEnctype([...matrix.checksum, ...sha2.checksum, ...camellia.checksum]))(
    'enctype %i makes the checksums of RFC 8009 §A, RFC 6803 §10 and MIT',
    (id, cases) => {
      for (const { usage, checksum_type, key: octets, data, plaintext, checksum } of cases) {
        const input = fromHex((data ?? plaintext)!)
        expect(row(id).checksumId).toBe(checksum_type)
        expect(toHex(key(id, octets).checksum(usage, input))).toBe(checksum)
        expect(key(id, octets).verify(usage, [input.subarray(0, 3), input.subarray(3)], fromHex(checksum))).toBe(true)
      }
    },
  )
  test.each(byEnctype([...matrix.usage_keys, ...sha2.key_derivation, ...camellia.key_derivation]))(
    'enctype %i derives the keys of each usage (RFC 3961 §5.3, RFC 6803 §3, RFC 8009 §3)',
    (id, cases) => {
      for (const { base_key, usage, kind, derived_key } of cases) {
        using material = row(id).prepare(fromHex(base_key))
        expect(toHex(material.derived(usage, purposes[kind]))).toBe(derived_key)
      }
    },
  )
  test.each(byEnctype([...strings.vectors, ...strings.generated, ...sha2.string_to_key, ...camellia.string_to_key]))(
    'enctype %i makes keys of strings (RFC 3962 §B, RFC 6803 §10, RFC 8009 §A)',
    (id, cases) => {
      for (const { params, password, salt, key } of cases)
        expect(
          toHex(
            row(id).stringToKey(fromHex(password), fromHex(salt), params === null ? undefined : fromHex(params), 1),
          ),
        ).toBe(key)
    },
  )
  test.each(arcfour.string_to_key)('enctype 23 makes $key of "$password_utf8" (RFC 4757 §2)', (vector) =>
    expect(toHex(Key.fromPassword(row(23), vector.password_utf8, fromHex('5a')).octets())).toBe(vector.key),
  )
  test.each(des3.strings)('enctype 16 makes $key of $password (RFC 3961 §A.4)', ({ password, salt, key }) =>
    expect(toHex(row(16).stringToKey(fromHex(password), fromHex(salt)))).toBe(key),
  )
  test.each(des3.derived)('enctype 16: DR and DK for $constant (RFC 3961 §A.3)', ({ key, constant, DR, DK }) => {
    expect(toHex(row(16).randomToKey(fromHex(DR)))).toBe(DK)
    const usage = /^(.{8})(aa|55|99)$/.exec(constant)
    if (!usage) return
    using material = row(16).prepare(fromHex(key))
    const purpose = { aa: 'encrypt', '55': 'integrity', '99': 'checksum' }[usage[2]!] as Purpose
    expect(toHex(material.derived(Number.parseInt(usage[1]!, 16), purpose))).toBe(DK)
  })
  test.each(byEnctype([...prf.prf, ...sha2.prf]))('enctype %i: PRF', (id, cases) => {
    for (const { key: octets, input, output } of cases) expect(toHex(key(id, octets).prf(fromHex(input)))).toBe(output)
  })
  test.each(byEnctype(prf.prf_plus))('enctype %i: PRF+ (RFC 6113 §5.1)', (id, cases) => {
    for (const { key: octets, input, length, output } of cases)
      expect(toHex(prfPlus(key(id, octets), fromHex(input), length!))).toBe(output)
  })
  test.each([...cf2.vectors, ...cf2.generated].map((c) => [c.enctype, c.pepper1_utf8, c] as const))(
    'enctype %i: KRB-FX-CF2 with the pepper %s (RFC 6113 §A)',
    (id, _, { k1, k2, pepper1_utf8, pepper2_utf8, output }) =>
      expect(toHex(krbFxCf2(key(id, k1), key(id, k2), pepper1_utf8, pepper2_utf8).octets())).toBe(output),
  )

  // RFC 7802 §3: the counter of GSS_Pseudo_random stands before the input, in four octets, from 0.
  test.each(byEnctype(prf.gss_pseudo_random))('enctype %i: the PRF that GSS_Pseudo_random is made of', (id, cases) => {
    for (const { context_key, prf_in, desired_output_len, output } of cases) {
      const held = key(id, context_key)
      let made = ''
      for (let counter = 0; made.length < 2 * desired_output_len; counter++)
        made += toHex(held.prf(fromHex(`000000${counter.toString(16).padStart(2, '0')}${prf_in}`)))
      expect(made.slice(0, 2 * desired_output_len)).toBe(output)
    }
  })

  const truncated = vectors<{ vectors: { x: string; k_truncate_32: string }[] }>('rfc4556_octetstring2key').vectors
  test.each(truncated)('octetstring2key (RFC 4556 §B)', ({ x, k_truncate_32 }) =>
    expect(toHex(octetStringToKey(row(18), fromHex(x), provider).octets())).toBe(k_truncate_32),
  )
  const pkinit =
    vectors<
      Record<
        'vectors' | 'generated_single_impl',
        { hash: HashName; enctype: number; shared_secret: string; other_info_der: string; key: string }[]
      >
    >('rfc8636_pkinit_kdf')
  test.each([...pkinit.vectors, ...pkinit.generated_single_impl])(
    'PKINIT key derivation with $hash for enctype $enctype (RFC 8636 §8)',
    ({ hash, enctype, shared_secret, other_info_der, key }) =>
      expect(
        toHex(pkinitKey(row(enctype), hash, fromHex(shared_secret), fromHex(other_info_der), provider).octets()),
      ).toBe(key),
  )
})
