import { describe, expect, test } from 'vitest'
import { CLOCK_SKEW } from '../../src/krb5/env.ts'
import type { ReplayRecord } from '../../src/krb5/questions.ts'
import { MemoryReplayCache } from '../../src/krb5/replay.ts'

const record: ReplayRecord = {
  client: 'alice@X',
  server: 'HTTP/www@X',
  time: 5,
  tag: Uint8Array.of(1, 2, 3),
  now: 1000,
}

describe('the replay cache (RFC 4120 §3.2.3)', () => {
  test('knows what it saw', () => {
    const cache = new MemoryReplayCache()
    expect([cache.seen(record), cache.seen(record)]).toEqual([false, true])
  })

  test.each([
    ['another client', { client: 'bob@X' }],
    ['the same name in another realm', { client: 'alice@Y' }],
    ['another moment', { time: 6 }],
    ['another message of the same moment', { tag: Uint8Array.of(1, 2, 4) }],
  ])('takes %s for another record', (_, change) => {
    const cache = new MemoryReplayCache()
    cache.seen(record)
    expect(cache.seen({ ...record, ...change })).toBe(false)
  })

  test('knows a message again when it comes under another name that shares the key', () => {
    const cache = new MemoryReplayCache()
    cache.seen(record)
    expect(cache.seen({ ...record, server: 'host/www@X' })).toBe(true)
  })

  test('remembers for twice the skew, since an authenticator may be dated ahead by the skew', () => {
    const cache = new MemoryReplayCache()
    for (let now = 0; now < 10 * CLOCK_SKEW; now += CLOCK_SKEW / 3) {
      const mine = { ...record, time: now, now }
      expect(cache.seen(mine)).toBe(false)
      expect(cache.seen({ ...mine, now: now + 2 * CLOCK_SKEW - 1 })).toBe(true)
    }
  })

  test('forgets nothing when the clock is set back', () => {
    const cache = new MemoryReplayCache()
    cache.seen({ ...record, now: 50 * CLOCK_SKEW })
    expect(cache.seen({ ...record, now: 0 })).toBe(true)
  })

  test('forgets in the end, and so stays small', () => {
    const cache = new MemoryReplayCache()
    for (let i = 0; i < 10_000; i++) cache.seen({ ...record, time: i, now: i * 1e6 })
    expect(cache.size).toBeLessThan((4 * CLOCK_SKEW) / 1e6 + 1)
  })

  test('full, refuses rather than forgets', () => {
    const cache = new MemoryReplayCache({ capacity: 2 })
    cache.seen(record)
    cache.seen({ ...record, time: 6 })
    expect(() => cache.seen({ ...record, time: 7 })).toThrow('REPLAY_CACHE_FULL')
    expect(cache.seen(record)).toBe(true)
  })
})
