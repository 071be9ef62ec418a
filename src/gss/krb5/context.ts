import type { Key } from '../../crypto/key.ts'
import type { Random } from '../../crypto/random.ts'
import type { GssFlag } from '../flags.ts'
import type { EstablishedContext, UnwrapResult, WrapResult } from '../mechanism.ts'
import type { Name } from '../name.ts'
import { mechanismOids } from '../oids.ts'
import { SequenceWindow } from './sequence.ts'
import { type Direction, largestMessage, makeMic, makeWrap, openWrap, verifyMic } from './tokens.ts'

/** All that an established context consists of. */
export interface ContextParts {
  readonly initiator: Name
  readonly target: Name
  readonly locallyInitiated: boolean
  readonly flags: ReadonlySet<GssFlag>
  /** Seconds since the epoch. */
  readonly endtime: number
  readonly key: Key
  /** Whether `key` is the acceptor's choice (RFC 4121 §2). */
  readonly acceptorSubkey: boolean
  readonly sendSequence: number
  readonly receiveSequence: number
  readonly random: Random
}

/** An established context of the krb5 mechanism: RFC 4121 tokens over one key. It owns the key and wipes it. */
export class Krb5Context implements EstablishedContext {
  readonly mechanism = mechanismOids.krb5
  readonly initiator: Name
  readonly target: Name
  readonly locallyInitiated: boolean
  readonly flags: ReadonlySet<GssFlag>
  readonly endtime: number
  readonly delegated = undefined
  readonly #random: Random
  readonly #outgoing: Direction
  readonly #incoming: Direction
  readonly #received: SequenceWindow
  #next: number

  constructor(parts: ContextParts) {
    const { key, acceptorSubkey, flags, locallyInitiated } = parts
    this.initiator = parts.initiator
    this.target = parts.target
    this.locallyInitiated = locallyInitiated
    this.flags = flags
    this.endtime = parts.endtime
    this.#random = parts.random
    this.#outgoing = { key, acceptorSubkey, fromAcceptor: !locallyInitiated }
    this.#incoming = { key, acceptorSubkey, fromAcceptor: locallyInitiated }
    this.#next = parts.sendSequence
    this.#received = new SequenceWindow(parts.receiveSequence, {
      detectReplay: flags.has('replayDetection'),
      detectDisorder: flags.has('outOfSequenceDetection'),
    })
  }

  wrap(message: Uint8Array, encrypt: boolean): WrapResult {
    return { message: makeWrap(message, encrypt, this.#next++, this.#outgoing, this.#random), encrypted: encrypt }
  }

  unwrap(token: Uint8Array): UnwrapResult {
    const { message, encrypted, sequenceNumber } = openWrap(token, this.#incoming)
    this.#received.receive(sequenceNumber)
    return { message, encrypted, qop: 0 }
  }

  sign(message: Uint8Array): Uint8Array {
    return makeMic(message, this.#next++, this.#outgoing)
  }

  verify(message: Uint8Array, token: Uint8Array): void {
    this.#received.receive(verifyMic(message, token, this.#incoming))
  }

  wrapSizeLimit(size: number, encrypt: boolean): number {
    return largestMessage(size, encrypt, this.#outgoing)
  }

  [Symbol.dispose](): void {
    this.#outgoing.key[Symbol.dispose]()
  }
}
