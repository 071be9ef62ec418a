/** The interface of pre-authentication, the client's half (RFC 4120 §5.2.7, RFC 6113). @module */
import type { Encoded } from '../../asn1/structures.ts'
import type { Key } from '../../crypto/key.ts'
import type { Env } from '../env.ts'
import type { KrbError } from '../errors.ts'
import type { PaData } from '../messages/basics.ts'
import type { KdcRep, KdcReqBody } from '../messages/kdc.ts'
import type { Principal } from '../names.ts'
import type { KrbExchange } from '../questions.ts'
import type { KeyHint } from '../secret.ts'

/** What a mechanism may know of the login it serves. It changes from request to request: read it when it is needed. */
export interface LoginState {
  /** The clock in it follows the KDC's; `enctypes` are those of the request. */
  readonly env: Env
  readonly client: Principal
  readonly service: Principal
  /** The body of the request that the next proof goes with, as it is or inside FAST: its nonce, and what checksums cover. */
  readonly body: Encoded<KdcReqBody>
  /** Enctype and salt that the KDC told, or the defaults. */
  readonly hint: KeyHint
  /** The key of the FAST channel that the proof goes through; undefined outside FAST (RFC 6113 §5.4.1). */
  readonly armorKey: Key | undefined
  /** The long-term key that `hint` calls for, wiped with the login. Throws KrbError NO_KEY when the login has no secret. */
  longTermKey(hint?: KeyHint): KrbExchange<Key>
}

/** One way of proving who the client is. Order in a list is preference. */
export interface Preauth {
  readonly name: string
  /** The PA-DATA types that call for it; the first is the one it is known by. */
  readonly types: readonly number[]
  /** What to put in requests that hold no proof yet, to have the KDC tell more (RFC 8070 §2.1). */
  readonly announced?: readonly PaData[] | undefined
  /**
   * Whether a refused proof leaves the other mechanisms a chance, as for a certificate. Where the proof is a password,
   * the refusal is the answer, and asking again would but lock the account.
   */
  readonly fallible?: boolean | undefined
  /** One login's use of it; undefined when it cannot serve this login, as without armor or a certificate. */
  begin(login: LoginState): PreauthRun | undefined
}

/** A mechanism at work in one login; disposing of it wipes what it holds. */
export interface PreauthRun extends Disposable {
  /**
   * The padata of the next request. `offered` is what the KDC sent last: METHOD-DATA of KDC_ERR_PREAUTH_REQUIRED, of each
   * KDC_ERR_MORE_PREAUTH_DATA_REQUIRED, or of KDC_ERR_PREAUTH_FAILED with another salt; empty for a proof on chance that
   * nothing was offered for. Undefined when nothing of it can be answered: the next mechanism is tried. Throws KrbError
   * when the login should end.
   */
  answer(offered: readonly PaData[]): KrbExchange<readonly PaData[] | undefined>
  /**
   * Whether a refused proof can be made in another way that the KDC takes, as in another group: it is asked to `answer`
   * once more. `data` is what the refusal told beside its code. Throws KrbError when that cannot be read.
   */
  retry?(refusal: KrbError, data: readonly PaData[]): boolean
  /**
   * The key that the reply is sealed with, before FAST strengthens it, and the place to check the KDC's own proof. The
   * run keeps and wipes it. Undefined for the long-term key. `request` are the octets of the AS-REQ as it was sent.
   * Throws KrbError.
   */
  replyKey?(reply: KdcRep, request: Uint8Array): KrbExchange<Key | undefined>
  /**
   * Whether implementations are known that make another key than `replyKey` gave, by a mistake that shows in some exchanges
   * only: a reply that it does not open is then asked for once more.
   */
  readonly doubtful?: boolean
  /** The last look at a reply that was opened, for the sake of the ticket's session key. Throws KrbError. */
  confirm?(reply: KdcRep, sessionKey: Key): void
}
