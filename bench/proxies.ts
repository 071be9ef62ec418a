/** `kerb gssproxy` beside gssproxy: a thousand programs that are connected ask at once, each for one context. @module */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { SecurityContext } from '../src/gss/context.ts'
import { Name } from '../src/gss/name.ts'
import { procedures } from '../src/gssproxy/procedures.ts'
import { formatCall, parseReply } from '../src/gssproxy/rpc.ts'
import { decode, encode } from '../src/gssproxy/xdr.ts'
import { marked, Unframer } from '../src/krb5/framing.ts'
import { loadConfig } from '../src/node/environment.ts'
import { GSSPROXY_MAX_MESSAGE } from '../src/node/gssproxy/listen.ts'
import { Kerberos } from '../src/node/kerberos.ts'
import { LabError } from '../test/lab/process.ts'
import { median, type Tickets } from './figure.ts'
import { cpuOf } from './kdcload.ts'
import type { Row } from './row.ts'
import type { Measuring } from './turns.ts'

const CLIENTS = 1000
const ROUNDS = 3
/** Milliseconds until a daemon has its socket. */
const PATIENCE = 20_000
const GSSPROXY = '/usr/sbin/gssproxy'

/** The rows: contexts in a second of the daemon's CPU time, and how long the last client waited. Nothing without MIT's tickets. */
export async function measureProxies({ mit }: Pick<Measuring, 'mit'>): Promise<Row[]> {
  if (!mit) return []
  const folder = dirname(mit.tickets.ccache)
  await using ours = await Daemon.start('kerb', folder, mit.tickets)
  await using theirs = existsSync(GSSPROXY) ? await Daemon.start('gssproxy', folder, mit.tickets) : undefined
  const tokens = await tokensFrom(folder, mit.tickets)
  const sides = theirs ? [ours, theirs] : [ours]
  const rates = sides.map((): number[] => [])
  const waits = sides.map((): number[] => [])
  // the first round compiles what runs
  for (let round = -1; round < ROUNDS; round++)
    for (const [i, side] of sides.entries()) {
      const { perSecond, last } = await side.round(await tokens())
      if (round < 0) continue
      rates[i]!.push(perSecond)
      waits[i]!.push(last)
    }
  const name = `GSS-Proxy, ${CLIENTS} clients at once`
  const row = (what: string, unit: string, samples: readonly (readonly number[])[], better: 'more' | 'less'): Row => {
    const [kerb, peer = null] = samples.map(median)
    const ratio = peer === null ? null : better === 'more' ? kerb! / peer : peer / kerb!
    return { name: `${name}: ${what}`, unit, kerb: kerb!, peer, peerName: theirs ? 'gssproxy' : '', ratio }
  }
  return [row('contexts accepted', '1/s', rates, 'more'), row('until the last has its answer', 'ms', waits, 'less')]
}

/** What makes a token for each client. */
async function tokensFrom(folder: string, { ccache, withPac }: Tickets) {
  const kerberos = new Kerberos({ config: loadConfig([join(folder, 'krb5.conf')]) })
  const creds = await kerberos.acquire({ usage: 'initiate', store: { ccache } })
  const name = Name.principal(`${withPac}@LAB.TEST`)
  const token = async () => (await new SecurityContext({ usage: 'initiate', name, creds, mech: kerberos.krb5 }).step())!
  return async () => {
    const made: Uint8Array[] = []
    while (made.length < CLIENTS) made.push(await token())
    return made
  }
}

/** A daemon in a process of its own, and the connections of its clients. */
class Daemon implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #path: string
  readonly #sockets: Socket[] = []

  private constructor(child: ChildProcess, path: string) {
    this.#child = child
    this.#path = path
  }

  static async start(which: 'kerb' | 'gssproxy', folder: string, { keytab }: Tickets): Promise<Daemon> {
    const [path, config] = [join(folder, `${which}.sock`), join(folder, `${which}.conf`)]
    const settings = ['mechs = krb5', `socket = ${path}`, `cred_store = keytab:${keytab}`, 'cred_usage = accept']
    writeFileSync(
      config,
      ['[gssproxy]', '[service/bench]', ...settings, `euid = ${process.getuid!()}`, ''].join('\n'),
      {
        mode: 0o600,
      },
    )
    const env = { ...process.env, KRB5_CONFIG: join(folder, 'krb5.conf'), KRB5RCACHENAME: 'none:' }
    const child =
      which === 'kerb'
        ? fork(fileURLToPath(import.meta.resolve('./proxyserver.js')), [config], { env, stdio: 'ignore' })
        : spawn(GSSPROXY, ['-i', '-c', config, '-s', join(folder, 'default.sock')], { env, stdio: 'ignore' })
    const daemon = new Daemon(child, path)
    for (let waited = 0; !existsSync(path); waited += 20) {
      if (waited > PATIENCE || child.exitCode !== null) throw new LabError(`${which} has no socket`)
      await sleep(20)
    }
    while (daemon.#sockets.length < CLIENTS) daemon.#sockets.push(await connected(path))
    return daemon
  }

  /** Every client asks, all of them before any answer is looked at. */
  async round(tokens: readonly Uint8Array[]) {
    const { number, args, result } = procedures.ACCEPT_SEC_CONTEXT
    const calls = tokens.map((inputToken) => marked(formatCall(1, number, encode(args, { ...args.empty, inputToken }))))
    const [cpu, begun] = [cpuOf({ pid: this.#child.pid! }), performance.now()]
    const answers = await Promise.all(this.#sockets.map((socket, i) => answer(socket, calls[i]!)))
    const last = performance.now() - begun
    const perSecond = (CLIENTS * 1000) / (cpuOf({ pid: this.#child.pid! }) - cpu)
    for (const octets of answers) {
      const { status } = decode(result, parseReply(octets, 1), 'result').value
      if (status.majorStatus !== 0n) throw new LabError(`${this.#path} accepts nothing: ${status.minorStatusString}`)
    }
    return { perSecond, last }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    const ended = once(this.#child, 'exit')
    this.#child.kill()
    await ended
  }
}

/** A connection; tried again while the daemon has more of them to take than it queues. */
async function connected(path: string): Promise<Socket> {
  for (;;) {
    const socket = connect({ path })
    const failed = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      socket.once('connect', () => resolve(undefined)).once('error', resolve)
    })
    if (!failed) return socket
    if (failed.code !== 'EAGAIN') throw failed
    await sleep(5)
  }
}

function answer(socket: Socket, call: Uint8Array): Promise<Uint8Array> {
  const incoming = new Unframer(GSSPROXY_MAX_MESSAGE, 'record')
  return new Promise((resolve, reject) => {
    const closed = () => reject(new LabError('a client was hung up on'))
    socket.once('close', closed)
    socket.on('data', function take(octets: Uint8Array) {
      const [reply] = incoming.push(octets)
      if (!reply) return
      socket.off('data', take).off('close', closed)
      resolve(reply)
    })
    socket.write(call)
  })
}
