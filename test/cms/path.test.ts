/** Certification paths: RFC 5280 §6.1, each refusal by a certificate made for it. */
import { describe, expect, test } from 'vitest'
import { readCertificate } from '../../src/cms/certificate.ts'
import { type Trust, verifyPath } from '../../src/cms/path.ts'
import { type Issued, issue, NOW, revocationList, rootAuthority } from '../support/pki.ts'

const root = await rootAuthority()
const middle = await issue({ name: 'middle', authority: true }, root)
const leaf = await issue({ name: 'leaf' }, middle)
const trust = (more: Partial<Trust> = {}): Trust => ({
  anchors: [root.certificate],
  intermediates: [middle.certificate],
  ...more,
})
const names = async (one: Issued, by: Trust, at = NOW) =>
  (await verifyPath(one.certificate, by, at)).map(({ subject }) => subject)

describe('a path', () => {
  test('leads over intermediates to an anchor', async () =>
    expect(await names(leaf, trust())).toEqual(['CN=leaf, O=test', 'CN=middle, O=test', 'CN=root, O=test']))

  test('ends at an anchor that is no root', async () =>
    expect(await names(leaf, { anchors: [middle.certificate] })).toEqual(['CN=leaf, O=test', 'CN=middle, O=test']))

  test('is the certificate alone where that is an anchor', async () =>
    expect(await names(leaf, { anchors: [leaf.certificate] })).toEqual(['CN=leaf, O=test']))

  test('is found past an authority of the same name that did not sign', async () => {
    const other = await issue({ name: 'middle', authority: true }, root)
    expect(await names(leaf, trust({ intermediates: [other.certificate, middle.certificate] }))).toHaveLength(3)
  })

  test.each(['RSA-2048', 'P-384', 'P-521'] as const)('is made of %s keys', async (key) => {
    const authority = await rootAuthority({ key })
    expect(await names(await issue({ key }, authority), { anchors: [authority.certificate] })).toHaveLength(2)
  })
})

describe('refused', () => {
  const refusal = (one: Issued, by: Trust, at = NOW) => expect(verifyPath(one.certificate, by, at)).rejects

  test('without the intermediate', () =>
    refusal(leaf, { anchors: [root.certificate] }).toMatchObject({ fault: 'untrusted' }))
  test('for want of anchors', () => refusal(leaf, { anchors: [] }).toMatchObject({ fault: 'untrusted' }))
  test('self-signed', async () => refusal(await issue({}), trust()).toMatchObject({ fault: 'untrusted' }))

  test('expired, and not yet valid', async () => {
    const late = NOW + 366 * 86_400
    await refusal(leaf, trust(), late).toMatchObject({ fault: 'expired' })
    await refusal(leaf, trust(), NOW - 366 * 86_400).toMatchObject({ fault: 'expired' })
  })

  test('by an expired authority', async () => {
    const old = await rootAuthority({ name: 'old', notAfter: NOW - 1 })
    await refusal(await issue({}, old), { anchors: [old.certificate] }).toMatchObject({ fault: 'expired' })
  })

  test('issued by a certificate that is no authority', async () =>
    refusal(
      await issue({ name: 'below' }, leaf),
      trust({ intermediates: [leaf.certificate, middle.certificate] }),
    ).toMatchObject({
      fault: 'untrusted',
    }))

  test('issued by an authority without keyCertSign', async () => {
    const weak = await issue({ name: 'weak', authority: true, keyUsage: 0x80 }, root)
    await refusal(await issue({}, weak), trust({ intermediates: [weak.certificate] })).toMatchObject({
      fault: 'untrusted',
    })
  })

  test('longer than pathLenConstraint allows', async () => {
    const short = await rootAuthority({ name: 'short', pathLength: 0 })
    const direct = await issue({}, short)
    expect(await names(direct, { anchors: [short.certificate] })).toHaveLength(2)
    const below = await issue({ name: 'below', authority: true }, short)
    const far = await issue({}, below)
    await refusal(far, { anchors: [short.certificate], intermediates: [below.certificate] }).toMatchObject({
      fault: 'untrusted',
    })
  })

  test('with a critical extension that nobody knows', async () =>
    refusal(await issue({ strange: true }, middle), trust()).toMatchObject({ fault: 'unsupported' }))

  test('with an RSA key of 1024 bits', async () =>
    refusal(await issue({ key: 'RSA-1024' }, middle), trust()).toMatchObject({ fault: 'unsupported' }))

  test('signed over SHA-1', async () =>
    refusal(await issue({ hash: 'SHA-1' }, middle), trust()).toMatchObject({ fault: 'unsupported' }))

  test('with one octet changed', async () => {
    const changed = new Uint8Array(leaf.certificate)
    changed[changed.length - 100]! ^= 1
    await expect(verifyPath(changed, trust(), NOW)).rejects.toMatchObject({ name: 'CmsError' })
  })

  test('in bounded time by authorities that signed each other', async () => {
    const a = await rootAuthority({ name: 'a' })
    const b = await rootAuthority({ name: 'b' })
    const crossed = await Promise.all(
      Array.from({ length: 8 }, (_, i) => issue({ name: i % 2 ? 'a' : 'b', authority: true }, i % 2 ? b : a)),
    )
    const one = await issue({}, a)
    const intermediates = [a, b, ...crossed].map(({ certificate }) => certificate)
    await refusal(one, { anchors: [root.certificate], intermediates }).toMatchObject({ fault: 'untrusted' })
  })
})

describe('revocation lists', () => {
  const verify = (revocationLists: readonly Uint8Array[], requireRevocationCheck = true) =>
    verifyPath(leaf.certificate, trust({ revocationLists, requireRevocationCheck }), NOW)

  test('refuse what they name', async () => {
    const lists = [await revocationList(middle, [leaf]), await revocationList(root, [])]
    await expect(verify(lists, false)).rejects.toMatchObject({ fault: 'revoked' })
  })

  test('let pass what they do not name', async () =>
    expect(await verify([await revocationList(middle, []), await revocationList(root, [])])).toHaveLength(3))

  test('are wanted where the check is required', async () => {
    await expect(verify([])).rejects.toMatchObject({ fault: 'revocation-unknown' })
    await expect(verify([await revocationList(root, [])])).rejects.toMatchObject({ fault: 'revocation-unknown' })
  })

  test('of somebody else do not count', async () => {
    const stranger = await rootAuthority({ name: 'middle' })
    const lists = [await revocationList(stranger, []), await revocationList(root, [])]
    await expect(verify(lists)).rejects.toMatchObject({ fault: 'revocation-unknown' })
  })
})

describe('a certificate', () => {
  test('tells its names, purposes and key', async () => {
    const one = await issue({
      upns: ['alice@LAB.TEST'],
      dnsNames: ['kdc.lab.test'],
      purposes: ['1.3.6.1.5.2.3.5'],
      key: 'P-384',
    })
    expect(readCertificate(one.certificate)).toMatchObject({
      subject: 'CN=leaf, O=test',
      dnsNames: ['kdc.lab.test'],
      otherNames: [{ type: '1.3.6.1.4.1.311.20.2.3' }],
      extendedKeyUsage: ['1.3.6.1.5.2.3.5'],
      keyUsage: new Set(['digitalSignature']),
      key: { type: 'ec', curve: 'P-384' },
    })
  })

  test('is a CmsError at every truncation', () => {
    for (let size = 0; size < leaf.certificate.length; size++)
      expect(() => readCertificate(leaf.certificate.subarray(0, size))).toThrow(
        expect.objectContaining({ name: 'CmsError' }),
      )
  })
})
