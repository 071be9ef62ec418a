/** gssproxy.conf: which services there are, for whom, out of which stores. @module */
import type { Usage } from '../gss/credentials.ts'
import { flagBits, flagsOf, type GssFlag } from '../gss/flags.ts'

/** One `[service/…]` section. */
export interface ServiceConfig {
  readonly name: string
  /** A user's name or number: the owner of the socket. */
  readonly euid: string
  /** Where the service is to be had; the daemon's own socket where none is said. */
  readonly socket: string | undefined
  /** Whether anybody may connect. */
  readonly anyUser: boolean
  readonly usage: Usage
  readonly principal: string | undefined
  readonly keytab: string | undefined
  readonly clientKeytab: string | undefined
  readonly ccache: string | undefined
  /** Seconds. */
  readonly minLifetime: number
  readonly filterFlags: readonly GssFlag[]
  readonly enforceFlags: readonly GssFlag[]
  /** Whether clients may have credentials in the names of users who are not there (S4U2Self). */
  readonly protocolTransition: boolean
  /** Whether clients may initiate with those (S4U2Proxy). */
  readonly constrainedDelegation: boolean
  /** Whether clients may have the tickets that are bought with their handles, sealed into those. */
  readonly clientSync: boolean
  /** Whether the client is the kernel's NFS server, which has to be told that the socket is there. */
  readonly kernelNfsd: boolean
}

/** A gssproxy.conf. */
export interface GssProxyConfig {
  /** In the order of the file. */
  readonly services: readonly ServiceConfig[]
  /** Whether each call is told of. */
  readonly debug: boolean
}

/** What is wrong with a gssproxy.conf, and in which line. */
export class GssProxyConfigError extends Error {
  override readonly name = 'GssProxyConfigError'
  /** From 1. */
  readonly line: number

  constructor(line: number, what: string) {
    super(`gssproxy.conf, line ${line}: ${what}`)
    this.line = line
  }
}

/** Settings of the whole daemon. */
const ofDaemon = ['debug', 'debug_level']

/** Settings that cannot be kept here, and why: a service that promised less than it says would be worse than none. */
const refused: Readonly<Record<string, string>> = {
  program: 'the system tells a JavaScript program nothing about its peers; give each program a socket of its own',
  selinux_context: 'the system tells a JavaScript program nothing about its peers; let SELinux guard the socket',
  run_as_user: 'start the daemon as that user, with sockets that it may make',
  impersonate: 'a client says in whose name it wants credentials; see allow_protocol_transition',
  syslog_status: 'there is no system log here; debug_level = 1 tells of each call on standard error',
  'worker threads': 'one thread serves everybody, and waits for nobody',
}

/** Where Linux's kernel looks for the daemon. */
const KERNEL_SOCKET = '/run/gssproxy.sock'

/** Settings of a service, and the keys that its `cred_store` may have. */
const known = [
  'mechs',
  'euid',
  'socket',
  'cred_store',
  'cred_usage',
  'krb5_principal',
  'filter_flags',
  'enforce_flags',
  'min_lifetime',
  'allow_any_uid',
  'allow_protocol_transition',
  'allow_constrained_delegation',
  'allow_client_ccache_sync',
  'kernel_nfsd',
  'trusted',
  'krb5_keytab',
  'krb5_ccache',
  'krb5_client_keytab',
]
const stores = ['keytab', 'client_keytab', 'ccache']

/** Flags as gssproxy names them. */
const flagNames: Readonly<Record<string, GssFlag>> = {
  DELEGATE: 'delegateToPeer',
  MUTUAL_AUTH: 'mutualAuthentication',
  REPLAY_DETECT: 'replayDetection',
  SEQUENCE: 'outOfSequenceDetection',
  CONFIDENTIALITY: 'confidentiality',
  INTEGRITIY: 'integrity',
  INTEGRITY: 'integrity',
  ANONYMOUS: 'anonymity',
}

interface Setting {
  readonly key: string
  readonly value: string
  readonly line: number
}
interface Section {
  readonly name: string
  readonly line: number
  readonly settings: Setting[]
}

/** Reads a gssproxy.conf. Throws {@link GssProxyConfigError} also for what it asks for in vain. */
export function parseGssProxyConfig(text: string): GssProxyConfig {
  const sections = sectionsOf(text)
  for (const { settings } of sections) refuseUnkept(settings)
  const debug = sections.filter(({ name }) => name === DAEMON).some(debugOf)
  const services = sections.filter(({ name }) => name !== DAEMON).map(serviceOf)
  const sockets = new Map<string, string>()
  for (const { config, line } of services) {
    const where = config.socket ?? 'the default socket'
    const taken = sockets.get(where)
    if (taken !== undefined)
      throw new GssProxyConfigError(
        line,
        `service/${config.name} and service/${taken} share ${where}; who connects is told by the socket alone, so each needs one of its own`,
      )
    sockets.set(where, config.name)
  }
  return { services: services.map(({ config }) => config), debug }
}

function sectionsOf(text: string): readonly Section[] {
  const sections: Section[] = []
  for (const [i, written] of text.split('\n').entries()) {
    const line = i + 1
    const content = written.trim()
    if (content === '' || /^[#;]/.test(content)) continue
    const name = /^\[(.+)\]$/.exec(content)?.[1]
    const [, key, value] = /^([^=]+?)\s*=\s*(.*)$/.exec(content) ?? []
    if (name !== undefined) sections.push({ name: name.trim(), line, settings: [] })
    else if (key === undefined) throw new GssProxyConfigError(line, `neither a section nor key = value: ${content}`)
    else if (sections.length === 0) throw new GssProxyConfigError(line, `${key} stands outside any section`)
    else sections.at(-1)!.settings.push({ key, value: value!, line })
  }
  return sections
}

function refuseUnkept(settings: readonly Setting[]): void {
  for (const { key, value, line } of settings) {
    const why = refused[key]
    if (why !== undefined && !isNo(value)) throw new GssProxyConfigError(line, `${key} is not supported: ${why}`)
  }
}

/** The section that is no service's. */
const DAEMON = 'gssproxy'

function debugOf({ settings }: Section): boolean {
  const unknown = settings.find(({ key }) => !ofDaemon.includes(key) && !(key in refused))
  if (unknown) throw new GssProxyConfigError(unknown.line, `${unknown.key} is no setting of the daemon`)
  const last = (key: string) => settings.filter((setting) => setting.key === key).at(-1)
  return isYes(last('debug')) || numberOf(last('debug_level'), 0) > 0
}

function serviceOf({ name: title, line, settings }: Section) {
  const name = /^service\/(.+)$/.exec(title)?.[1]
  if (name === undefined) throw new GssProxyConfigError(line, `[${title}] is neither [gssproxy] nor [service/name]`)
  const unknown = settings.find(({ key }) => !known.includes(key) && !(key in refused))
  if (unknown) throw new GssProxyConfigError(unknown.line, `${unknown.key} is no setting of a service`)
  const last = (key: string) => settings.filter((setting) => setting.key === key).at(-1)
  const euid = last('euid')?.value
  if (!euid) throw new GssProxyConfigError(line, `service/${name} has no euid`)
  const mechs = last('mechs')
  if (mechs?.value !== 'krb5')
    throw new GssProxyConfigError(mechs?.line ?? line, `service/${name} needs mechs = krb5, the only mechanism here`)
  const store = storeOf(settings)
  const kernelNfsd = isYes(last('kernel_nfsd'))
  if (isYes(last('trusted')) && !kernelNfsd)
    throw new GssProxyConfigError(
      last('trusted')!.line,
      'trusted is for kernel_nfsd alone: another service acts as itself; see allow_protocol_transition and allow_constrained_delegation',
    )
  const config: ServiceConfig = {
    ...{ name, euid, socket: last('socket')?.value ?? (kernelNfsd ? KERNEL_SOCKET : undefined) },
    anyUser: isYes(last('allow_any_uid')),
    // the kernel accepts, and does nothing else
    usage: kernelNfsd ? 'accept' : usageOf(last('cred_usage')),
    principal: last('krb5_principal')?.value,
    keytab: store.get('keytab') ?? last('krb5_keytab')?.value,
    clientKeytab: store.get('client_keytab') ?? last('krb5_client_keytab')?.value,
    ccache: store.get('ccache') ?? last('krb5_ccache')?.value,
    minLifetime: numberOf(last('min_lifetime'), 15),
    filterFlags: flagList(last('filter_flags'), ['delegateToPeer']),
    enforceFlags: flagList(last('enforce_flags'), []),
    protocolTransition: isYes(last('allow_protocol_transition')),
    constrainedDelegation: isYes(last('allow_constrained_delegation')),
    clientSync: isYes(last('allow_client_ccache_sync')),
    kernelNfsd,
  }
  return { config, line }
}

const isNo = (value: string) => /^(0|off|false|no)$/i.test(value)

function isYes(setting: Setting | undefined): boolean {
  if (!setting || isNo(setting.value)) return false
  if (/^(1|on|true|yes)$/i.test(setting.value)) return true
  throw new GssProxyConfigError(setting.line, `${setting.key} is yes or no, not ${setting.value}`)
}

function storeOf(settings: readonly Setting[]): ReadonlyMap<string, string> {
  const store = new Map<string, string>()
  for (const { key, value, line } of settings.filter(({ key }) => key === 'cred_store')) {
    const [, which, where] = /^([^:]+):(.+)$/.exec(value) ?? []
    if (which === undefined || !stores.includes(which))
      throw new GssProxyConfigError(line, `${key} = ${value}: one of ${stores.join(', ')} is wanted, as keytab:/path`)
    store.set(which, where!)
  }
  return store
}

function usageOf(setting: Setting | undefined): Usage {
  const value = setting?.value ?? 'both'
  if (value === 'initiate' || value === 'accept' || value === 'both') return value
  throw new GssProxyConfigError(setting!.line, `cred_usage is initiate, accept or both, not ${value}`)
}

function numberOf(setting: Setting | undefined, otherwise: number): number {
  if (!setting) return otherwise
  if (!/^\d{1,9}$/.test(setting.value)) throw new GssProxyConfigError(setting.line, `${setting.key} is a number`)
  return Number(setting.value)
}

/** `+DELEGATE, -SEQUENCE`: a sign is for adding or taking away, none adds; numbers are masks. */
function flagList(setting: Setting | undefined, otherwise: readonly GssFlag[]): readonly GssFlag[] {
  const flags = new Set(otherwise)
  for (const word of setting?.value.split(/[\s,]+/).filter(Boolean) ?? []) {
    const [, sign, name] = /^([+-]?)(.+)$/.exec(word)!
    const meant = /^(0x[0-9a-f]{1,8}|\d{1,9})$/i.test(name!)
      ? [...flagsOf(Number(name))]
      : [flagNames[name!.toUpperCase()]]
    for (const flag of meant) {
      if (!flag || !(flag in flagBits)) throw new GssProxyConfigError(setting!.line, `${name} is no flag`)
      if (sign === '-') flags.delete(flag)
      else flags.add(flag)
    }
  }
  return [...flags]
}

/** A path or name with `%U` (the service's user by number), `%u` (by name) and `%%`. */
export const expand = (text: string, user: { readonly uid: number; readonly name: string }): string =>
  text.replace(/%([Uu%])/g, (_, letter) => (letter === 'U' ? String(user.uid) : letter === 'u' ? user.name : '%'))
