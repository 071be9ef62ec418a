/** Redis by whichever client the caller has. @module */

/** As much of a connected Redis client as is used: `createClient()` of node-redis, or `new Redis()` of ioredis. */
export type RedisClient =
  | { sendCommand(args: readonly string[]): Promise<unknown> }
  | { call(command: string, ...args: string[]): Promise<unknown> }

/** How to keep records apart from what else is in the database. */
export interface RedisOptions {
  /** What every key begins with; each kind of record has its own unless said. */
  readonly prefix?: string
}

/** Gives a client's answer to a command. Rejects with what the client throws. */
export type RedisCommand = (...command: readonly [string, ...string[]]) => Promise<unknown>

/** How to send commands by `client`, which is the caller's to connect and to close. */
export function redisCommand(client: RedisClient): RedisCommand {
  // ioredis has a sendCommand too, which takes something else.
  return 'call' in client ? (...command) => client.call(...command) : (...command) => client.sendCommand(command)
}
