/** Starts peers below the folder of a test run. Nothing here stops them: the run's keeper does, however the run ends. */
import { createHash, randomInt, randomUUID } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sambaBackports } from './peers.ts'
import { LabError, run } from './process.ts'

/** Milliseconds that a peer may take to come up; Samba's provision is 10 s of work on an idle machine. */
export const startTimeout = 180_000

/** A KDC that runs. */
export interface Kdc {
  readonly dir: string
  readonly realm: string
  /** `127.x.y.z:port`, UDP and TCP. */
  readonly kdc: string
  /** `127.x.y.z:port` of the change-password service: UDP and TCP, but UDP alone with Heimdal. */
  readonly kpasswd: string
  /** What MIT's tools need to talk to it: KRB5_CONFIG, KRB5CCNAME, KRB5_KTNAME, KRB5RCACHENAME and such. */
  readonly env: Readonly<Record<string, string>>
}

/** A domain controller of Active Directory that runs. */
export interface DomainController extends Kdc {
  /** Its host name, which only its own DNS server knows. */
  readonly dc: string
  /** `127.x.y.z:53`. */
  readonly dns: string
}

/** An Apache that runs. */
export interface Apache {
  readonly dir: string
  /** `http://localhost:port`, below which lie `/krb5`, `/any` and what else apache.sh names. */
  readonly url: string
  /** The same by TLS, and the path of its CA. */
  readonly https: string
  readonly ca: string
}

/** A gss_echo.py that runs. */
export interface Echo {
  readonly dir: string
  /** `localhost:port`. */
  readonly address: string
}

/** Starts an MIT KDC below `root`; with `smallUdp` it answers KRB_ERR_RESPONSE_TOO_BIG to whatever makes over 500 octets. */
export async function startMit(root: string, options: { readonly smallUdp?: boolean } = {}): Promise<Kdc> {
  return kdcOf(await up(root, 'mit', options.smallUdp ? ['--small-udp'] : []))
}

/** Starts a Heimdal KDC below `root`; with `smallUdp` as startMit. */
export async function startHeimdal(root: string, options: { readonly smallUdp?: boolean } = {}): Promise<Kdc> {
  return kdcOf(await up(root, 'heimdal', options.smallUdp ? ['--small-udp'] : []))
}

/** Starts Samba below `root`; its provision, the longest part, is taken over from an earlier run of this checkout. */
export async function startSamba(root: string): Promise<DomainController> {
  const made = await up(root, 'samba', [
    '--cache',
    await cachePath('samba', ['samba.sh', 'samba_fill.py', 'common.sh']),
  ])
  return controllerOf(made)
}

/** Two forests that trust each other: the first one's alice is a member of `visitors` in the other. */
export interface Forests {
  readonly ad: DomainController
  readonly forest: DomainController
}

/** Starts two domain controllers of a newer Samba below `root`, AD.TEST and FOREST.TEST; half a minute. */
export async function startForests(root: string): Promise<Forests> {
  const network = `127.${randomInt(20, 220)}.${randomInt(1, 250)}`
  const start = async (realm: string, address: string, forwarder: string) =>
    controllerOf(
      await up(root, 'samba', [
        ...['--realm', realm, '--address', address, '--forwarder', forwarder, '--root', sambaBackports],
      ]),
    )
  const [ad, forest] = await Promise.all([
    start('AD.TEST', `${network}.1`, `${network}.2`),
    start('FOREST.TEST', `${network}.2`, `${network}.1`),
  ])
  const { code, stderr } = await run(
    'bash',
    [join(import.meta.dirname, 'trust.sh'), ad.dir, forest.dir, sambaBackports],
    {
      timeout: startTimeout,
    },
  )
  if (code !== 0) throw new LabError(`trust.sh: ${stderr}`)
  return { ad, forest }
}

/** Starts an Apache below `root` for users of `kdc`, with the KDC's keys for HTTP/localhost, those of `keytab`, or those of `proxy:SOCKET`. */
export async function startApache(root: string, kdc: Kdc, keytab?: string): Promise<Apache> {
  const { dir, env } = await up(root, 'apache', [kdc.dir, ...(keytab ? [keytab] : [])])
  return { dir, url: env['LAB_HTTP']!, https: env['LAB_HTTPS']!, ca: join(dir, 'tls', 'ca.pem') }
}

/** Starts the gssproxy daemon below `root` with this gssproxy.conf, for users of `kdc`. */
export async function startGssProxy(root: string, kdc: Kdc, config: string): Promise<void> {
  await up(root, 'gssproxy', [kdc.dir, config])
}

/** Starts a gss_echo.py below `root` for users of `kdc`. */
export async function startEcho(root: string, kdc: Kdc): Promise<Echo> {
  const { dir, env } = await up(root, 'echo', [kdc.dir])
  return { dir, address: env['LAB_ECHO']! }
}

/** A KDC proxy that runs. */
export interface Proxy {
  /** `https://localhost:port/KdcProxy` */
  readonly url: string
  /** Path of the CA of its certificate. */
  readonly ca: string
}

/** Starts python3-kdcproxy below `root` in front of `kdc`. */
export async function startKkdcp(root: string, kdc: Kdc): Promise<Proxy> {
  const { env } = await up(root, 'kkdcp', [kdc.dir])
  return { url: env['LAB_KKDCP']!, ca: env['LAB_KKDCP_CA']! }
}

/** Other web servers that run. */
export interface Web {
  /** lighttpd: `http://localhost:port`, below which lie `/neg` and `/basic`. */
  readonly lighttpd: string
  /** gss_https.py: `https://localhost:port`, below which lie `/allow` and `/require`. */
  readonly gssHttps: string
  /** Path of the latter's CA. */
  readonly ca: string
}

/** Starts lighttpd and gss_https.py below `root` for users of `kdc`. */
export async function startWeb(root: string, kdc: Kdc): Promise<Web> {
  const { env } = await up(root, 'web', [kdc.dir])
  return { lighttpd: env['LAB_LIGHTTPD']!, gssHttps: env['LAB_GSS_HTTPS']!, ca: env['LAB_WEB_CA']! }
}

/** A Squid that runs. */
export interface Squid {
  /** `http://localhost:port` */
  readonly url: string
  /** Path of a file with a line for each request that is over: METHOD URL USER STATUS. */
  readonly log: string
}

/** Starts Squid below `root` for users of `kdc`. */
export async function startSquid(root: string, kdc: Kdc): Promise<Squid> {
  const { env } = await up(root, 'squid', [kdc.dir])
  return { url: env['LAB_SQUID']!, log: env['LAB_SQUID_LOG']! }
}

/** Starts a KCM daemon below `root`; the path of its socket. */
export async function startKcm(root: string, kind: 'heimdal' | 'sssd'): Promise<string> {
  return (await up(root, 'kcm', [kind])).env['LAB_KCM_SOCKET']!
}

/** Starts a Redis below `root`; its port on 127.0.0.1. */
export async function startRedis(root: string): Promise<number> {
  return Number((await up(root, 'redis', [])).env['LAB_REDIS_PORT'])
}

/** Whose GSS-API gss_peer.c is built over. */
export type GssLibrary = 'mit' | 'heimdal'

/** Builds gss_peer.c below `root`; the path of the program. */
export async function buildGssPeer(root: string, library: GssLibrary): Promise<string> {
  const program = join(root, `gss_peer-${library}`)
  const multiarch = (await run('gcc', ['-print-multiarch'])).stdout.trim()
  const linked = {
    mit: ['-lgssapi_krb5'],
    heimdal: ['-DHEIMDAL', '-I/usr/include/heimdal', `-L/usr/lib/${multiarch}/heimdal`, '-lgssapi'],
  }
  const source = join(import.meta.dirname, 'gss_peer.c')
  const { code, stderr } = await run('gcc', ['-O1', '-o', program, source, ...linked[library]], {
    timeout: startTimeout,
  })
  if (code !== 0) throw new LabError(`gss_peer.c: ${stderr}`)
  return program
}

const kdcOf = ({ dir, env }: { readonly dir: string; readonly env: Kdc['env'] }): Kdc => ({
  dir,
  realm: env['LAB_REALM']!,
  kdc: env['LAB_KDC']!,
  kpasswd: env['LAB_KPASSWD']!,
  env,
})

const controllerOf = (made: { readonly dir: string; readonly env: Kdc['env'] }): DomainController => ({
  ...kdcOf(made),
  dc: made.env['LAB_DC']!,
  dns: made.env['LAB_DNS']!,
})

/** A file for what is made the same way every time, named after the scripts that make it. */
async function cachePath(name: string, scripts: readonly string[]): Promise<string> {
  const folder = join(import.meta.dirname, '../../node_modules/.cache/kerb-lab')
  await mkdir(folder, { recursive: true })
  const hash = createHash('sha256')
  for (const script of scripts) hash.update(await readFile(join(import.meta.dirname, script)))
  return join(folder, `${name}-${hash.digest('hex').slice(0, 16)}.tar.gz`)
}

async function up(root: string, script: string, args: readonly string[]) {
  const dir = join(root, `${script}-${randomUUID()}`)
  const path = join(import.meta.dirname, `${script}.sh`)
  const { code, stderr } = await run('bash', [path, 'up', dir, ...args], { timeout: startTimeout })
  if (code !== 0) throw new LabError(`${script}.sh up: ${stderr}`)
  return { dir, env: exports(await readFile(join(dir, 'env'), 'utf8')) }
}

/** The variables of an env file, one `export NAME=VALUE` a line. */
function exports(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]))
}
