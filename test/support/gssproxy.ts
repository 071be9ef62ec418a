/** Keys that root alone can read, a gssproxy.conf over them, and programs of a user who cannot. */
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatPrincipal } from '../../src/krb5/names.ts'
import { formatKeytab, parseKeytab } from '../../src/store/keytab.ts'
import { keytab, lab, run, scratch } from '../lab/index.ts'

/** Whose the programs are that may not read keys. */
export const NOBODY = 65_534

/** A folder that everybody may pass through, for sockets, and keytabs in it that are root's. */
export function keyFolder() {
  const folder = scratch()
  chmodSync(folder, 0o711)
  return {
    path: (name: string) => join(folder, name),
    /** Path of a copy of the lab's keytab of this name; with the keys of `principal` alone where it is said. */
    keytab(name: string, principal?: string): string {
      const path = join(folder, `${principal ?? name}.keytab`)
      copyFileSync(keytab(name), path)
      chmodSync(path, 0o600)
      if (!principal) return path
      const { entries } = parseKeytab(readFileSync(path))
      const own = entries.filter((entry) => formatPrincipal(entry.principal) === `${principal}@${lab.mit.realm}`)
      writeFileSync(path, formatKeytab(own))
      return path
    },
    /** Path of a gssproxy.conf with these services, each with its settings. */
    config(services: Readonly<Record<string, readonly string[]>>): string {
      const path = join(folder, 'gssproxy.conf')
      const sections = Object.entries(services).map(([name, settings]) =>
        [`[service/${name}]`, 'mechs = krb5', ...settings].join('\n  '),
      )
      writeFileSync(path, `[gssproxy]\n${sections.join('\n')}\n`)
      return path
    },
  }
}

/** Runs a program as nobody, whose GSS-API asks the daemon at `socket` for everything. */
export const runProxied = (
  socket: string,
  command: readonly string[],
  options: { readonly input?: string; readonly env?: Readonly<Record<string, string>> } = {},
) =>
  run('setpriv', [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', ...command], {
    ...options,
    env: {
      KRB5_CONFIG: lab.mit.env['KRB5_CONFIG']!,
      ...{ KRB5CCNAME: 'MEMORY:', KRB5_KTNAME: '/nonexistent', KRB5_CLIENT_KTNAME: '/nonexistent' },
      ...{ GSS_USE_PROXY: 'yes', GSSPROXY_SOCKET: socket, GSSPROXY_BEHAVIOR: 'REMOTE_ONLY' },
      ...options.env,
    },
  })
