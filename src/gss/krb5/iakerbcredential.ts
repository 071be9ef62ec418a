import { type Env, seconds } from '../../krb5/env.ts'
import { loginExchange } from '../../krb5/exchanges/login.ts'
import type { Principal } from '../../krb5/names.ts'
import type { KrbExchange } from '../../krb5/questions.ts'
import type { LongTermSecret } from '../../krb5/secret.ts'
import { type CredentialElement, Credentials } from '../credentials.ts'
import type { Name } from '../name.ts'
import { mechanismOids } from '../oids.ts'
import { Krb5Credential } from './credential.ts'
import { nameOf } from './names.ts'

/** Seconds that a ticket is asked for, unless said. */
const LIFETIME = 36_000

/** Somebody who can log in, but cannot reach a KDC yet: the acceptor of the first context will. */
export class IakerbCredential implements CredentialElement {
  readonly mechanism = mechanismOids.iakerb
  readonly usage = 'initiate'
  readonly name: Name
  readonly #client: Principal
  readonly #secret: LongTermSecret
  readonly #lifetime: number
  #tickets: Krb5Credential | undefined

  /** `lifetime` is in seconds. */
  constructor(client: Principal, secret: LongTermSecret, lifetime: number = LIFETIME) {
    this.name = nameOf(client)
    this.#client = client
    this.#secret = secret
    this.#lifetime = lifetime
  }

  /** Credentials of this element alone. */
  static credentials(client: Principal, secret: LongTermSecret): Credentials {
    return new Credentials([new IakerbCredential(client, secret)])
  }

  /** Undefined until the first context logged in. */
  get endtime(): number | undefined {
    return this.#tickets?.endtime
  }

  /**
   * The client's tickets, after a login if there are none that last: one for a ticket that can be `forwarded`, if the KDC
   * gives such. Throws KrbError.
   */
  *tickets(env: Env, forwarded = false): KrbExchange<Krb5Credential> {
    const held = this.#tickets
    if (held && (held.endtime ?? 0) > seconds(env.now() + held.clockOffset)) return held
    const options = forwarded ? (['forwardable'] as const) : []
    const request = {
      ...{ client: this.#client, secret: this.#secret, lifetime: this.#lifetime },
      ...{ options, renewsPassword: false },
    }
    const { credential, clockOffset } = yield* loginExchange(request, env)
    held?.[Symbol.dispose]()
    this.#tickets = new Krb5Credential({ initiate: { client: credential.client, tickets: [credential], clockOffset } })
    return this.#tickets
  }

  [Symbol.dispose](): void {
    this.#tickets?.[Symbol.dispose]()
  }
}
