import { Asn1Error } from '../asn1/error.ts'
import type { Key } from '../crypto/key.ts'
import type { Env } from '../krb5/env.ts'
import { KrbError } from '../krb5/errors.ts'
import type { HostAddress, PaData } from '../krb5/messages/basics.ts'
import type { TypedData } from '../krb5/messages/error.ts'
import type { KdcPreauth } from '../krb5/preauth/kdc.ts'
import type { PrincipalDatabase } from './database.ts'
import type { AnswerFaults } from './faults.ts'
import type { Limits } from './policy.ts'
import type { Remembered } from './remembered.ts'

/** Authentication indicators (RFC 8129) by the name of the mechanism that a client proved itself with. */
export type Indicators = Readonly<Record<string, readonly string[] | undefined>>

/** Where a request came from. */
export interface Origin {
  /** A ticket that has addresses is good from those alone (RFC 4120 §3.3.3). */
  readonly sender: HostAddress
}

/** What a KDC answers with. */
export interface Kdc {
  readonly realm: string
  readonly database: PrincipalDatabase
  readonly env: Env
  readonly limits: Limits
  /** Ways for clients to prove who they are, in the order they are offered. */
  readonly preauth: readonly KdcPreauth[]
  /** What tickets tell of each way to prove oneself, by its name. */
  readonly indicators: Indicators
  /** The realm that a host belongs to, empty for one that is not known: where to refer clients that ask here for its services. */
  readonly realmOfHost?: ((host: string) => string) | undefined
  /** Undefined where it is not known: whatever addresses a ticket has are good then. */
  readonly origin: Origin | undefined
  /** What is wrong with it. */
  readonly faults: AnswerFaults
  readonly remembered: Remembered
  /** The keys of the ticket-granting service, with which this KDC signs and knows what it signed; as they are at this request. */
  readonly grantingKeys: readonly Key[]
}

/** Refuses everything, where that was asked for. Throws KrbError. */
export function requireFaultless({ faults }: Kdc): void {
  if (faults.error) throw new KrbError(faults.error, 'a fault that was asked for')
}

/** A client that is to turn to another realm (RFC 6806 §7). */
export class WrongRealm extends Error {
  override readonly name = 'WrongRealm'
  readonly error: KrbError
  readonly realm: string

  constructor(realm: string, what: string) {
    const error = new KrbError('KDC_ERR_WRONG_REALM', what)
    super(error.message, { cause: error })
    this.error = error
    this.realm = realm
  }
}

/** A refusal that tells the client how to do better: METHOD-DATA, or TYPED-DATA in its place (RFC 4120 §5.9.1). */
export class RefusalWithData extends Error {
  override readonly name = 'RefusalWithData'
  readonly error: KrbError
  readonly padata: readonly PaData[]
  readonly typedData: TypedData | undefined
  readonly clientRealm: string | undefined

  constructor(error: KrbError, padata: readonly PaData[], typedData?: TypedData, clientRealm?: string) {
    super(error.message, { cause: error })
    this.error = error
    this.padata = padata
    this.typedData = typedData
    this.clientRealm = clientRealm
  }
}

/** What to tell of an error: a refusal as it is, what cannot be read as KRB_ERR_GENERIC. Throws anything else again. */
export function refusalOf(error: unknown): {
  readonly refused: KrbError
  readonly padata?: readonly PaData[]
  readonly typedData?: TypedData | undefined
  /** The realm of the client, where it is another one. */
  readonly clientRealm?: string | undefined
} {
  if (error instanceof RefusalWithData)
    return { refused: error.error, padata: error.padata, typedData: error.typedData, clientRealm: error.clientRealm }
  if (error instanceof WrongRealm) return { refused: error.error, clientRealm: error.realm }
  if (error instanceof KrbError) return { refused: error }
  if (error instanceof Asn1Error)
    return {
      refused: new KrbError('KRB_ERR_GENERIC', `the request cannot be read (${error.message})`, { cause: error }),
    }
  throw error
}
