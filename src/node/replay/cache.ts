import type { ReplayRecord } from '../../krb5/questions.ts'

/** Whatever remembers authenticators: a MemoryReplayCache, or one shared by several processes. */
export interface ReplayCache {
  seen(record: ReplayRecord): boolean | Promise<boolean>
}
