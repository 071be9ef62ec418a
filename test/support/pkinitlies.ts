/** What a lying KDC makes of a PKINIT reply (RFC 4556 §3.2.3), and of its refusal of a group (§3.2.2). */
import { decode, encode, type Infer } from '../../src/asn1/codec.ts'
import type { Identity } from '../../src/cms/identity.ts'
import { readSignedData, signData, wrapUnsigned } from '../../src/cms/signed.ts'
import { MODP_1024 } from '../../src/crypto/groups/modptable.ts'
import { KrbErrorMessage, TypedData } from '../../src/krb5/messages/error.ts'
import { AsRep } from '../../src/krb5/messages/kdc.ts'
import {
  type DhRepInfo,
  DomainParameters,
  KdcDhKeyInfo,
  keyAgreements,
  PaPkAsRep,
  PKINIT_DH_KEY_DATA,
  TdDhParameters,
  typedDataTypes,
} from '../../src/krb5/messages/pkinit.ts'
import { kdcIdentity } from './pkinit.ts'

type Info = Infer<typeof KdcDhKeyInfo>
type Rep = DhRepInfo

/** Changes PA-PK-AS-REP in every AS-REP. */
export const changedReply =
  (change: (value: Uint8Array) => Uint8Array | undefined | Promise<Uint8Array | undefined>) =>
  async (octets: Uint8Array) => {
    if (octets[0] !== 0x6b) return octets
    const reply = decode(AsRep, octets)
    const padata = []
    for (const one of reply.padata ?? []) {
      const padataValue = one.padataType === 17 ? await change(one.padataValue) : one.padataValue
      if (padataValue) padata.push({ ...one, padataValue })
    }
    return encode(AsRep, { ...reply, padata })
  }

/** Changes what the KDC signed, and signs it again. */
export const resigned = (
  change: (info: Info) => Info,
  {
    type = PKINIT_DH_KEY_DATA,
    identity = kdcIdentity,
    rep = (value: Rep) => value,
  }: { type?: string; identity?: Identity; rep?: (value: Rep) => Rep } = {},
) =>
  changedReply(async (octets) => {
    const { value } = decode(PaPkAsRep, octets) as { kind: 'dhInfo'; value: Rep }
    const info = decode(KdcDhKeyInfo, readSignedData(value.dhSignedData).content)
    const content = encode(KdcDhKeyInfo, change(info))
    const dhSignedData = await signData({ contentType: type, content }, identity)
    return encode(PaPkAsRep, { kind: 'dhInfo', value: rep({ ...value, dhSignedData }) })
  })

/** Another public value of the KDC's. */
export const publicValue = (octets: Uint8Array) => (info: Info) => ({
  ...info,
  subjectPublicKey: { octets, unusedBits: 0 },
})

/** What the KDC signed, without its signature. */
export const unsigned = changedReply((octets) => {
  const { value } = decode(PaPkAsRep, octets) as { value: Rep }
  const { content } = readSignedData(value.dhSignedData)
  const dhSignedData = wrapUnsigned({ contentType: PKINIT_DH_KEY_DATA, content })
  return encode(PaPkAsRep, { kind: 'dhInfo', value: { ...value, dhSignedData } })
})

/** The group of 1024 bits (RFC 2409 §6.2), as SubjectPublicKeyInfo has it. */
export const group2 = {
  algorithm: keyAgreements.modp,
  parameters: encode(DomainParameters, { p: MODP_1024, g: 2n, q: MODP_1024 >> 1n }),
}

/** Makes every refusal of a group one that takes group 2 alone; `told` hears of each. */
export const offeringGroup2 =
  (told: () => void = () => undefined) =>
  (octets: Uint8Array): Uint8Array => {
    if (octets[0] !== 0x7e) return octets
    const error = decode(KrbErrorMessage, octets)
    if (error.errorCode !== 65) return octets
    told()
    const dataValue = encode(TdDhParameters, [group2])
    return encode(KrbErrorMessage, {
      ...error,
      eData: encode(TypedData, [{ dataType: typedDataTypes.dhParameters, dataValue }]),
    })
  }
