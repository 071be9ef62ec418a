/** MIT's sample programs, each with ours at the other end. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { type BoundMechanism, bind, type GssFlag, Name, SecurityContext } from 'kerb/gss'
import { IakerbCredential, iakerbMechanism, noRules } from 'kerb/gss/krb5'
import { passwordSecret } from 'kerb/krb5'
import type { Kerberos } from 'kerb/node'
import { expect } from 'vitest'
import { fromUtf8, utf8 } from '../../../src/bytes/index.ts'
import { keytab, lab, run, scratch } from '../../lab/index.ts'
import { kerberosOf } from '../../support/contexts.ts'
import { Samples, sampleFlags } from '../../support/samples.ts'
import { aliceAt, withKeytab } from './pair.ts'

/** What the programs can be told to use, and what ours has for it. */
export const mechanisms = ['krb5', 'spnego', 'iakerb'] as const

/** One of them. */
export type SampleMechanism = (typeof mechanisms)[number]

/** What our end of one connection saw. */
export interface Seen {
  /** Undefined where nobody was authenticated. */
  readonly flags: ReadonlySet<GssFlag> | undefined
  readonly initiator: string | undefined
  readonly delegated: string | undefined
  /** Each message, and the flags it came with; 0 in the first version. */
  readonly messages: { readonly text: string; readonly flags: number }[]
}

let alice: ReturnType<typeof aliceAt> | undefined
/** One login for all. */
const asAlice = () => (alice ??= aliceAt(lab.mit))

const boundTo = (kerberos: Kerberos, mech: SampleMechanism): BoundMechanism =>
  mech === 'iakerb' ? bind(iakerbMechanism(kerberos.env), kerberos.world) : kerberos[mech]

/** Runs gss-client with `args` to a server of ours that does what gss-server does. */
export async function gssClient(mech: SampleMechanism, args: readonly string[], message = 'from MIT') {
  const kerberos = kerberosOf(lab.mit.env)
  const creds = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('echo') } })
  const seen: Seen[] = []
  const problems: unknown[] = []
  const server = createServer((socket) => {
    const context = new SecurityContext({ usage: 'accept', creds, mech: boundTo(kerberos, mech) })
    const samples = new Samples(socket)
    answer(samples, context)
      .then((each) => seen.push(each))
      .catch((error) => problems.push(error))
      .finally(() => samples[Symbol.dispose]())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const who = mech === 'iakerb' ? ['-user', 'alice', '-pass', 'alice-pw'] : []
  const env = await asAlice()
  try {
    const all = ['-port', `${port}`, `-${mech}`, ...who, ...args, 'localhost', 'echo@localhost', message]
    const { code, stdout, stderr } = await run('gss-client', all, { env })
    expect({ code, stderr, problems }, stdout).toEqual({ code: 0, stderr: '', problems: [] })
    return { stdout, seen }
  } finally {
    server.close()
  }
}

async function answer(samples: Samples, context: SecurityContext): Promise<Seen> {
  const { noop, contextNext } = sampleFlags
  const messages: Seen['messages'][number][] = []
  const begin = await samples.receive()
  const first = begin?.flags === 0
  const authenticates = first || ((begin?.flags ?? 0) & contextNext) !== 0
  // Later versions say first what comes; the first one begins with a token.
  let token = first ? begin.token : undefined
  while (authenticates && !context.complete) {
    const answered = await context.step(token ?? (await samples.receive())?.token)
    token = undefined
    if (answered) samples.send(first ? 0 : sampleFlags.context, answered)
  }
  for (let frame = await samples.receive(); frame && !(frame.flags & noop); frame = await samples.receive()) {
    const { flags, token } = frame
    const wrapped = first || (flags & sampleFlags.wrapped) !== 0
    const opened = wrapped ? context.unwrap(token) : { message: token, encrypted: false }
    if (!first && wrapped) expect(opened.encrypted).toBe((flags & sampleFlags.encrypted) !== 0)
    messages.push({ text: fromUtf8(opened.message), flags })
    if (first || flags & sampleFlags.sendMic) samples.send(first ? 0 : sampleFlags.mic, context.sign(opened.message))
    else samples.send(noop)
  }
  return {
    flags: authenticates ? context.actualFlags : undefined,
    initiator: authenticates ? context.initiatorName.text : undefined,
    delegated: authenticates ? context.delegatedCredentials?.name?.text : undefined,
    messages,
  }
}

/** A gss-server that runs. */
export interface SampleServer extends Disposable {
  readonly port: number
  /** What it wrote to its log so far. */
  said(): string
  /** And to its standard output, where it has one. */
  readonly output?: () => string
  /** Its status, once it has ended. */
  readonly ended: Promise<unknown>
}

/** Of the lab, which installs the first. */
const programs = { server: 'gss-server', byLine: 'stdbuf' } as const

/** What starts gss-server for echo@localhost. */
function command(args: readonly string[]) {
  const log = join(scratch(), 'log')
  const env = { ...process.env, ...withKeytab(lab.mit, 'echo') }
  const said = () => readFileSync(log, { encoding: 'utf8', flag: 'a+' })
  return { env, said, all: ['-verbose', '-logfile', log, ...args, 'echo@localhost'] }
}

/** Starts gss-server. */
export async function gssServer(args: readonly string[]): Promise<SampleServer> {
  const port = await freePort()
  const { env, said, all } = command(['-port', `${port}`, ...args])
  // What it says on its standard output is wanted a line at a time.
  const child = spawn(programs.byLine, ['-oL', programs.server, ...all], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (data: Buffer) => (output += data))
  const ended = once(child, 'exit').then(([code]) => code as unknown)
  return { port, ended, said, output: () => output, [Symbol.dispose]: () => void child.kill() }
}

/** Starts what inetd does: a gss-server on each connection. */
export async function gssServerOfInetd(args: readonly string[]): Promise<SampleServer> {
  const { env, said, all } = command(['-inetd', ...args])
  const ended: Promise<unknown>[] = []
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    const child = spawn(programs.server, all, { env, stdio: [socket, 'ignore', 'inherit'] })
    ended.push(once(child, 'exit').then(() => socket.destroy()))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, said, ended: Promise.all(ended), [Symbol.dispose]: () => void server.close() }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

/** How our client talks to gss-server. */
export interface Talk {
  readonly flags?: readonly GssFlag[]
  /** Whether to speak the first version, which knows sealed messages alone, answered by a MIC. */
  readonly first?: boolean
  readonly wrap?: boolean
  readonly encrypt?: boolean
  readonly mic?: boolean
  readonly authenticate?: boolean
  readonly messages?: readonly string[]
}

/** What gss-client does, on our side. Fails where an answer does not verify. */
export async function talk(port: number, mech: SampleMechanism, how: Talk = {}): Promise<ReadonlySet<GssFlag>> {
  const { flags = ['mutualAuthentication', 'replayDetection'], first = false, authenticate = true } = how
  const { wrap = true, encrypt = wrap, mic = true, messages = ['from us'] } = how
  const { context, noop, contextNext, data, wrapped, encrypted, sendMic } = sampleFlags
  using samples = await Samples.to(port)
  const ours = await initiating(mech, flags)
  if (!first) samples.send(noop | (authenticate ? contextNext : 0))
  if (authenticate)
    for (let token = await ours.step(); token; ) {
      samples.send(first ? 0 : context, token)
      if (ours.complete) break
      const frame = await samples.receive()
      if (!frame) expect.fail('gss-server hung up')
      token = await ours.step(frame.token)
    }
  const kind = data | (wrap ? wrapped : 0) | (encrypt ? encrypted : 0) | (mic ? sendMic : 0)
  for (const text of messages) {
    samples.send(first ? 0 : kind, wrap ? ours.wrap(utf8(text), encrypt).message : utf8(text))
    const back = await samples.receive()
    if (!back) expect.fail('gss-server hung up')
    if (mic) ours.verify(utf8(text), back.token)
    else expect(back.flags).toBe(noop)
  }
  if (!first) samples.send(noop)
  return authenticate ? ours.actualFlags : new Set()
}

async function initiating(mech: SampleMechanism, flags: readonly GssFlag[]): Promise<SecurityContext> {
  const kerberos = kerberosOf(mech === 'iakerb' ? lab.mit.env : await asAlice())
  const name = Name.principal(`echo/localhost@${lab.mit.realm}`)
  if (mech !== 'iakerb') {
    const creds = await kerberos.acquire({ usage: 'initiate' })
    return new SecurityContext({ usage: 'initiate', name, creds, flags, mech: kerberos[mech] })
  }
  const client = kerberos.principal('alice')
  const creds = IakerbCredential.credentials(client, passwordSecret(client, 'alice-pw'))
  const send = () => expect.unreachable('the client asked a KDC itself')
  // 1.20 reads the realm as an OCTET STRING alone.
  const bound = bind(iakerbMechanism(kerberos.env, noRules, { form: 'octetString' }), { ...kerberos.world, send })
  return new SecurityContext({ usage: 'initiate', name, creds, flags, mech: bound })
}

/** The flags that gss-server tells of one connection, as its log has them. */
export function flagsTold(log: string): ReadonlySet<string> {
  return new Set([...log.matchAll(/context flag: (GSS_C_\w+)_FLAG/g)].map(([, name]) => name!))
}

/** What C calls them. */
export const cNames: { readonly [F in GssFlag]?: string } = {
  delegateToPeer: 'GSS_C_DELEG',
  mutualAuthentication: 'GSS_C_MUTUAL',
  replayDetection: 'GSS_C_REPLAY',
  outOfSequenceDetection: 'GSS_C_SEQUENCE',
}
