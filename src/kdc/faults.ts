/** Faults that a KDC has on demand, so that clients can be tried on them. @module */
import { decode, encode } from '../asn1/codec.ts'
import type { KrbErrorCode } from '../krb5/errorcodes.ts'
import { messageTypes } from '../krb5/messages/codes.ts'
import { AsRep, TgsRep } from '../krb5/messages/kdc.ts'
import type { PasswordResult } from '../krb5/passwordresult.ts'

/** What is wrong with the answers of a KDC itself. */
export interface AnswerFaults {
  /** Seconds that its clock is ahead of the real one; negative for behind. */
  readonly skew?: number | undefined
  /** Replies echo another nonce than the request's, inside FAST as well. */
  readonly nonce?: boolean | undefined
  /** The encrypted part of replies says that it is of this enctype. */
  readonly etype?: number | undefined
  /** Every request is refused with this code; what came through FAST inside of it, unless `clear` is said. */
  readonly error?: KrbErrorCode | undefined
  /** The `error` is in the clear always, as somebody on the way could send it. */
  readonly clear?: boolean | undefined
  /** Replies, refusals too, end after so many octets. */
  readonly truncate?: number | undefined
}

/** What can be wrong with a KDC and on the way to it. */
export interface Faults extends AnswerFaults {
  /** Requests get no answer: silence by UDP, the end of the connection by TCP. */
  readonly drop?: boolean | undefined
  /** Milliseconds that an answer takes. */
  readonly delay?: number | undefined
  /** By UDP, whatever the request, the answer is that it does not fit (KRB_ERR_RESPONSE_TOO_BIG). */
  readonly tooBig?: boolean | undefined
  /** What the password server says in place of changing a password: a code of RFC 3244 §2, and words. */
  readonly result?: PasswordResult | undefined
  /** Only requests of this kind suffer; all to the KDC unless said, and none to the password server. */
  readonly kind?: 'AS-REQ' | 'TGS-REQ' | 'kpasswd' | undefined
  /** Only the next so many requests suffer, each datagram and each record being one; all of them unless said. */
  readonly times?: number | undefined
}

interface Layer {
  readonly faults: Faults
  left: number
}

/** Which faults a KDC has now. */
export class InjectedFaults {
  readonly #layers = new Set<Layer>()

  /** Begins with `initial`. */
  constructor(initial?: Faults) {
    if (initial) this.set(initial)
  }

  /** Adds `faults` to those there are already; disposing of what comes back takes them away again. */
  set(faults: Faults): Disposable {
    const layer = { faults, left: faults.times ?? Number.POSITIVE_INFINITY }
    this.#layers.add(layer)
    return { [Symbol.dispose]: () => void this.#layers.delete(layer) }
  }

  /** Takes all faults away. */
  clear(): void {
    this.#layers.clear()
  }

  /**
   * What `request`, which counts as one of `times`, suffers; undefined for nothing. What was set last counts where two
   * say something of the same. The `kind` is the one that the request begins as, unless said.
   */
  next(request: Uint8Array, kind: Faults['kind'] = kindOf(request)): Faults | undefined {
    let all: Faults | undefined
    for (const layer of this.#layers) {
      const { kind: suffering } = layer.faults
      if (suffering ? suffering !== kind : kind === 'kpasswd') continue
      all = { ...all, ...layer.faults }
      if (--layer.left <= 0) this.#layers.delete(layer)
    }
    return all
  }
}

const application = (type: number): number => 0x60 | type

function kindOf([first]: Uint8Array): Faults['kind'] {
  if (first === application(messageTypes.asReq)) return 'AS-REQ'
  return first === application(messageTypes.tgsReq) ? 'TGS-REQ' : undefined
}

/** A reply with the faults that are made after it was sealed. */
export function spoiled(reply: Uint8Array, { etype, truncate }: AnswerFaults): Uint8Array {
  const renamed = etype === undefined ? reply : claiming(reply, etype)
  return truncate === undefined ? renamed : renamed.subarray(0, truncate)
}

function claiming(reply: Uint8Array, etype: number): Uint8Array {
  const [first] = reply
  if (first !== application(messageTypes.asRep) && first !== application(messageTypes.tgsRep)) return reply
  const codec = first === application(messageTypes.asRep) ? AsRep : TgsRep
  const honest = decode(codec, reply)
  return encode(codec, { ...honest, encPart: { ...honest.encPart, etype } })
}
