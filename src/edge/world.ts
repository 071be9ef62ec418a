/** Clock and chance of a runtime that has the web platform alone. @module */
import type { Env } from '../krb5/env.ts'
import type { TraceEvent } from '../krb5/trace.ts'
import type { KrbConfig } from '../store/options.ts'

/** Octets that one call of getRandomValues gives at most (Web Cryptography API §10.1.1). */
const RANDOM_MAX = 65_536

let latest = 0

/**
 * What an exchange takes without asking: the platform's clock and WebCrypto's randomness, and the configuration's
 * enctypes. No two calls of the clock give the same microsecond: a worker's stands still while it computes.
 */
export function edgeEnv(
  { permittedEnctypes }: Pick<KrbConfig, 'permittedEnctypes'>,
  trace?: (event: TraceEvent) => void,
): Env {
  return { now, random, enctypes: permittedEnctypes, trace }
}

function now(): number {
  latest = Math.max(Date.now() * 1000, latest + 1)
  return latest
}

function random(size: number): Uint8Array {
  const octets = new Uint8Array(size)
  for (let at = 0; at < size; at += RANDOM_MAX) globalThis.crypto.getRandomValues(octets.subarray(at, at + RANDOM_MAX))
  return octets
}
