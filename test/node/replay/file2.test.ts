import { execFile } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { toHex } from '../../../src/bytes/index.ts'
import type { ReplayRecord } from '../../../src/krb5/questions.ts'
import { File2ReplayCache } from '../../../src/node/replay/file2.ts'
import { replayCacheNamed } from '../../../src/node/replay/named.ts'
import { sipHash } from '../../../src/node/replay/siphash.ts'

const folder = mkdtempSync(join(tmpdir(), 'kerb-rcache-'))
afterAll(() => rmSync(folder, { recursive: true }))

let path: string
let count = 0
beforeEach(() => {
  path = join(folder, `cache-${count++}`)
})

const NOW = 1_900_000_000
const tagOf = (number: number) => {
  const tag = new Uint8Array(12)
  new DataView(tag.buffer).setUint32(0, number)
  return tag
}
const record = (number: number, at = NOW, time = at): ReplayRecord => ({
  client: 'alice@LAB.TEST',
  server: 'HTTP/www@LAB.TEST',
  time: time * 1e6,
  tag: tagOf(number),
  now: at * 1e6,
})

const execute = promisify(execFile)
/** A process that says which of 200 records it was the first to show; out of dist, as Node runs no TypeScript. */
const taker = `import { File2ReplayCache } from 'kerb/node'
  const cache = new File2ReplayCache(process.argv[1])
  for (let i = 0; i < 200; i++) {
    const tag = new Uint8Array(12).fill(i)
    if (!(await cache.seen({ client: 'a', server: 'b', time: 1, tag, now: ${NOW}e6 }))) console.log(i)
  }`

describe('SipHash-2-4', () => {
  test.each([
    [0, '310e0edd47db6f72'],
    [1, 'fd67dc93c539f874'],
    [7, '37d1018bf50002ab'],
    [8, '6224939a79f5f593'],
    [15, 'e545be4961ca29a1'],
  ])('of %i octets is that of the reference (Aumasson and Bernstein, vectors.h)', (size, expected) => {
    const key = Uint8Array.from({ length: 16 }, (_, i) => i)
    const made = new Uint8Array(8)
    new DataView(made.buffer).setBigUint64(0, sipHash(key, key.slice(0, size)), true)
    expect(toHex(made)).toBe(expected)
  })
})

describe("a replay cache in MIT's format", () => {
  test('knows what it saw, also from another time that it was opened', async () => {
    const cache = new File2ReplayCache(path)
    expect([await cache.seen(record(1)), await cache.seen(record(1)), await cache.seen(record(2))]).toEqual([
      false,
      true,
      false,
    ])
    expect(await new File2ReplayCache(path).seen(record(2))).toBe(true)
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  test('has the layout of MIT: seed, then a record behind the place of its hash, which is left to C programs', async () => {
    await new File2ReplayCache(path).seen(record(1))
    const octets = new Uint8Array(readFileSync(path))
    const place = 16 + Number(sipHash(octets.subarray(0, 16), tagOf(1)) % 1023n) * 16
    expect(octets.length).toBe(place + 32)
    expect(toHex(octets.subarray(place))).toBe(`${'00'.repeat(16)}${toHex(tagOf(1))}${NOW.toString(16)}`)
  })

  test('finds every one of 1100 in the tables that follow', async () => {
    const cache = new File2ReplayCache(path)
    for (let i = 0; i < 1100; i++) expect(await cache.seen(record(i))).toBe(false)
    for (let i = 0; i < 1100; i++) expect(await cache.seen(record(i))).toBe(true)
  })

  test('uses a place anew once its record counts no more, and so stays small', async () => {
    const cache = new File2ReplayCache(path)
    for (let i = 0; i < 1200; i++) await cache.seen(record(i, NOW + i * 10))
    expect(statSync(path).size).toBeLessThanOrEqual(16 + (1023 + 2048) * 16)
  })

  test('keeps what is dated ahead by the skew for as long as it counts', async () => {
    const cache = new File2ReplayCache(path)
    await cache.seen(record(1, NOW, NOW + 300))
    for (let i = 2; i < 1200; i++) await cache.seen(record(i, NOW + 599))
    expect(await cache.seen(record(1, NOW + 600, NOW + 300))).toBe(true)
  })

  test('takes a token that comes many times at once only once', async () => {
    const caches = Array.from({ length: 8 }, () => new File2ReplayCache(path))
    const seen = await Promise.all(caches.flatMap((cache) => [cache.seen(record(1)), cache.seen(record(1))]))
    expect(seen.filter((each) => !each)).toHaveLength(1)
  })

  test('takes it once in several processes, too', async () => {
    const outputs = await Promise.all(
      [1, 2, 3].map(() => execute(process.execPath, ['--input-type=module', '-e', taker, path])),
    )
    const taken = outputs.flatMap(({ stdout }) => stdout.trim().split(/\s+/).filter(Boolean))
    expect(taken.sort()).toEqual(Array.from({ length: 200 }, (_, i) => String(i)).sort())
  })

  test('takes over a lock that was left behind', async () => {
    writeFileSync(`${path}.lock`, '')
    utimesSync(`${path}.lock`, 1, 1)
    expect(await new File2ReplayCache(path).seen(record(1))).toBe(false)
  })

  test.each([
    ['a link', () => symlinkSync('/etc/passwd', path)],
    ['a folder', () => mkdirSync(path)],
    ['in a folder that is not there', () => (path = join(folder, 'none', 'cache'))],
  ])('refuses everything when it is %s', async (_, make) => {
    make()
    await expect(new File2ReplayCache(path).seen(record(1))).rejects.toMatchObject({ code: 'REPLAY_CACHE_UNUSABLE' })
  })

  test('takes a file of any octets for what it is: records', async () => {
    writeFileSync(
      path,
      Uint8Array.from({ length: 3000 }, (_, i) => (i * 37) & 0xff),
    )
    chmodSync(path, 0o600)
    const cache = new File2ReplayCache(path)
    expect([await cache.seen(record(1)), await cache.seen(record(1))]).toEqual([false, true])
  })
})

describe('the name of a replay cache', () => {
  test('is that of KRB5RCACHENAME', async () => {
    expect(replayCacheNamed('file2:/x/y')).toMatchObject({ path: '/x/y' })
    expect(replayCacheNamed('dfl:', '/x')).toMatchObject({ path: `/x/krb5_${process.geteuid!()}.rcache2` })
    expect(replayCacheNamed('dfl:')).toMatchObject({ path: `/var/tmp/krb5_${process.geteuid!()}.rcache2` })
    const none = replayCacheNamed('none:')
    expect([await none.seen(record(1)), await none.seen(record(1))]).toEqual([false, false])
    const memory = replayCacheNamed('memory:')
    expect([await memory.seen(record(1)), await memory.seen(record(1))]).toEqual([false, true])
  })

  test.each(['', 'file2:', 'file:/x', '/x', 'redis:x'])('is refused when it is %j', (name) =>
    expect(() => replayCacheNamed(name)).toThrow('REPLAY_CACHE_UNUSABLE'),
  )
})
