/** Our client at somebody else's KDC. */
import { type Credential, parsePrincipal, type TraceEvent, tgsExchange } from 'kerb/krb5'
import type { Kerberos, KerberosOptions, LoginOptions } from 'kerb/node'
import { expect } from 'vitest'
import type { Kdc } from '../../lab/start.ts'
import { kerberosOf } from '../../support/contexts.ts'
import { changedConfig } from '../../support/kerb.ts'

/** How to log in, and what must have happened. */
export interface OurLogin extends LoginOptions {
  /** Lines of libdefaults, in place of the lab's of the same name. */
  readonly config?: Readonly<Record<string, string | number>>
  /** What the trace must hold, in order. */
  readonly trace?: readonly Partial<TraceEvent>[]
  /** What a ticket is bought for; host/localhost unless said. */
  readonly service?: string
}

/** Logs `user` in, with the password that is the user's name and `-pw` unless said, and buys a ticket for `service` with the ticket got. */
export async function ours(kdc: Kdc, user: string, options: OurLogin = {}) {
  const { config = {}, trace = [], service = 'host/localhost', ...login } = options
  const { kerberos, events } = client(kdc, config)
  const secret = login.keytab ? {} : { password: `${user}-pw` }
  const got = await kerberos.login(user, { ...secret, ...login })
  const credential = await bought(kerberos, got.ticket, service)
  expectTrace(events, trace)
  return { login: got, credential, kerberos }
}

/** Kerberos as the lab's KDC has it, with lines of libdefaults changed, and what it traces. */
export function client(kdc: Kdc, config: NonNullable<OurLogin['config']> = {}, options: KerberosOptions = {}) {
  const events: TraceEvent[] = []
  const kerberos = kerberosOf(withLibdefaults(kdc.env, config), { ...options, trace: (event) => events.push(event) })
  return { kerberos, events }
}

/** Buys a ticket; of the client's own realm, unless `service` says another. */
export async function bought(kerberos: Kerberos, tgt: Credential, service = 'host/localhost'): Promise<Credential> {
  const wanted = parsePrincipal(service, { realm: kerberos.config.defaultRealm })
  const { credential } = await kerberos.run(tgsExchange({ tgt, service: wanted }, kerberos.env))
  expect(credential.server.components).toEqual(wanted.components)
  return credential
}

/** Holds the trace to have these events in this order. */
export function expectTrace(events: readonly TraceEvent[], trace: NonNullable<OurLogin['trace']>): void {
  let from = 0
  for (const wanted of trace) {
    const at = events.slice(from).findIndex((event) => Object.entries(wanted).every(matches(event)))
    expect(at, `${JSON.stringify(wanted)} in ${JSON.stringify(events, undefined, 1)}`).toBeGreaterThanOrEqual(0)
    from += at + 1
  }
}

const matches =
  (event: TraceEvent) =>
  ([name, value]: [string, unknown]) => {
    const has = (event as unknown as Readonly<Record<string, unknown>>)[name]
    return typeof value === 'string' && typeof has === 'string' ? has.includes(value) : has === value
  }

/** The environment over a krb5.conf with these lines in libdefaults. */
export function withLibdefaults(env: Kdc['env'], lines: Readonly<Record<string, string | number>>) {
  const names = Object.keys(lines).join('|')
  const added = Object.entries(lines).map(([name, value]) => `  ${name} = ${value}\n`)
  return changedConfig((text) => {
    const rest = names ? text.replaceAll(new RegExp(`^ *(?:${names}) *=.*\\n`, 'gm'), '') : text
    return rest.replace('[libdefaults]\n', `[libdefaults]\n${added.join('')}`)
  }, env)
}
