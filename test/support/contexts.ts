import type { BoundMechanism } from 'kerb/gss'
import { Kerberos, type KerberosOptions } from 'kerb/node'
import { loadConfig } from '../../src/node/environment.ts'

/** A mechanism over the krb5.conf that `env` names, whatever the environment of the tests says. */
export function mechanism(name: 'krb5' | 'spnego', env: Readonly<Record<string, string>>): BoundMechanism {
  return kerberosOf(env)[name]
}

/** Kerberos as `env` has it. */
export function kerberosOf(env: Readonly<Record<string, string>>, options: KerberosOptions = {}): Kerberos {
  const configPaths = [env['KRB5_CONFIG']!]
  return new Kerberos({
    ...options,
    config: loadConfig(configPaths),
    environment: { configPaths, ccacheName: env['KRB5CCNAME'], keytabName: env['KRB5_KTNAME'] },
  })
}
