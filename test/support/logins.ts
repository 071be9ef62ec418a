/** A realm without sockets, whose KDC a test may lie for: logins go straight to it. */
import { run } from '../../src/effects/index.ts'
import { MemoryDatabase } from '../../src/kdc/database.ts'
import { createKdc, type KdcEvent, type KdcOptions } from '../../src/kdc/kdc.ts'
import { type AsRequest, asExchange } from '../../src/krb5/exchanges/as.ts'
import { type TgsRequest, tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import type { KrbExchange, KrbQuestions, Prompt } from '../../src/krb5/questions.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { fixedEnv } from './env.ts'

export const REALM = 'LAB.TEST'
export const TIME = 1_800_000_000

/** What a test may do to what passes between client and KDC. */
export interface Wire {
  /** The n-th request in place of the one that was sent. */
  readonly request?: (message: Uint8Array, n: number) => Uint8Array
  /** The n-th answer in place of the KDC's. */
  readonly answer?: (message: Uint8Array, n: number) => Uint8Array
}

/** A realm LAB.TEST with alice (alice-pw), host/armor and HTTP/www. */
export function testRealm(options: Partial<KdcOptions> = {}) {
  const env = fixedEnv(TIME)
  const database = new MemoryDatabase(REALM, env.random)
  database.add('alice', { password: 'alice-pw', aliases: ['al'] })
  database.add('host/armor', { password: 'host-pw' })
  database.add('HTTP/www')
  const events: KdcEvent[] = []
  const kdc = createKdc({ realm: REALM, database, env, log: (event) => events.push(event), ...options })
  const sent: Uint8Array[] = []
  const prompts: Prompt[] = []
  const answers: string[] = []
  const go = <T>(exchange: KrbExchange<T>, { request, answer }: Wire = {}): Promise<T> => {
    let n = 0
    return run<KrbQuestions, T>(exchange, {
      send({ message }) {
        const at = n++
        const given = request?.(message, at) ?? message
        sent.push(given)
        const reply = kdc.handle(given)
        if (!reply) throw new TypeError('the KDC gave no answer')
        return { message: answer?.(reply, at) ?? reply, kdc: 'embedded' }
      },
      prompt(prompt) {
        prompts.push(prompt)
        return answers.shift() ?? 'nothing'
      },
      compute: ({ work }) => work(),
      replay: () => false,
      keep: () => undefined,
    })
  }
  return {
    ...{ env, database, kdc, events, sent, prompts, answers, go },
    /** Logs in as `name`, by default with the password `name-pw`. */
    login(
      name: string,
      { password = `${name}-pw`, ...more }: Partial<AsRequest> & { password?: string } = {},
      wire: Wire = {},
      given = env,
    ) {
      const client = parsePrincipal(name, { realm: REALM })
      return go(asExchange({ client, secret: passwordSecret(client, password), lifetime: 3600, ...more }, given), wire)
    },
    /** A host's ticket to go through FAST with. */
    async armor() {
      const client = parsePrincipal('host/armor', { realm: REALM })
      const login = asExchange({ client, secret: passwordSecret(client, 'host-pw'), lifetime: 3600 }, env)
      return { ticket: (await go(login)).credential }
    },
    /** Buys a ticket for HTTP/www. */
    buy: (request: Omit<TgsRequest, 'service'>, wire: Wire = {}) =>
      go(tgsExchange({ service: parsePrincipal('HTTP/www', { realm: REALM }), ...request }, env), wire),
  }
}
