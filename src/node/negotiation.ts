/** What HTTP Negotiate is done with on this machine unless said otherwise. @module */
import type { Credentials, Usage } from '../gss/credentials.ts'
import type { BoundMechanism } from '../gss/mechanism.ts'
import { defaultKerberos } from './gss.ts'

/** `options`, with SPNEGO for a mechanism and with the environment's credentials where none are given. Throws ConfigError. */
export function withDefaults<Options extends { readonly mech?: BoundMechanism; readonly credentials?: unknown }>(
  options: Options,
  usage: Usage,
) {
  const kerberos = defaultKerberos()
  const { mech = kerberos.spnego, credentials = (): Promise<Credentials> => kerberos.acquire({ usage }) } = options
  return { ...options, mech, credentials } as Options & {
    readonly mech: BoundMechanism
    readonly credentials: NonNullable<Options['credentials']> | (() => Promise<Credentials>)
  }
}
