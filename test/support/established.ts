/** Both ends of a context of the krb5 mechanism, without a handshake. */
import type { Enctype } from '../../src/crypto/enctypes/profile.ts'
import { enctypeByName } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import type { GssFlag } from '../../src/gss/flags.ts'
import { GssError, Name, type UnwrapResult } from '../../src/gss/index.ts'
import { Krb5Context } from '../../src/gss/krb5/context.ts'
import { fixedEnv } from './env.ts'

const { random } = fixedEnv()

/** How the two ends are. */
export interface Ends {
  /** Number of the first token, of both sides. */
  readonly sequence?: number
  /** The number that either side expects first; `sequence` unless said. */
  readonly expected?: number
  readonly flags?: readonly GssFlag[]
  /** Octets of the initiator's key; some at random unless said. */
  readonly key?: Uint8Array
  /** Whether the key is the acceptor's choice. */
  readonly acceptorSubkey?: boolean
}

/** The initiator's end and the acceptor's. */
export function ends(name: string, given: Ends = {}): readonly [Krb5Context, Krb5Context] {
  const {
    sequence = 7,
    expected = sequence,
    flags = ['replayDetection', 'outOfSequenceDetection'],
    acceptorSubkey = false,
  } = given
  const enctype: Enctype = enctypeByName(name)!
  const [drawn, second] = [1, 2].map(() => Key.generate(enctype, random).octets())
  const first = given.key ?? drawn
  const side = (locallyInitiated: boolean) =>
    new Krb5Context({
      initiator: Name.principal('alice@LAB.TEST'),
      target: Name.principal('HTTP/www@LAB.TEST'),
      locallyInitiated,
      flags: new Set(flags),
      ticket: { authtime: 1_900_000_000, endtime: 2_000_000_000, flags: new Set() },
      initiatorKey: new Key(enctype, first!),
      acceptorSubkey: acceptorSubkey ? new Key(enctype, second!) : undefined,
      sendSequence: sequence,
      receiveSequence: expected,
      random,
    })
  return [side(true), side(false)]
}

/** The major status of what may throw or tell of a token's place; anything thrown but a GssError is thrown on. */
export function majorOf(attempt: () => string | undefined | Pick<UnwrapResult, 'supplementary'>): string {
  try {
    const outcome = attempt()
    return (typeof outcome === 'object' ? outcome.supplementary : outcome) ?? 'GSS_S_COMPLETE'
  } catch (error) {
    if (error instanceof GssError) return error.major
    throw error
  }
}
