/** Somebody else's GSS-API, a command at a time: gss_peer.c over the libraries of MIT and Heimdal, gss_peer.py over python-gssapi. @module */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { ChannelBindings, IovBuffer, IovType } from 'kerb/gss'
import { fromHex, toHex } from '../../src/bytes/index.ts'

/** What the other side answered with an error. */
export class PeerRefusal extends Error {
  override readonly name = 'PeerRefusal'
  /** `GSS_S_BAD_BINDINGS` and such. */
  readonly major: string
  /** What it would send for it. */
  readonly token: Uint8Array | undefined

  constructor(major: string, token: string, text: string) {
    super(`${major}: ${text}`)
    this.major = major
    this.token = token === '-' ? undefined : fromHex(token)
  }
}

/** What a context says of itself. */
export interface PeerFacts {
  readonly initiator: string
  readonly target: string
  readonly mech: string
  readonly flags: number
  /** Seconds. */
  readonly lifetime: number
}

const letters = { header: 'h', data: 'd', signOnly: 's', padding: 'p', trailer: 't', stream: 'w' } as const
const kinds = Object.fromEntries(Object.entries(letters).map(([type, letter]) => [letter, type])) as Readonly<
  Record<string, IovType>
>

const hex = (octets: Uint8Array | undefined) => (octets?.length ? toHex(octets) : '-')
const octets = (text: string | undefined) => (text === undefined || text === '-' ? new Uint8Array(0) : fromHex(text))
const words = (pieces: readonly IovBuffer[]) => pieces.map(({ type, octets }) => `${letters[type]}:${hex(octets)}`)
const pieces = (texts: readonly string[]): readonly IovBuffer[] =>
  texts.map((text) => ({ type: kinds[text[0]!]!, octets: octets(text.slice(2)) }))
const side = (from: ChannelBindings['initiator']) => [String(from?.type ?? 0), from ? toHex(from.address) : ''] as const
const bindingsText = (bindings: ChannelBindings | undefined) =>
  bindings ? [...side(bindings.initiator), ...side(bindings.acceptor), toHex(bindings.applicationData)].join(':') : '-'

/** One side of a context in another process. Its methods throw {@link PeerRefusal} for what the library answers with an error. */
export class GssPeer implements Disposable {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: AsyncIterator<string>

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.#child = spawn(command, args, { env: { ...env, LC_ALL: 'C.UTF-8' }, stdio: 'pipe' })
    this.#child.stderr.pipe(process.stderr)
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]()
  }

  async #ask(...command: readonly (string | number)[]): Promise<readonly string[]> {
    this.#child.stdin.write(`${command.join(' ')}\n`)
    const { value, done } = await this.#lines.next()
    if (done) throw new PeerRefusal('ENDED', '-', command.join(' ').slice(0, 200))
    const [first, ...rest] = value.split(' ')
    if (first === 'error') throw new PeerRefusal(rest[0] ?? '', rest[1] ?? '-', rest.slice(2).join(' '))
    return [first!, ...rest]
  }

  async #octets(...command: readonly (string | number)[]): Promise<Uint8Array> {
    return octets((await this.#ask(...command))[0])
  }

  /** Begins a context anew: `mech` is krb5 or spnego, `flags` a mask. */
  async initiate(target: string, mech: string, flags: number, bindings?: ChannelBindings): Promise<void> {
    await this.#ask('initiate', target, mech, flags, bindingsText(bindings))
  }

  async accept(mech: string, bindings?: ChannelBindings): Promise<void> {
    await this.#ask('accept', mech, bindingsText(bindings))
  }

  async step(token?: Uint8Array): Promise<{ readonly complete: boolean; readonly token: Uint8Array | undefined }> {
    const [state, answer] = await this.#ask('step', hex(token))
    return { complete: state === 'complete', token: answer === '-' ? undefined : octets(answer) }
  }

  wrap(message: Uint8Array, encrypt = true): Promise<Uint8Array> {
    return this.#ask('wrap', Number(encrypt), hex(message)).then(([, token]) => octets(token))
  }

  /** `status` has the supplementary bits: 2 replayed, 8 late, 16 early. */
  async unwrap(token: Uint8Array) {
    const [conf, status, message] = await this.#ask('unwrap', hex(token))
    return { encrypted: conf === '1', status: Number(status), message: octets(message) }
  }

  sign(message: Uint8Array): Promise<Uint8Array> {
    return this.#octets('mic', hex(message))
  }

  async verify(message: Uint8Array, token: Uint8Array): Promise<number> {
    return Number((await this.#ask('verify', hex(message), hex(token)))[0])
  }

  async wrapIov(buffers: readonly IovBuffer[], encrypt = true): Promise<readonly IovBuffer[]> {
    return pieces((await this.#ask('wrapiov', Number(encrypt), ...words(buffers))).slice(1))
  }

  async unwrapIov(buffers: readonly IovBuffer[]) {
    const [conf, status, ...rest] = await this.#ask('unwrapiov', ...words(buffers))
    return { encrypted: conf === '1', status: Number(status), buffers: pieces(rest) }
  }

  /** Lengths of the pieces, as gss_wrap_iov_length has them. */
  async wrapIovLengths(buffers: readonly IovBuffer[], encrypt = true): Promise<readonly number[]> {
    return (await this.#ask('lengths', Number(encrypt), ...words(buffers))).map((text) => Number(text.slice(2)))
  }

  signIov(buffers: readonly IovBuffer[]): Promise<Uint8Array> {
    return this.#octets('miciov', ...words(buffers))
  }

  wrapAead(associated: Uint8Array, message: Uint8Array, encrypt = true): Promise<Uint8Array> {
    return this.#octets('aead', Number(encrypt), hex(associated), hex(message))
  }

  async unwrapAead(associated: Uint8Array, token: Uint8Array) {
    const [conf, message] = await this.#ask('unaead', hex(associated), hex(token))
    return { encrypted: conf === '1', message: octets(message) }
  }

  async wrapSizeLimit(size: number, encrypt = true): Promise<number> {
    return Number((await this.#ask('limit', Number(encrypt), size))[0])
  }

  pseudoRandom(seed: Uint8Array, size: number, full = true): Promise<Uint8Array> {
    return this.#octets('prf', Number(full), hex(seed), size)
  }

  sessionKey(): Promise<Uint8Array> {
    return this.#octets('key')
  }

  async inquire(): Promise<PeerFacts> {
    const [initiator, target, mech, flags, lifetime] = await this.#ask('inquire')
    return { initiator: initiator!, target: target!, mech: mech!, flags: Number(flags), lifetime: Number(lifetime) }
  }

  /** Whose credentials were handed over; undefined without any. */
  async delegated(): Promise<string | undefined> {
    const [name] = await this.#ask('delegated')
    return name === '-' ? undefined : name
  }

  /** Whether to initiate with the credentials that were handed over, from now on. */
  async act(delegated: boolean): Promise<void> {
    await this.#ask('act', Number(delegated))
  }

  export(): Promise<Uint8Array> {
    return this.#octets('export')
  }

  async import(token: Uint8Array): Promise<void> {
    await this.#ask('import', hex(token))
  }

  /** Takes our word that the context is deleted. */
  async processToken(token: Uint8Array): Promise<void> {
    await this.#ask('process', hex(token))
  }

  [Symbol.dispose](): void {
    this.#child.kill()
  }
}
