/** A mechanism without keys, for tests of what stands on mechanisms: any number of legs, and checksums that tell. */
import { concat, equal, fromUtf8, utf8 } from '../../src/bytes/index.ts'
import { answered, type Questions } from '../../src/effects/index.ts'
import { frame } from '../../src/gss/frame.ts'
import {
  type CredentialElement,
  Credentials,
  type EstablishedContext,
  GssError,
  type GssFlag,
  type Handshake,
  type Leg,
  type Mechanism,
  Name,
  type Oid,
  type Usage,
} from '../../src/gss/index.ts'

/** Asks nothing of anybody. */
export type NoQuestions = Record<never, never>

export interface FakeOptions {
  readonly oid?: Oid
  readonly aliases?: readonly Oid[]
  readonly name?: string
  /** Tokens of the whole handshake; the initiator sends the odd ones. */
  readonly legs?: number
  /** Without it, MICs cannot be made. */
  readonly integrity?: boolean
  /** What the initiator says instead of its first token. */
  readonly cannotInitiate?: GssError
  /** What the acceptor says to the first token. */
  readonly refuses?: GssError
  /** Gets `initiator`, `acceptor` and `context` as they are disposed of. */
  readonly disposed?: string[]
}

/** Changes with any one octet: each step is a bijection of the state (FNV-1a). */
export function checksum(...parts: readonly (string | Uint8Array)[]): Uint8Array {
  let state = 0x811c9dc5
  for (const part of parts)
    for (const octet of typeof part === 'string' ? utf8(part) : part) state = Math.imul(state ^ octet, 0x01000193)
  return Uint8Array.of(state >>> 24, state >>> 16, state >>> 8, state)
}

export function fakeMechanism<Q extends Questions<Q> = NoQuestions>(options: FakeOptions = {}): Mechanism<Q> {
  const { oid = '1.3.6.1.4.1.1.1', aliases = [], name = 'fake', legs = 2 } = options
  return {
    oid,
    aliases,
    name,
    canonicalize: (given) => given,
    initiate: ({ flags, target }) => handshake(true, flags, target),
    accept: () => handshake(false, new Set(), Name.hostbased('HTTP@acceptor')),
  }

  function handshake(initiates: boolean, asked: ReadonlySet<GssFlag>, target: Name): Handshake<Q> {
    let next = 1
    let flags = asked
    const step = (token?: Uint8Array): Leg => {
      if (initiates && next === 1) {
        if (options.cannotInitiate) throw options.cannotInitiate
      } else {
        const text = read(token, next++)
        if (!initiates && next === 2) flags = new Set(text.split(' ') as GssFlag[])
        if (!initiates && options.refuses) throw options.refuses
      }
      if (next > legs) return { context: context() }
      const sent = write(next++, [...flags].join(' '))
      return next > legs ? { token: sent, context: context() } : { token: sent }
    }
    return {
      step: (token) => answered(() => step(token)),
      [Symbol.dispose]: () => void options.disposed?.push(initiates ? 'initiator' : 'acceptor'),
    }

    function context(): EstablishedContext {
      const sender = (mine: boolean) => (mine === initiates ? 'initiator' : 'acceptor')
      const unsupported = () => {
        throw new GssError('GSS_S_UNAVAILABLE')
      }
      return {
        mechanism: oid,
        initiator: Name.user('alice'),
        target,
        locallyInitiated: initiates,
        flags: new Set([...flags, ...(options.integrity === false ? [] : (['integrity'] as const))]),
        endtime: 2_000_000_000,
        sign: (message) => (options.integrity === false ? unsupported() : checksum(oid, sender(true), message)),
        verify: (message, token) => {
          if (!equal(token, checksum(oid, sender(false), message))) throw new GssError('GSS_S_BAD_SIG')
          return undefined
        },
        wrap: unsupported,
        unwrap: unsupported,
        wrapIov: unsupported,
        unwrapIov: unsupported,
        wrapSizeLimit: unsupported,
        pseudoRandom: unsupported,
        sessionKey: unsupported,
        export: unsupported,
        [Symbol.dispose]: () => void options.disposed?.push('context'),
      }
    }
  }

  function write(leg: number, text: string): Uint8Array {
    const body = concat(Uint8Array.of(leg), utf8(text))
    return frame(oid, concat(body, checksum(oid, body)))
  }

  function read(token: Uint8Array | undefined, leg: number): string {
    const bare = token?.subarray(frame(oid, new Uint8Array()).length) ?? new Uint8Array()
    const body = bare.subarray(0, -4)
    const whole = body.length > 0 && equal(bare.subarray(-4), checksum(oid, body))
    if (!whole || body[0] !== leg || !equal(token!, frame(oid, bare)))
      throw new GssError('GSS_S_DEFECTIVE_TOKEN', `not leg ${leg} of ${name}`)
    return fromUtf8(body.subarray(1))
  }
}

/** Credentials with an element of each of `mechanisms`. */
export function fakeCredentials(mechanisms: readonly { readonly oid: Oid }[], usage: Usage = 'both'): Credentials {
  const element = (mechanism: Oid): CredentialElement => ({
    mechanism,
    usage,
    name: undefined,
    endtime: undefined,
    [Symbol.dispose]() {},
  })
  return new Credentials(mechanisms.map(({ oid }) => element(oid)))
}
