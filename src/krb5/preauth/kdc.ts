/** The interface of pre-authentication, the KDC's half (RFC 4120 §3.1.3, RFC 6113). @module */
import type { Encoded } from '../../asn1/structures.ts'
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { Key } from '../../crypto/key.ts'
import type { Secrets } from '../../crypto/secrets.ts'
import type { Env } from '../env.ts'
import type { KrbError } from '../errors.ts'
import type { AuthorizationData, PaData } from '../messages/basics.ts'
import type { TypedData } from '../messages/error.ts'
import type { KdcReqBody } from '../messages/kdc.ts'
import type { Principal } from '../names.ts'
import type { KrbExchange } from '../questions.ts'

/** What a mechanism may know of the AS-REQ that it judges. */
export interface KdcPreauthState {
  readonly env: Env
  /** As the database names it. */
  readonly client: Principal
  /** The client's keys of the enctypes in the request, in the request's order. */
  readonly keys: readonly Key[]
  /** The request's body, or the one inside FAST. */
  readonly body: Encoded<KdcReqBody>
  /** The whole AS-REQ as it arrived. */
  readonly request: Uint8Array
  /** The key of the FAST channel; undefined outside FAST. */
  readonly armorKey: Key | undefined
  /** What this mechanism had put into the cookie in the round before; undefined when there was none. */
  readonly cookie: Uint8Array | undefined
  /** Wiped with the request: keys that the mechanism makes belong here. */
  readonly secrets: Secrets
}

/** What a mechanism tells the client: padata, and what it wants to be reminded of when the client comes back. */
export interface KdcRound {
  readonly padata: readonly PaData[]
  /** Travels sealed in PA-FX-COOKIE, for this client and a few minutes only (RFC 6113 §5.2). */
  readonly cookie?: Uint8Array | undefined
}

/** What a mechanism makes of a proof. */
export type Verdict =
  | {
      readonly kind: 'verified'
      /** What the reply is sealed with, before FAST strengthens it. */
      readonly key: Key
      /** Padata of the reply. */
      readonly padata?: readonly PaData[] | undefined
      /** Whether the proof took a device that the client has (RFC 4120 §2.1). */
      readonly hardware?: boolean | undefined
      /** What the ticket is to tell services of the proof's strength (RFC 8129). */
      readonly indicators?: readonly string[] | undefined
      /** What the ticket is to tell services of how the proof was judged (RFC 4556 §3.2.2). */
      readonly authorizationData?: AuthorizationData | undefined
      /** When the ticket has to end, in seconds since the epoch: a certificate does not outlive itself (RFC 4556 §3.2.3). */
      readonly until?: number | undefined
      /** Whether the client stays unnamed in the ticket (RFC 8062 §4.1). */
      readonly anonymous?: boolean | undefined
      /** The ticket's session key, where both sides are to have a share in it, and what tells the client of ours (RFC 8062 §7). */
      readonly contribute?: ((enctype: Enctype) => { readonly sessionKey: Key; readonly padata: PaData }) | undefined
    }
  /** Refused, with TYPED-DATA that tells how to do better (RFC 4120 §5.9.1). */
  | { readonly kind: 'refused'; readonly error: KrbError; readonly typedData: TypedData }
  | ({ readonly kind: 'more' } & KdcRound)

/** One way for clients to prove who they are. Order in a list is the order in which they are offered. */
export interface KdcPreauth {
  readonly name: string
  /** The PA-DATA types of its proofs. */
  readonly types: readonly number[]
  /** What METHOD-DATA says of it; undefined when it is not for this client, or not for a request like this. */
  hint(state: KdcPreauthState): KdcRound | undefined
  /** Judges the proof. Throws KrbError, KDC_ERR_PREAUTH_FAILED above all, and Asn1Error. */
  check(proof: PaData, state: KdcPreauthState): KrbExchange<Verdict>
  /** Users whom this certificate (DER) could be of, as services that ask in their names show it (MS-SFU §2.2.2). Throws KrbError. */
  usersOf?(certificate: Uint8Array): readonly Principal[]
}
