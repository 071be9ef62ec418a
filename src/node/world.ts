/** The World of Node, Deno and Bun: who answers what exchanges ask. @module */
import { appendFileSync } from 'node:fs'
import type { World } from '../effects/index.ts'
import type { Env } from '../krb5/env.ts'
import type { KrbQuestions, Prompt } from '../krb5/questions.ts'
import { formatTraceEvent, type TraceEvent } from '../krb5/trace.ts'
import type { KrbConfig } from '../store/options.ts'
import type { CredentialCaches } from './caches/caches.ts'
import { secretPrompter } from './prompt.ts'
import { random } from './random.ts'
import type { ReplayCache } from './replay/cache.ts'
import { replayCacheNamed } from './replay/named.ts'
import { inTurn, kdcTransport, type Transport, type TransportOptions } from './transport.ts'

let latest = 0

/** Microseconds since the epoch. No two calls give the same one, so that no two authenticators of a process look alike. */
export function now(): number {
  latest = Math.max(Date.now() * 1000, latest + 1)
  return latest
}

/** What an exchange takes without asking: this system's clock and randomness, and the configuration's enctypes. */
export function nodeEnv(
  {
    permittedEnctypes,
    tgsEnctypes,
    capaths,
    clockSkew,
  }: Pick<KrbConfig, 'permittedEnctypes' | 'tgsEnctypes' | 'capaths' | 'clockSkew'>,
  trace?: (event: TraceEvent) => void,
): Env {
  const paths = (client: string, server: string) =>
    capaths
      .get(client)
      ?.get(server)
      ?.filter((realm) => realm !== '.')
  const asked = tgsEnctypes.filter((enctype) => permittedEnctypes.includes(enctype))
  const isAll =
    asked.length === permittedEnctypes.length && asked.every((enctype, i) => enctype === permittedEnctypes[i])
  const narrowed = asked.length > 0 && !isAll ? { tgsEnctypes: asked } : {}
  return { now, random, enctypes: permittedEnctypes, clockSkew: clockSkew * 1e6, paths, trace, ...narrowed }
}

/** Writes each event as a line with its time to `path`, which may be /dev/stderr (the habit of KRB5_TRACE). */
export function traceTo(path: string): (event: TraceEvent) => void {
  return (event) => {
    const line = `[${process.pid}] ${(Date.now() / 1000).toFixed(3)}: ${formatTraceEvent(event)}\n`
    try {
      if (path === '/dev/stderr') process.stderr.write(line)
      else if (path === '/dev/stdout') process.stdout.write(line)
      else appendFileSync(path, line, { mode: 0o600 })
    } catch {
      // tracing must not break what is traced
    }
  }
}

/** What a world is made of. */
export interface WorldOptions extends TransportOptions {
  readonly config: KrbConfig
  readonly replayCache: ReplayCache
  /** The folder of replay caches that are named `dfl:`. */
  readonly rcacheFolder?: string | undefined
  /** Where tickets that were bought are kept. */
  readonly caches: CredentialCaches
  /** What carries messages to KDCs, in turn until one reaches somebody; `sockets`, this machine's own, unless said. */
  readonly transport?: Transport | readonly (Transport | 'sockets')[] | undefined
  /** Asks the user for a secret of this kind; the terminal unless said. */
  readonly prompt?: ((text: string, kind: Prompt['kind']) => string | Promise<string>) | undefined
}

/** Answers by sockets, terminal and files. */
export function nodeWorld({
  replayCache,
  rcacheFolder,
  caches,
  prompt = secretPrompter(),
  transport = ['sockets'],
  ...options
}: WorldOptions): World<KrbQuestions> {
  const named = new Map<string, ReplayCache>()
  const cacheOf = (name: string): ReplayCache => {
    const cache = named.get(name) ?? replayCacheNamed(name, rcacheFolder)
    named.set(name, cache)
    return cache
  }
  return {
    send: inTurn([transport].flat().map((one) => (one === 'sockets' ? kdcTransport(options) : one))),
    prompt: ({ text, kind }) => prompt(text, kind),
    replay: (record) => (record.cache === undefined ? replayCache : cacheOf(record.cache)).seen(record),
    compute: ({ work }) => work(),
    keep: (kept) => caches.keep(kept),
  }
}
