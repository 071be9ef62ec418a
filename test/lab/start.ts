/** Starts peers below the folder of a test run. Nothing here stops them: the run's keeper does, however the run ends. */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LabError, run } from './process.ts'

/** An MIT KDC that runs. */
export interface Kdc {
  readonly dir: string
  readonly realm: string
  /** `127.0.0.1:port`, UDP and TCP. */
  readonly kdc: string
  /** What MIT's tools need to talk to it: KRB5_CONFIG, KRB5CCNAME, KRB5_KTNAME, KRB5RCACHENAME and such. */
  readonly env: Readonly<Record<string, string>>
}

/** An Apache that runs. */
export interface Apache {
  readonly dir: string
  /** `http://localhost:port`, below which lie `/krb5`, `/any` and what else apache.sh names. */
  readonly url: string
}

/** A gss_echo.py that runs. */
export interface Echo {
  readonly dir: string
  /** `localhost:port`. */
  readonly address: string
}

/** Starts an MIT KDC below `root`; with `smallUdp` it answers KRB_ERR_RESPONSE_TOO_BIG to whatever makes over 500 octets. */
export async function startMit(root: string, options: { readonly smallUdp?: boolean } = {}): Promise<Kdc> {
  const { dir, env } = await up(root, 'mit', options.smallUdp ? ['--small-udp'] : [])
  return { dir, realm: env['LAB_REALM']!, kdc: env['LAB_KDC']!, env }
}

/** Starts an Apache below `root` for users of `kdc`, with the KDC's keys for HTTP/localhost or those of `keytab`. */
export async function startApache(root: string, kdc: Kdc, keytab?: string): Promise<Apache> {
  const { dir, env } = await up(root, 'apache', [kdc.dir, ...(keytab ? [keytab] : [])])
  return { dir, url: env['LAB_HTTP']! }
}

/** Starts a gss_echo.py below `root` for users of `kdc`. */
export async function startEcho(root: string, kdc: Kdc): Promise<Echo> {
  const { dir, env } = await up(root, 'echo', [kdc.dir])
  return { dir, address: env['LAB_ECHO']! }
}

async function up(root: string, script: string, args: readonly string[]) {
  const dir = join(root, `${script}-${randomUUID()}`)
  const path = join(import.meta.dirname, `${script}.sh`)
  const { code, stderr } = await run('bash', [path, 'up', dir, ...args], { timeout: 60_000 })
  if (code !== 0) throw new LabError(`${script}.sh up: ${stderr}`)
  return { dir, env: exports(await readFile(join(dir, 'env'), 'utf8')) }
}

/** The variables of an env file, one `export NAME=VALUE` a line. */
function exports(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]))
}
