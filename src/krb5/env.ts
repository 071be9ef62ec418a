import type { Enctype } from '../crypto/enctypes/profile.ts'
import type { Random } from '../crypto/random.ts'
import type { TraceEvent } from './trace.ts'

/** What an exchange takes from outside itself without asking: time, chance, policy and somebody to tell. */
export interface Env {
  /** Microseconds since the epoch, as this side's clock has it. */
  readonly now: () => number
  readonly random: Random
  /** The encryption types to offer and to accept, best first: policy is this list, nothing else. */
  readonly enctypes: readonly Enctype[]
  /** Those that service tickets are asked for with, a part of `enctypes`; all of them unless said (default_tgs_enctypes). */
  readonly tgsEnctypes?: readonly Enctype[] | undefined
  /**
   * Realms on the way from the client's realm to the server's, none for a direct one; undefined where the configuration
   * says nothing, so that the names of the realms say it ([capaths] in krb5.conf).
   */
  readonly paths?: ((client: string, server: string) => readonly string[] | undefined) | undefined
  /** How far other clocks may be from this one, in microseconds, at most {@link CLOCK_SKEW}; that unless said (clockskew). */
  readonly clockSkew?: number | undefined
  /** Told of every step; must not throw. */
  readonly trace?: ((event: TraceEvent) => void) | undefined
}

/** Clocks may differ by this much, in microseconds: five minutes (RFC 4120 §3.2.3). */
export const CLOCK_SKEW = 300_000_000

/** How far other clocks may be from this one: never more than replay caches remember. */
export const skewOf = ({ clockSkew = CLOCK_SKEW }: Pick<Env, 'clockSkew'>): number => Math.min(clockSkew, CLOCK_SKEW)

/** `microseconds` as whole seconds, the unit of KerberosTime. */
export const seconds = (microseconds: number): number => Math.floor(microseconds / 1e6)

/** A clock that runs `offset` microseconds ahead of `env`'s: how a client follows its KDC. */
export const shifted = <E extends Pick<Env, 'now'>>(env: E, offset: number): E =>
  offset ? { ...env, now: () => env.now() + offset } : env

/** The KerberosTime and microseconds of this moment (RFC 4120 §5.2.3, §5.2.4). */
export function timestamp({ now }: Pick<Env, 'now'>): { readonly time: number; readonly micros: number } {
  const moment = now()
  return { time: seconds(moment), micros: moment - seconds(moment) * 1e6 }
}

/** An unsigned number of 31 random bits: nonces and sequence numbers, which old peers read as signed (RFC 4120 §5.4.1). */
export function randomNumber({ random }: Pick<Env, 'random'>): number {
  const octets = random(4)
  return ((octets[0]! & 0x7f) << 24) | (octets[1]! << 16) | (octets[2]! << 8) | octets[3]!
}
