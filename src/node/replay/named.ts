import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KrbError } from '../../krb5/errors.ts'
import { MemoryReplayCache } from '../../krb5/replay.ts'
import type { KrbConfig } from '../../store/options.ts'
import type { Environment } from '../environment.ts'
import type { ReplayCache } from './cache.ts'
import { File2ReplayCache } from './file2.ts'

/** Where MIT keeps replay caches when neither KRB5RCACHEDIR nor TMPDIR says. */
const DEFAULT_FOLDER = '/var/tmp'

/** The replay cache that the environment or krb5.conf names; undefined when neither does. Throws KrbError REPLAY_CACHE_UNUSABLE. */
export function defaultReplayCache(
  { rcacheName, rcacheFolder }: Environment,
  { defaultRcacheName }: KrbConfig,
): ReplayCache | undefined {
  const name = rcacheName || defaultRcacheName
  return name ? replayCacheNamed(name, rcacheFolder) : undefined
}

/** Takes everything for new. Only good where nobody can listen, or where somebody else looks for replays. */
const none: ReplayCache = { seen: () => false }

/**
 * The replay cache of a name, as KRB5RCACHENAME has it: `file2:path`; `dfl:`, which is MIT's file for this user in `folder`;
 * `memory:`, this process's alone; `none:`. Throws KrbError REPLAY_CACHE_UNUSABLE for any other.
 */
export function replayCacheNamed(name: string, folder?: string): ReplayCache {
  const colon = name.indexOf(':')
  const [type, rest] = [name.slice(0, Math.max(colon, 0)), name.slice(colon + 1)]
  if (type === 'file2' && rest) return new File2ReplayCache(rest)
  if (type === 'dfl') {
    const owner = process.geteuid?.()
    return new File2ReplayCache(
      join(folder ?? (owner === undefined ? tmpdir() : DEFAULT_FOLDER), `krb5_${owner ?? 0}.rcache2`),
    )
  }
  if (type === 'memory') return new MemoryReplayCache()
  if (type === 'none') return none
  throw new KrbError('REPLAY_CACHE_UNUSABLE', `${JSON.stringify(name)} names no replay cache that is known`)
}
