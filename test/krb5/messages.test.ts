/** Messages that other people encoded: MIT's KDC transcripts and GSS tokens, read and written again to the octet. */
import { describe, expect, test } from 'vitest'
import { type Codec, decode, decodePrefix, encode } from '../../src/asn1/codec.ts'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import { unframe } from '../../src/gss/krb5/framing.ts'
import { ApRep, ApReq, Authenticator, EncApRepPart } from '../../src/krb5/messages/ap.ts'
import { MethodData } from '../../src/krb5/messages/basics.ts'
import { paTypes } from '../../src/krb5/messages/codes.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import {
  AsRep,
  AsReq,
  EncAsRepPart,
  EncTgsRepPart,
  type KdcReq,
  KdcReqBody,
  TgsRep,
  TgsReq,
} from '../../src/krb5/messages/kdc.ts'
import { EtypeInfo2, PaEncTsEnc } from '../../src/krb5/messages/preauth.ts'
import { EncTicketPart, Ticket } from '../../src/krb5/messages/ticket.ts'
import { vectors } from '../support/vectors.ts'

interface Exchange {
  readonly request: string
  readonly reply: string
  readonly request_type: string
  readonly reply_type: string
  readonly decrypted?: Readonly<Record<string, string>>
}
const { cases } = vectors<{ cases: readonly { readonly id: string; readonly exchanges: readonly Exchange[] }[] }>(
  'generated_kdc_transcripts',
)
const { contexts } = vectors<{
  contexts: readonly {
    readonly id: string
    readonly variant: string
    readonly mech: string
    readonly context_tokens: readonly { readonly token: string }[]
    readonly enc_ticket_part: string
    readonly authenticator: string
    readonly enc_ap_rep_part?: string
  }[]
}>('generated_gss_tokens')

const codecs: Readonly<Record<string, Codec<unknown>>> = {
  'AS-REQ': AsReq as Codec<unknown>,
  'TGS-REQ': TgsReq as Codec<unknown>,
  'AS-REP': AsRep as Codec<unknown>,
  'TGS-REP': TgsRep as Codec<unknown>,
  'KRB-ERROR': KrbErrorMessage as Codec<unknown>,
}
const survives = <T>(codec: Codec<T>, hex: string): T => {
  const value = decode(codec, fromHex(hex))
  expect(toHex(encode(codec, value))).toBe(hex)
  return value
}
/** The same for what was sealed: triple DES leaves the zeros that filled its last block (RFC 3961 §5.3). */
const survivesSealed = <T>(codec: Codec<T>, hex: string): T => {
  const { value, rest } = decodePrefix(codec, fromHex(hex))
  expect(rest.length).toBeLessThan(8)
  expect(`${toHex(encode(codec, value))}${'00'.repeat(rest.length)}`).toBe(hex)
  return value
}

describe.each(cases)('transcript $id', ({ exchanges }) => {
  test.each(exchanges)('$request_type and $reply_type', ({ request, reply, request_type, reply_type }) => {
    const { reqBody } = survives(codecs[request_type]!, request) as KdcReq
    expect(toHex(encode(KdcReqBody, reqBody.value))).toBe(toHex(reqBody.der))
    survives(codecs[reply_type]!, reply)
  })
})

/** The application tag tells what was decrypted. */
const parts: readonly (readonly [string, Codec<unknown>])[] = [
  ['63', EncTicketPart as Codec<unknown>],
  ['79', EncAsRepPart as Codec<unknown>],
  ['7a', EncTgsRepPart as Codec<unknown>],
  ['62', Authenticator as Codec<unknown>],
]
test('what was sealed in the transcripts', () => {
  const seen = new Set<string>()
  for (const { decrypted = {} } of cases.flatMap(({ exchanges }) => exchanges))
    for (const hex of Object.values(decrypted)) {
      const [tag, codec] = parts.find(([tag]) => typeof hex === 'string' && hex.startsWith(tag)) ?? []
      // MIT seals the AS's part under the tag of the TGS's, as RFC 4120 §5.4.2 lets it: then ours is the other tag.
      if (codec && tag) {
        survivesSealed(codec, hex)
        seen.add(tag)
      }
    }
  expect([...seen].sort()).toEqual(expect.arrayContaining(['62', '63', '7a']))
})

test('the padata by which a KDC asks for a timestamp, and the timestamp', () => {
  const refusal = decode(KrbErrorMessage, fromHex(cases[0]!.exchanges[0]!.reply))
  const padata = survives(MethodData, toHex(refusal.eData!))
  const info = padata.find(({ padataType }) => padataType === paTypes.etypeInfo2)!
  expect(survives(EtypeInfo2, toHex(info.padataValue))[0]!.etype).toBe(18)
  const stamps = cases
    .flatMap(({ exchanges }) => exchanges.flatMap(({ decrypted = {} }) => Object.values(decrypted)))
    .filter((hex) => typeof hex === 'string' && /^301[0-9a-f]a011180f/.test(hex))
  expect(stamps.length).toBeGreaterThan(0)
  for (const stamp of stamps) survivesSealed(PaEncTsEnc, stamp)
})

describe.each(contexts)(
  'context $id',
  ({ variant, mech, context_tokens, enc_ticket_part, authenticator, enc_ap_rep_part }) => {
    test('its tickets, authenticators and AP messages', () => {
      const { key } = survivesSealed(EncTicketPart, enc_ticket_part)
      expect(key.keyvalue.length).toBeGreaterThanOrEqual(16)
      survivesSealed(Authenticator, authenticator)
      if (enc_ap_rep_part) survivesSealed(EncApRepPart, enc_ap_rep_part)
      if (mech !== 'krb5') return
      const bare = variant === 'DCE_STYLE'
      const [request, reply] = context_tokens.map(({ token }) =>
        toHex(bare ? fromHex(token) : unframe(fromHex(token)).message),
      )
      const { ticket } = survives(ApReq, request!)
      survives(Ticket, toHex(encode(Ticket, ticket)))
      if (reply) survives(ApRep, reply)
    })
  },
)
