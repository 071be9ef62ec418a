/** CMS SignedData (RFC 5652 §5): ours read by ourselves here, by MIT's and Heimdal's libraries in test/interop. */
import { ContentInfo, SignedData } from 'pkijs'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes/index.ts'
import { readSignedData, signData, verifyData, wrapUnsigned } from '../../src/cms/signed.ts'
import { type Issued, issue, NOW, rootAuthority } from '../support/pki.ts'

const TYPE = '1.3.6.1.5.2.3.1'
const root = await rootAuthority()
const signer = await issue({}, root)
const trust = { anchors: [root.certificate] }
const content = utf8('what is signed')
const der = await signData({ contentType: TYPE, content }, signer)

/** `der` with something changed outside of what is signed. */
function changed(change: (data: SignedData) => void): Uint8Array {
  const info = ContentInfo.fromBER(new Uint8Array(der).buffer)
  const data = new SignedData({ schema: info.content })
  change(data)
  return new Uint8Array(
    new ContentInfo({ contentType: info.contentType, content: data.toSchema(true) }).toSchema().toBER(),
  )
}

describe('signed data', () => {
  test.each(['P-256', 'P-384', 'P-521', 'RSA-2048'] as const)('by a %s key is verified', async (key) => {
    const identity = await issue({ key }, root)
    const verified = await verifyData(await signData({ contentType: TYPE, content }, identity), TYPE, trust, NOW)
    expect(verified.content).toEqual(content)
    expect(verified.path).toHaveLength(2)
  })

  test('brings the intermediates that its verifier lacks', async () => {
    const middle = await issue({ name: 'middle', authority: true }, root)
    const identity: Issued = await issue({}, middle)
    const signed = await signData({ contentType: TYPE, content }, { ...identity, chain: [middle.certificate] })
    expect((await verifyData(signed, TYPE, trust, NOW)).path).toHaveLength(3)
  })

  test('without a signer is read, and never verified', async () => {
    const unsigned = wrapUnsigned({ contentType: TYPE, content })
    expect(readSignedData(unsigned)).toEqual({ contentType: TYPE, content, signed: false })
    await expect(verifyData(unsigned, TYPE, trust, NOW)).rejects.toMatchObject({ fault: 'signature' })
  })
})

describe('refused', () => {
  const refusal = (message: Uint8Array, type = TYPE) => expect(verifyData(message, type, trust, NOW)).rejects

  test('of another content type', () => refusal(der, '1.3.6.1.5.2.3.2').toMatchObject({ fault: 'content' }))

  test('whose content type was changed outside the signature', () => {
    const other = changed((data) => {
      data.encapContentInfo.eContentType = '1.3.6.1.5.2.3.2'
    })
    return refusal(other, '1.3.6.1.5.2.3.2').toMatchObject({ fault: 'content' })
  })

  test('without signed attributes', () => {
    const other = changed((data) => {
      delete (data.signerInfos[0] as { signedAttrs?: unknown }).signedAttrs
    })
    return refusal(other).toMatchObject({ fault: 'signature' })
  })

  test('with content that was changed', () => {
    const other = new Uint8Array(der)
    other[Buffer.from(der).indexOf('what is signed')]! ^= 1
    return refusal(other).toMatchObject({ fault: 'signature' })
  })

  test('with two signatures', () =>
    refusal(changed((data) => data.signerInfos.push(data.signerInfos[0]!))).toMatchObject({ fault: 'signature' }))

  test('signed with the key of another certificate', async () => {
    const other = await issue({ name: 'other' }, root)
    const forged = await signData({ contentType: TYPE, content }, { ...signer, sign: other.sign })
    await refusal(forged).toMatchObject({ fault: 'signature' })
  })

  test('by somebody whom nobody trusts', async () =>
    refusal(await signData({ contentType: TYPE, content }, await issue({}))).toMatchObject({ fault: 'untrusted' }))

  test('as CmsError at every truncation', async () => {
    for (let size = 0; size < der.length; size++)
      await refusal(der.subarray(0, size)).toMatchObject({ name: 'CmsError' })
  })
})
