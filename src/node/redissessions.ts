/** Sessions that ended before their time, for all servers of a site. @module */
import type { EndedSessions, SessionRecord } from '../http/ended.ts'
import { type RedisClient, type RedisCommand, type RedisOptions, redisCommand } from './redis.ts'

/** Servers of one site may disagree about the time: a record outlives its cookie by these milliseconds. */
const MARGIN = 300_000

/**
 * Who signed out, in Redis: a key for each that Redis drops when the cookie has expired. The memory is Redis's: its
 * `maxmemory-policy` has to be `noeviction`, so that it refuses rather than forgets. The client is the caller's to connect
 * and to close; while it cannot be asked, no cookie is taken.
 */
export class RedisEndedSessions implements EndedSessions {
  readonly #command: RedisCommand
  readonly #prefix: string

  /** The prefix is `kerb:ended:` unless said. */
  constructor(client: RedisClient, { prefix = 'kerb:ended:' }: RedisOptions = {}) {
    this.#command = redisCommand(client)
    this.#prefix = prefix
  }

  /** Remembers `session` until its end. Rejects with what the client throws. */
  async add({ id, end }: SessionRecord): Promise<void> {
    await this.#command('SET', this.#prefix + id, '1', 'PXAT', String(end * 1000 + MARGIN))
  }

  /** Whether `session` was ended by any server. Rejects with what the client throws. */
  async has({ id }: SessionRecord): Promise<boolean> {
    // Whatever is no clear 0 counts as ended
    return (await this.#command('EXISTS', this.#prefix + id)) !== 0
  }
}
