import type { Key } from '../../crypto/key.ts'
import type { Env } from '../env.ts'
import type { PaData } from '../messages/basics.ts'
import type { KrbExchange } from '../questions.ts'

/** What a mechanism may know of the login it serves. */
export interface LoginState {
  /** The clock in it follows the KDC's. */
  readonly env: Env
  /** The long-term key in the enctype and salt that the KDC chose; wiped with the login. */
  longTermKey(): KrbExchange<Key>
}

/** One way of proving who the client is (RFC 4120 §5.2.7). Order in a list is preference. */
export interface Preauth {
  readonly name: string
  /** The PA-DATA types that call for it. */
  readonly types: readonly number[]
  /** Answers what the KDC offered with the padata of the next request. */
  answer(offered: readonly PaData[], login: LoginState): KrbExchange<readonly PaData[]>
}
