import { CLOCK_SKEW } from '../../krb5/env.ts'
import { KrbError } from '../../krb5/errors.ts'
import type { ReplayRecord } from '../../krb5/questions.ts'
import { REPLAY_LIFETIME, replayTuple } from '../../krb5/replay.ts'
import { type RedisClient, type RedisCommand, type RedisOptions, redisCommand } from '../redis.ts'

/** Machines that accept under one name may disagree about the time as well: a record outlives the authenticator by this. */
const MILLISECONDS = (REPLAY_LIFETIME + CLOCK_SKEW) / 1000

/**
 * A replay cache for several machines behind one name: a record is a key that Redis sets for whoever comes first (SET NX), so
 * a token that two acceptors get at the same moment is accepted once. The memory is Redis's: its `maxmemory-policy` has to be
 * `noeviction`, so that it refuses rather than forgets. The client is the caller's to connect and to close.
 */
export class RedisReplayCache {
  readonly #command: RedisCommand
  readonly #prefix: string

  /** The prefix is `kerb:replay:` unless said. */
  constructor(client: RedisClient, { prefix = 'kerb:replay:' }: RedisOptions = {}) {
    this.#command = redisCommand(client)
    this.#prefix = prefix
  }

  /** Whether `record` was seen before by anybody; it counts as seen from now on. Throws KrbError REPLAY_CACHE_UNUSABLE. */
  async seen(record: ReplayRecord): Promise<boolean> {
    const key = this.#prefix + replayTuple(record)
    let answer: unknown
    try {
      answer = await this.#command('SET', key, '1', 'NX', 'PX', String(MILLISECONDS))
    } catch (cause) {
      throw new KrbError('REPLAY_CACHE_UNUSABLE', 'Redis does not take the record', { cause })
    }
    if (answer === null) return true
    if (answer === 'OK') return false
    throw new KrbError('REPLAY_CACHE_UNUSABLE', 'Redis answers SET with neither OK nor nothing')
  }
}
