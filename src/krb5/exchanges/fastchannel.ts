/** The tunnel of FAST, both ends of it (RFC 6113 §5.4). @module */
import { decode, encode } from '../../asn1/codec.ts'
import type { Encoded } from '../../asn1/structures.ts'
import { krbFxCf2 } from '../../crypto/derive.ts'
import type { Key } from '../../crypto/key.ts'
import type { Env } from '../env.ts'
import { KrbError } from '../errors.ts'
import type { Checksum, PaData } from '../messages/basics.ts'
import { paTypes } from '../messages/codes.ts'
import {
  type FastOptions,
  type KrbFastArmor,
  type KrbFastArmoredReq,
  type KrbFastReq,
  type KrbFastResponse,
  PaFxFastReply,
  PaFxFastRequest,
} from '../messages/fast.ts'
import type { KdcReqBody } from '../messages/kdc.ts'
import { sealedFastReq, sealedFastResponse } from '../sealed.ts'
import { keyUsages } from '../usages.ts'

/** What a client puts through the tunnel. */
export interface FastRequest {
  readonly padata: readonly PaData[]
  readonly body: Encoded<KdcReqBody>
  readonly fastOptions: FastOptions
  /** What binds the tunnel to the request around it: the outer KDC-REQ-BODY, or the AP-REQ of a TGS-REQ. */
  readonly signed: Uint8Array
}

/** One conversation's tunnel; disposing of it wipes the armor key. */
export class FastChannel implements Disposable {
  readonly key: Key
  /** What identifies the key to the KDC; undefined where the PA-TGS-REQ does. */
  readonly #armor: KrbFastArmor | undefined

  /** The armor key of an AP-REQ's subkey and its ticket's session key (RFC 6113 §5.4.1.1). */
  constructor(subkey: Key, sessionKey: Key, armor?: KrbFastArmor) {
    this.key = krbFxCf2(subkey, sessionKey, 'subkeyarmor', 'ticketarmor')
    this.#armor = armor
  }

  /** PA-FX-FAST of a request. */
  sealRequest({ padata, body, fastOptions, signed }: FastRequest, env: Pick<Env, 'random'>): PaData {
    const value: KrbFastArmoredReq = {
      ...(this.#armor ? { armor: this.#armor } : {}),
      reqChecksum: this.#checksum(keyUsages.fastReqChecksum, signed),
      encFastReq: sealedFastReq.seal(this.key, { fastOptions, padata, reqBody: body }, env),
    }
    return { padataType: paTypes.fxFast, padataValue: encode(PaFxFastRequest, { kind: 'armored', value }) }
  }

  /** What the client put in. Throws KrbError KRB_AP_ERR_MODIFIED, and Asn1Error. */
  openRequest({ reqChecksum, encFastReq }: KrbFastArmoredReq, signed: Uint8Array): KrbFastReq {
    this.#verify(
      keyUsages.fastReqChecksum,
      signed,
      reqChecksum,
      'the request around FAST is not the one it was made for',
    )
    return sealedFastReq.open(this.key, encFastReq)
  }

  /** PA-FX-FAST of a reply or an error. */
  sealResponse(response: KrbFastResponse, env: Pick<Env, 'random'>): PaData {
    const value = { encFastRep: sealedFastResponse.seal(this.key, response, env) }
    return { padataType: paTypes.fxFast, padataValue: encode(PaFxFastReply, { kind: 'armored', value }) }
  }

  /** What the KDC put in. Throws KrbError KRB_AP_ERR_MODIFIED, and Asn1Error. */
  openResponse(padataValue: Uint8Array): KrbFastResponse {
    const { value } = decode(PaFxFastReply, padataValue)
    return sealedFastResponse.open(this.key, value.encFastRep)
  }

  /** What proves that a ticket is the one that came with KrbFastFinished. */
  signTicket(ticket: Uint8Array): Checksum {
    return this.#checksum(keyUsages.fastFinished, ticket)
  }

  /** Throws KrbError KRB_AP_ERR_MODIFIED for another ticket. */
  verifyTicket(ticket: Uint8Array, checksum: Checksum): void {
    this.#verify(keyUsages.fastFinished, ticket, checksum, 'the ticket is not the one that the KDC issued')
  }

  [Symbol.dispose](): void {
    this.key[Symbol.dispose]()
  }

  #checksum(usage: number, data: Uint8Array): Checksum {
    return { cksumtype: this.key.enctype.checksumId, checksum: this.key.checksum(usage, data) }
  }

  #verify(usage: number, data: Uint8Array, { cksumtype, checksum }: Checksum, what: string): void {
    if (cksumtype !== this.key.enctype.checksumId || !this.key.verify(usage, data, checksum))
      throw new KrbError('KRB_AP_ERR_MODIFIED', what)
  }
}

/** The key that seals a reply, strengthened by the KDC (RFC 6113 §5.4.3). */
export const strengthened = (strengthenKey: Key, replyKey: Key): Key =>
  krbFxCf2(strengthenKey, replyKey, 'strengthenkey', 'replykey')
