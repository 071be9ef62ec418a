/** What C programs take from the environment, read here alone and only as defaults. @module */
import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import type { Effect } from '../effects/index.ts'
import { readConfig } from '../store/config.ts'
import { ConfigError } from '../store/error.ts'
import type { KrbConfig } from '../store/options.ts'
import { type ConfigQuestions, loadProfile } from '../store/profile.ts'

/** Names of the files that Kerberos programs share. */
export interface Environment {
  /** Files of the configuration, the first one first: KRB5_CONFIG, parted by colons. */
  readonly configPaths: readonly string[]
  /** KRB5CCNAME, or what krb5.conf says, or `FILE:/tmp/krb5cc_UID`. */
  readonly ccacheName?: string | undefined
  /** KRB5_KTNAME, or what krb5.conf says, or `FILE:/etc/krb5.keytab`. */
  readonly keytabName?: string | undefined
  /** KRB5_CLIENT_KTNAME. */
  readonly clientKeytabName?: string | undefined
  /** KRB5RCACHENAME, or what krb5.conf says; a memory of this process without either. */
  readonly rcacheName?: string | undefined
  /** KRB5RCACHEDIR or TMPDIR: the folder of the replay cache `dfl:`. */
  readonly rcacheFolder?: string | undefined
  /** KRB5_TRACE: the file that trace lines go to. */
  readonly tracePath?: string | undefined
}

const DEFAULT_CONFIG = '/etc/krb5.conf'

/** The environment of this process at this moment. */
export function environment(variables: Readonly<Record<string, string | undefined>> = process.env): Environment {
  return {
    configPaths: (variables['KRB5_CONFIG'] ?? DEFAULT_CONFIG).split(':').filter(Boolean),
    ccacheName: variables['KRB5CCNAME'],
    keytabName: variables['KRB5_KTNAME'],
    clientKeytabName: variables['KRB5_CLIENT_KTNAME'],
    rcacheName: variables['KRB5RCACHENAME'],
    rcacheFolder: variables['KRB5RCACHEDIR'] ?? variables['TMPDIR'],
    tracePath: variables['KRB5_TRACE'],
  }
}

/** The configuration in these files; one that is not there is empty. Throws {@link ConfigError}. */
export function loadConfig(paths: readonly string[]): KrbConfig {
  const loading = loadProfile(paths)
  let step = loading.next()
  while (!step.done) step = loading.next(answer(step.value))
  return readConfig(step.value)
}

/** `text` with its `%{…}` filled in; unknown ones stay. */
export const expandParameters = (text: string): string =>
  text.replace(/%\{(\w+)\}/g, (whole, parameter: string) => parameters[parameter]?.() ?? whole)

const parameters: Readonly<Record<string, () => string>> = {
  uid: () => String(process.getuid?.() ?? 0),
  euid: () => String(process.geteuid?.() ?? 0),
  USERID: () => String(process.getuid?.() ?? 0),
  username: () => userInfo().username,
  TEMP: tmpdir,
  null: () => '',
}

/** The ccache that programs use when nobody names one. */
export const defaultCcacheName = ({ ccacheName }: Environment, { defaultCcacheName: configured }: KrbConfig): string =>
  ccacheName || configured || 'FILE:/tmp/krb5cc_%{uid}'

/** The keytab that services use when nobody names one. */
export const defaultKeytabName = ({ keytabName }: Environment, { defaultKeytabName: configured }: KrbConfig): string =>
  keytabName || configured || 'FILE:/etc/krb5.keytab'

/** The keytab that clients log in with when nobody names one. */
export const defaultClientKeytabName = (
  { clientKeytabName }: Environment,
  { defaultClientKeytabName: configured }: KrbConfig,
): string => clientKeytabName || configured || 'FILE:/etc/krb5/user/%{euid}/client.keytab'

function answer({ kind, ask: { path } }: Effect<ConfigQuestions>): unknown {
  try {
    return kind === 'readFile' ? readFileSync(path, 'utf8') : readdirSync(path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || (code === 'ENOTDIR' && kind === 'listDirectory')) return undefined
    throw new ConfigError(path, undefined, `cannot be read (${code})`, { cause })
  }
}
