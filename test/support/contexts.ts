import { Kerberos, type KerberosOptions } from 'kerb/node'
import { loadConfig } from '../../src/node/environment.ts'

/** Kerberos as `env` has it. */
export function kerberosOf(env: Readonly<Record<string, string>>, options: KerberosOptions = {}): Kerberos {
  const configPaths = [env['KRB5_CONFIG']!]
  return new Kerberos({
    ...options,
    config: loadConfig(configPaths),
    environment: { configPaths, ccacheName: env['KRB5CCNAME'], keytabName: env['KRB5_KTNAME'] },
  })
}
