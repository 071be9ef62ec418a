/** What MIT's client and KDC sealed for each other, opened with the keys that they used: vectors/generated_kdc_transcripts.json. */
import { describe, expect, test } from 'vitest'
import { type Codec, decode } from '../../src/asn1/codec.ts'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import { krbFxCf2 } from '../../src/crypto/derive.ts'
import { enctypeById } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { ApReq } from '../../src/krb5/messages/ap.ts'
import { EncryptedData } from '../../src/krb5/messages/basics.ts'
import { paTypes } from '../../src/krb5/messages/codes.ts'
import { AsRep, AsReq, type KdcRep, type KdcReq, TgsRep, TgsReq } from '../../src/krb5/messages/kdc.ts'
import { keyUsages } from '../../src/krb5/usages.ts'
import { vectors } from '../support/vectors.ts'

interface KeyVector {
  readonly enctype: number
  readonly key: string
  readonly usage?: number
}
type KeyName =
  | 'client_long_term'
  | 'reply_key'
  | 'ticket_key'
  | 'tgt_session_key'
  | 'tgs_subkey'
  | 'armor_key'
  | 'strengthen_key'
  | 'client_challenge_key'
interface Exchange {
  readonly request: string
  readonly reply: string
  readonly request_type: 'AS-REQ' | 'TGS-REQ'
  readonly reply_type: string
  readonly keys: Readonly<Partial<Record<KeyName, KeyVector>>>
  readonly decrypted?: Readonly<Partial<Record<string, string>>>
}

const { krbtgt_keys, cases } = vectors<{
  krbtgt_keys: readonly KeyVector[]
  cases: readonly { readonly id: string; readonly exchanges: readonly Exchange[] }[]
}>('generated_kdc_transcripts')

const exchanges = cases.flatMap(({ id, exchanges }) =>
  exchanges.filter(({ keys }) => Object.keys(keys).length > 0).map((exchange) => ({ id, ...exchange })),
)
const keyOf = ({ enctype, key }: KeyVector) => new Key(enctypeById(enctype)!, fromHex(key))

/** The plaintext; enctypes that fill their last block leave zeros behind it (RFC 3961 §5.3). */
function opened(vector: KeyVector, usage: number, { etype, cipher }: EncryptedData): string {
  expect(etype).toBe(vector.enctype)
  return toHex(keyOf(vector).decrypt(usage, cipher))
}

/** What the names in `decrypted` stand for: the sealed part, its key and its usage (RFC 4120 §7.5.1). */
function sealedParts({ request_type, reply_type, request, reply, keys }: Exchange) {
  const { padata = [] } = decode((request_type === 'AS-REQ' ? AsReq : TgsReq) as Codec<KdcReq>, fromHex(request))
  const value = (type: number) => padata.find(({ padataType }) => padataType === type)?.padataValue
  const stamp = value(paTypes.encTimestamp)
  const apReq = value(paTypes.tgsReq)
  const ap = apReq && decode(ApReq, apReq)
  const isReply = reply_type !== 'KRB-ERROR'
  const rep = isReply
    ? decode((request_type === 'AS-REQ' ? AsRep : TgsRep) as Codec<KdcRep>, fromHex(reply))
    : undefined
  const replyUsage = request_type === 'AS-REQ' ? keyUsages.asRep : keyUsages.tgsRepSubkey
  return [
    ['pa_enc_timestamp', keys.client_long_term, keyUsages.paEncTimestamp, stamp && decode(EncryptedData, stamp)],
    ['tgs_authenticator', keys.tgt_session_key, keyUsages.tgsReqAuthenticator, ap?.authenticator],
    [
      'tgt_enc_part',
      krbtgt_keys.find(({ enctype }) => enctype === ap?.ticket.encPart.etype),
      keyUsages.ticket,
      ap?.ticket.encPart,
    ],
    ['enc_part', keys.reply_key, keys.reply_key?.usage ?? replyUsage, rep?.encPart],
    ['ticket', keys.ticket_key, keyUsages.ticket, rep?.ticket.encPart],
  ] as const
}

describe('what was sealed opens with its key under its usage', () => {
  test.each(exchanges)('$id: $request_type, $reply_type', (exchange) => {
    let count = 0
    for (const [name, key, usage, sealed] of sealedParts(exchange)) {
      const plaintext = exchange.decrypted?.[name]
      if (plaintext === undefined) continue
      const made = opened(key!, usage, sealed!)
      expect(made.slice(0, plaintext.length), name).toBe(plaintext)
      expect(made.slice(plaintext.length)).toMatch(key!.enctype === 16 ? /^(00){0,7}$/ : /^$/)
      count++
    }
    const inside = /^(krb_fast|encrypted_challenge)/
    expect(count).toBe(Object.keys(exchange.decrypted ?? {}).filter((name) => !inside.test(name)).length)
  })
  test('in eight enctypes', () => {
    const seen = new Set(exchanges.flatMap(({ keys }) => Object.values(keys).map(({ enctype }) => enctype)))
    expect([...seen].sort()).toEqual([16, 17, 18, 19, 20, 23, 25, 26])
  })
})

describe('keys are combined as RFC 6113 §5.4 has it', () => {
  const combined: readonly (readonly [KeyName, KeyName, KeyName, string, string])[] = [
    ['armor_key', 'tgs_subkey', 'tgt_session_key', 'subkeyarmor', 'ticketarmor'],
    ['reply_key', 'strengthen_key', 'tgs_subkey', 'strengthenkey', 'replykey'],
    ['client_challenge_key', 'armor_key', 'client_long_term', 'clientchallengearmor', 'challengelongterm'],
  ]
  test.each(combined)('%s out of %s and %s', (result, first, second, pepper1, pepper2) => {
    const those = exchanges.flatMap(({ keys }) => {
      const [made, one, other] = [keys[result], keys[first], keys[second]]
      return made && one && other ? [{ made, one, other }] : []
    })
    expect(those.length).toBeGreaterThan(0)
    for (const { made, one, other } of those) {
      using key = krbFxCf2(keyOf(one), keyOf(other), pepper1, pepper2)
      expect([key.enctype.id, toHex(key.octets())]).toEqual([made.enctype, made.key])
    }
  })
})
