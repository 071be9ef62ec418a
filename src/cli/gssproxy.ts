import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { expand, parseGssProxyConfig, type ServiceConfig } from '../gssproxy/config.ts'
import { type CallReport, gssProxyServer } from '../gssproxy/server.ts'
import { type Account, accountOf } from '../node/accounts.ts'
import { listenGssProxy, type ProxySocket } from '../node/gssproxy/listen.ts'
import { KerberosService } from '../node/gssproxy/service.ts'
import { MemoryVault } from '../node/gssproxy/vault.ts'
import { Kerberos } from '../node/kerberos.ts'
import { random } from '../node/random.ts'
import { now } from '../node/world.ts'

/** What `kerb gssproxy` was told. */
export interface GssProxyCommandOptions {
  readonly config: string
  readonly socket: string
}

/** Anybody may write to it. */
const EVERYBODY = 0o666

/** Serves the services of a gssproxy.conf until SIGINT or SIGTERM. */
export async function gssproxy({ config, socket }: GssProxyCommandOptions): Promise<void> {
  const kerberos = new Kerberos()
  const { services, debug } = parseGssProxyConfig(readFileSync(config, 'utf8'))
  if (services.length === 0) throw new TypeError(`${config} has no [service/name]`)
  const onError = (error: unknown) => process.stderr.write(`gssproxy: ${error}\n`)
  const onCall = ({ service, procedure, outcome }: CallReport) =>
    process.stderr.write(`gssproxy: ${service}: ${procedure}: ${outcome}\n`)
  const server = gssProxyServer({ vault: new MemoryVault(), now, random, onError, ...(debug && { onCall }) })
  const sockets = services.map((service) => socketOf(kerberos, service, socket))
  await using listening = await listenGssProxy(server, sockets)
  if (services.some(({ kernelNfsd }) => kernelNfsd)) tellKernel(onError)
  process.stdout.write(`${listening.paths.map((path, i) => `${services[i]!.name}: ${path}`).join('\n')}\nReady.\n`)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
}

/** Has the kernel's NFS server ask this daemon rather than rpc.svcgssd, until it boots again. */
function tellKernel(onError: (error: unknown) => void): void {
  try {
    writeFileSync(KERNEL_SWITCH, '1')
  } catch (error) {
    onError(`the kernel does not hear of the socket, there is no NFS server in it: ${(error as Error).message}`)
  }
}
const KERNEL_SWITCH = '/proc/net/rpc/use-gss-proxy'

function socketOf(kerberos: Kerberos, config: ServiceConfig, defaultSocket: string): ProxySocket {
  const { euid, socket = defaultSocket, anyUser, keytab, clientKeytab, ccache, ...rest } = config
  const user = userOf(euid)
  const expanded = (text: string | undefined) => text && expand(text, user)
  return {
    path: socket,
    uid: user.uid,
    ...(anyUser ? { mode: EVERYBODY } : {}),
    service: new KerberosService(kerberos, {
      ...rest,
      ...{ keytab: expanded(keytab), clientKeytab: expanded(clientKeytab), ccache: expanded(ccache) },
    }),
  }
}

/** A user by name or number. Throws TypeError. */
function userOf(euid: string): Pick<Account, 'uid' | 'name'> {
  const numeric = /^\d+$/.test(euid)
  const account = accountOf(numeric ? Number(euid) : euid)
  if (account) return account
  if (numeric) return { uid: Number(euid), name: euid }
  throw new TypeError(`there is no user ${euid}`)
}
