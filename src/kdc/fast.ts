/** The KDC's end of FAST (RFC 6113 §5.4). @module */
import { decode, encode } from '../asn1/codec.ts'
import type { Encoded } from '../asn1/structures.ts'
import { Key } from '../crypto/key.ts'
import type { Secrets } from '../crypto/secrets.ts'
import { timestamp } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import { FastChannel, strengthened } from '../krb5/exchanges/fastchannel.ts'
import { ApReq } from '../krb5/messages/ap.ts'
import type { PaData, PrincipalName } from '../krb5/messages/basics.ts'
import { paTypes } from '../krb5/messages/codes.ts'
import { FX_FAST_ARMOR_AP_REQUEST, type KrbFastArmoredReq, PaFxFastRequest } from '../krb5/messages/fast.ts'
import type { KdcReqBody } from '../krb5/messages/kdc.ts'
import { Ticket } from '../krb5/messages/ticket.ts'
import { ANONYMOUS_REALM, anonymousPrincipal, principalNameOf } from '../krb5/names.ts'
import { sealedAuthenticator } from '../krb5/sealed.ts'
import { openPresented, type Presented } from './presented.ts'
import { refusal } from './replies.ts'
import { type Kdc, RefusalWithData, refusalOf } from './request.ts'

/** Options that no KDC may pass over (RFC 6113 §5.4.2) and this one does not know: bits 2 to 15. */
const critical: readonly string[] = Array.from({ length: 14 }, (_, at) => `bit${at + 2}`)

/** Whom a reply names when the client wants to be hidden (RFC 8062 §3). */
const anonymous = { crealm: ANONYMOUS_REALM, cname: principalNameOf(anonymousPrincipal()) }

/** The client that a reply names. */
export interface NamedClient {
  readonly crealm: string
  readonly cname: PrincipalName
}

/** A request that came through FAST, and the way back. */
export class Tunnel {
  readonly channel: FastChannel
  /** What was inside, in place of what is around it. */
  readonly padata: readonly PaData[]
  readonly body: Encoded<KdcReqBody>
  readonly #hidden: boolean

  /** Opens what the client put in. Throws KrbError. */
  constructor(channel: FastChannel, armored: KrbFastArmoredReq, signed: Uint8Array) {
    const { fastOptions, padata, reqBody } = channel.openRequest(armored, signed)
    if (critical.some((option) => (fastOptions as ReadonlySet<string>).has(option)))
      throw new KrbError('KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS', 'a FAST option that is not known here')
    this.channel = channel
    this.padata = padata
    this.body = reqBody
    this.#hidden = fastOptions.has('hideClientNames')
  }

  /** The client that the clear part of the reply names. */
  named(client: NamedClient): NamedClient {
    return this.#hidden ? anonymous : client
  }

  /** Padata of a reply, and the key that seals it. */
  sealReply(
    padata: readonly PaData[],
    { crealm, cname }: NamedClient,
    ticket: Ticket,
    replyKey: Key,
    { env, faults }: Kdc,
    secrets: Secrets,
  ): { readonly padata: readonly PaData[]; readonly key: Key } {
    const strengthenKey = secrets.keep(Key.generate(replyKey.enctype, env.random))
    const { time, micros } = timestamp(env)
    const fast = this.channel.sealResponse(
      {
        padata,
        strengthenKey: { keytype: strengthenKey.enctype.id, keyvalue: secrets.wiped(strengthenKey.octets()) },
        finished: {
          timestamp: time,
          usec: micros,
          crealm,
          cname,
          ticketChecksum: this.channel.signTicket(encode(Ticket, ticket)),
        },
        nonce: faults.nonce ? this.body.value.nonce ^ 1 : this.body.value.nonce,
      },
      env,
    )
    return { padata: [fast], key: secrets.keep(strengthened(strengthenKey, replyKey)) }
  }

  /** A refusal with everything that it tells inside FAST (RFC 6113 §5.4.4). Throws what is no refusal. */
  sealRefusal(error: unknown, { realm, env }: Kdc): RefusalWithData {
    const { refused, padata = [], typedData = [], clientRealm } = refusalOf(error)
    // typed data and padata have one registry, so that the one can stand for the other (RFC 6113 §5.4.4)
    const typed = typedData.map(({ dataType, dataValue = new Uint8Array(0) }) => ({
      padataType: dataType,
      padataValue: dataValue,
    }))
    const { cname, ...nameless } = this.body.value
    const body = this.#hidden || !cname ? nameless : { ...nameless, cname }
    const inner = { padataType: paTypes.fxError, padataValue: refusal(refused, realm, env, { body, clientRealm }) }
    const response = { padata: [...padata, ...typed, inner], nonce: this.body.value.nonce }
    return new RefusalWithData(refused, [this.channel.sealResponse(response, env)], undefined, clientRealm)
  }
}

/** What FAST there is in a request. Throws Asn1Error. */
export function armoredIn(padata: readonly PaData[]): KrbFastArmoredReq | undefined {
  const found = padata.find(({ padataType }) => padataType === paTypes.fxFast)
  return found && found.padataValue.length > 0 ? decode(PaFxFastRequest, found.padataValue).value : undefined
}

/** The tunnel of an AS-REQ, by a ticket-granting ticket of this realm (RFC 6113 §5.4.1.1). Throws KrbError. */
export function openAsTunnel(armored: KrbFastArmoredReq, outer: Uint8Array, kdc: Kdc, secrets: Secrets): Tunnel {
  const { armor } = armored
  if (!armor) throw new KrbError('KDC_ERR_PREAUTH_FAILED', 'FAST of an AS-REQ needs armor')
  if (armor.armorType !== FX_FAST_ARMOR_AP_REQUEST)
    throw new KrbError('KDC_ERR_PREAUTH_FAILED', `armor of type ${armor.armorType} is not known here`)
  const presented = openPresented(decode(ApReq, armor.armorValue), sealedAuthenticator, kdc, secrets)
  if (!presented.granting) throw new KrbError('KDC_ERR_PREAUTH_FAILED', 'the armor is no ticket-granting ticket')
  return new Tunnel(secrets.keep(channelOf(presented)), armored, outer)
}

/** The tunnel of a TGS-REQ, by the ticket that it shows and the AP-REQ that it shows it with (RFC 6113 §5.4.2). Throws KrbError. */
export function openTgsTunnel(
  armored: KrbFastArmoredReq,
  presented: Presented,
  request: Uint8Array,
  secrets: Secrets,
): Tunnel {
  if (armored.armor) throw new KrbError('KDC_ERR_PREAUTH_FAILED', 'FAST of a TGS-REQ takes no other armor')
  return new Tunnel(secrets.keep(channelOf(presented)), armored, request)
}

function channelOf({ subkey, sessionKey }: Presented): FastChannel {
  if (!subkey) throw new KrbError('KDC_ERR_PREAUTH_FAILED', 'armor needs a subkey')
  return new FastChannel(subkey, sessionKey)
}
