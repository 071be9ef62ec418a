/** A KDC of a few lines, written from the schemas alone, whose every reply a test may falsify. */
import { decode, encode } from '../../src/asn1/codec.ts'
import { sequenceOf } from '../../src/asn1/structures.ts'
import { utf8 } from '../../src/bytes/index.ts'
import { enctypeById, enctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { run } from '../../src/effects/index.ts'
import { ApReq } from '../../src/krb5/messages/ap.ts'
import { EncryptedData as EncryptedDataOf, PaData, type TicketFlags } from '../../src/krb5/messages/basics.ts'
import { paTypes } from '../../src/krb5/messages/codes.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import {
  AsRep,
  AsReq,
  type EncKdcRepPart,
  type KdcRep,
  type KdcReq,
  TgsRep,
  TgsReq,
} from '../../src/krb5/messages/kdc.ts'
import { EtypeInfo2 } from '../../src/krb5/messages/preauth.ts'
import type { KrbExchange, KrbQuestions } from '../../src/krb5/questions.ts'
import {
  sealedAsRep,
  sealedTgsAuthenticator,
  sealedTgsRepSubkey,
  sealedTicket,
  sealedTimestamp,
} from '../../src/krb5/sealed.ts'
import { fixedEnv } from './env.ts'

/** What a test changes in the replies. */
export interface Falsified {
  readonly part?: (part: EncKdcRepPart) => EncKdcRepPart
  readonly reply?: (reply: KdcRep) => KdcRep
  readonly octets?: (reply: Uint8Array) => Uint8Array
  /** Instead of a reply, the error of this code. */
  readonly error?: {
    readonly code: number
    readonly stime?: number
    readonly eText?: string
    readonly eData?: Uint8Array
  }
  readonly iterations?: number
  readonly clock?: number
}

export const REALM = 'LAB.TEST'
export const PASSWORD = 'alice-pw'
export const TIME = 1_800_000_000

const env = fixedEnv(TIME, 99)
const flags: TicketFlags = new Set(['initial', 'preAuthent', 'forwardable'])
export const clientKey = Key.fromPassword(enctypes[0]!, PASSWORD, utf8('LAB.TESTalice'))
export const krbtgtKey = new Key(enctypes[0]!, new Uint8Array(32).fill(1))
export const serviceKey = new Key(enctypes[0]!, new Uint8Array(32).fill(2))
const sessionKey = new Key(enctypes[0]!, new Uint8Array(32).fill(3))

/** Answers one request, falsified as told. */
export function scriptedKdc(message: Uint8Array, falsified: Falsified = {}): Uint8Array {
  const { octets = (reply) => reply } = falsified
  return octets(
    message[0] === 0x6a ? answerAs(decode(AsReq, message), falsified) : answerTgs(decode(TgsReq, message), falsified),
  )
}

/** Runs an exchange against it; `lie` gives what to falsify of the n-th answer. */
export function runAgainst<T>(
  exchange: KrbExchange<T>,
  lie: (n: number, message: Uint8Array) => Falsified = () => ({}),
): Promise<T> {
  let n = 0
  return run<KrbQuestions, T>(exchange, {
    send: ({ message }) => ({ message: scriptedKdc(message, lie(n++, message)), kdc: 'kdc1:88 (TCP)' }),
    prompt: () => PASSWORD,
    replay: () => false,
    keep: () => undefined,
    compute: ({ work }) => work(),
  })
}

function answerAs({ padata = [], reqBody: { value: body } }: KdcReq, lies: Falsified): Uint8Array {
  if (lies.error) return krbError(lies.error)
  const proof = padata.find(({ padataType }) => padataType === paTypes.encTimestamp)
  const info2 = encode(EtypeInfo2, [
    {
      etype: 18,
      salt: utf8('LAB.TESTalice'),
      s2kparams: Uint8Array.of(
        0,
        (lies.iterations ?? 4096) >> 16,
        (lies.iterations ?? 4096) >> 8,
        lies.iterations ?? 4096,
      ),
    },
  ])
  if (!proof) {
    const eData = encode(sequenceOf(PaData), [
      { padataType: paTypes.etypeInfo2, padataValue: info2 },
      { padataType: paTypes.encTimestamp, padataValue: new Uint8Array(0) },
    ])
    return krbError({ code: 25, eData })
  }
  const stamp = sealedTimestamp.open(clientKey, decode(EncryptedDataOf, proof.padataValue))
  if (Math.abs(stamp.patimestamp - (TIME + (lies.clock ?? 0))) > 300)
    return krbError({ code: 37, stime: TIME + (lies.clock ?? 0) })
  return reply(AsRep, sealedAsRep, clientKey, body, body.cname!, krbtgtKey, lies)
}

function answerTgs({ padata = [], reqBody: { value: body } }: KdcReq, lies: Falsified): Uint8Array {
  if (lies.error) return krbError(lies.error)
  const { ticket, authenticator } = decode(
    ApReq,
    padata.find(({ padataType }) => padataType === paTypes.tgsReq)!.padataValue,
  )
  const { key, cname } = sealedTicket.open(krbtgtKey, ticket.encPart)
  const { subkey } = sealedTgsAuthenticator.open(new Key(enctypeById(key.keytype)!, key.keyvalue), authenticator)
  const replyKey = new Key(enctypeById(subkey!.keytype)!, subkey!.keyvalue)
  return reply(
    TgsRep,
    sealedTgsRepSubkey,
    replyKey,
    body,
    cname,
    body.kdcOptions.has('canonicalize') ? krbtgtKey : serviceKey,
    lies,
  )
}

function reply(
  codec: typeof AsRep | typeof TgsRep,
  sealed: typeof sealedAsRep,
  key: Key,
  body: KdcReq['reqBody']['value'],
  cname: NonNullable<KdcReq['reqBody']['value']['cname']>,
  ticketKey: Key,
  { part: changePart = (part) => part, reply: changeReply = (reply) => reply, clock = 0 }: Falsified,
): Uint8Array {
  const times = { authtime: TIME + clock, endtime: body.till }
  const session = { keytype: 18, keyvalue: sessionKey.octets() }
  const transited = { trType: 1, contents: new Uint8Array(0) }
  const encPart = sealedTicket.seal(
    ticketKey,
    { flags, key: session, crealm: REALM, cname, transited, ...times },
    env,
    1,
  )
  const sname = body.sname!
  const part: EncKdcRepPart = {
    key: session,
    lastReq: [],
    nonce: body.nonce,
    flags,
    ...times,
    srealm: body.realm,
    sname,
  }
  const honest: KdcRep = {
    crealm: REALM,
    cname,
    ticket: { realm: body.realm, sname, encPart },
    encPart: sealed.seal(key, changePart(part), env),
  }
  return encode(codec, changeReply(honest))
}

/** A KRB-ERROR as the KDC sends it. */
export function krbError({ code, stime = TIME, eText, eData }: NonNullable<Falsified['error']>): Uint8Array {
  return encode(KrbErrorMessage, {
    stime,
    susec: 0,
    errorCode: code,
    realm: REALM,
    sname: { nameType: 2, nameString: ['krbtgt', REALM] },
    ...(eText === undefined ? {} : { eText }),
    ...(eData === undefined ? {} : { eData }),
  })
}
