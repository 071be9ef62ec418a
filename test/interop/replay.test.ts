/** What acceptors share: replay caches with C programs of the host by MIT's file, and in Redis, with who signed out, with other machines. */
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { type GssError, Name, SecurityContext } from 'kerb/gss'
import { RedisEndedSessions } from 'kerb/http'
import { type RedisClient, RedisReplayCache, type ReplayCache, replayCacheNamed } from 'kerb/node'
import { createClient } from 'redis'
import { beforeAll, describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import type { ReplayRecord } from '../../src/krb5/questions.ts'
import { keytab, lab, peer, program, run, scratch, startRedis } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv } from '../support/kerb.ts'

/** The first token of a context with echo/localhost. */
async function freshToken(): Promise<Uint8Array> {
  const env = freshEnv()
  expect((await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
  const kerberos = kerberosOf(env)
  const creds = await kerberos.acquire({ usage: 'initiate' })
  const name = Name.principal('echo/localhost@LAB.TEST')
  return (await new SecurityContext({ usage: 'initiate', name, creds, mech: kerberos.krb5 }).step())!
}

/** `accepted`, or why not. */
async function accepting(token: Uint8Array, replayCache: ReplayCache): Promise<string | undefined> {
  const kerberos = kerberosOf(lab.mit.env, { replayCache })
  const creds = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('echo') } })
  const context = new SecurityContext({ usage: 'accept', creds, mech: kerberos.krb5 })
  return context.step(token).then(
    () => 'accepted',
    (error: GssError) => error.minor,
  )
}

peer(['mit', 'gssapi'], "MIT's replay cache in a file", () => {
  const theirs = async (token: Uint8Array, variables: Record<string, string>) => {
    const env = { ...lab.mit.env, KRB5_KTNAME: keytab('echo'), ...variables }
    const { stdout } = await run('/usr/bin/python3', [program('gss_accept.py'), toHex(token)], { env })
    return stdout.trim()
  }

  test('what MIT accepted, we refuse', async () => {
    const name = `file2:${join(scratch(), 'rcache')}`
    const token = await freshToken()
    expect(await theirs(token, { KRB5RCACHENAME: name })).toBe('accepted')
    expect(await accepting(token, replayCacheNamed(name))).toBe('KRB_AP_ERR_REPEAT')
    expect(await accepting(await freshToken(), replayCacheNamed(name))).toBe('accepted')
  })

  test('what we accepted, MIT refuses', async () => {
    const name = `file2:${join(scratch(), 'rcache')}`
    const token = await freshToken()
    expect(await accepting(token, replayCacheNamed(name))).toBe('accepted')
    expect(await theirs(token, { KRB5RCACHENAME: name })).toMatch(/replay/i)
    expect(await theirs(await freshToken(), { KRB5RCACHENAME: name })).toBe('accepted')
  })

  test("both find MIT's default file", async () => {
    const folder = scratch()
    const token = await freshToken()
    expect(await accepting(token, replayCacheNamed('dfl:', folder))).toBe('accepted')
    expect(await theirs(token, { KRB5RCACHENAME: 'dfl:', KRB5RCACHEDIR: folder })).toMatch(/replay/i)
  })

  test('both go on in one that has grown by the other', async () => {
    const name = `file2:${join(scratch(), 'rcache')}`
    const cache = replayCacheNamed(name)
    const now = Date.now() * 1000
    const tagOf = (i: number) => fromHex(i.toString(16).padStart(24, '0'))
    for (let i = 0; i < 1500; i++) await cache.seen({ client: 'a', server: 'b', time: now, tag: tagOf(i), now })
    const tokens = [await freshToken(), await freshToken(), await freshToken()]
    for (const token of tokens) expect(await theirs(token, { KRB5RCACHENAME: name })).toBe('accepted')
    for (const token of tokens) expect(await accepting(token, cache)).toBe('KRB_AP_ERR_REPEAT')
  })
})

peer(['mit', 'redis'], 'a replay cache in Redis, for several machines behind one name', () => {
  let port: number
  beforeAll(async () => {
    port = await startRedis()
  })

  const clients: readonly (readonly [string, () => Promise<{ client: RedisClient; close: () => void }>])[] = [
    [
      'node-redis',
      async () => {
        const client = createClient({ url: `redis://127.0.0.1:${port}` })
        await client.connect()
        return { client, close: () => client.destroy() }
      },
    ],
    [
      'ioredis',
      async () => {
        const client = new Redis(port, '127.0.0.1')
        return { client, close: () => client.disconnect() }
      },
    ],
  ]
  let number = 0
  const fresh = (): ReplayRecord => {
    const now = Date.now() * 1000
    return { client: 'alice@X', server: 'HTTP/www@X', time: now, tag: Uint8Array.of(number++, 2), now }
  }

  describe.each(clients)('by %s', (_, open) => {
    test('a token that two acceptors get at the same moment is accepted once', async () => {
      const [one, two] = [await open(), await open()]
      const token = await freshToken()
      const caches = [new RedisReplayCache(one.client), new RedisReplayCache(two.client)]
      const outcomes = await Promise.all(caches.map((cache) => accepting(token, cache)))
      expect(outcomes.sort()).toEqual(['KRB_AP_ERR_REPEAT', 'accepted'])
      for (const each of [one, two]) each.close()
    })

    test('of a hundred that look at the same moment, one sees it for the first time', async () => {
      const both = await Promise.all([open(), open()])
      const caches = both.map(({ client }) => new RedisReplayCache(client))
      for (let round = 0; round < 20; round++) {
        const record = fresh()
        const seen = await Promise.all(Array.from({ length: 100 }, (_, i) => caches[i % 2]!.seen(record)))
        expect(seen.filter((each) => !each)).toHaveLength(1)
      }
      for (const each of both) each.close()
    })

    test('a record is forgotten after twice the clock skew, and once more for the clocks of the acceptors', async () => {
      const { client, close } = await open()
      await new RedisReplayCache(client, { prefix: 'other:' }).seen(fresh())
      const ask = (...args: string[]) =>
        'call' in client ? client.call(args[0]!, ...args.slice(1)) : client.sendCommand(args)
      const [key] = (await ask('KEYS', 'other:*')) as string[]
      const left = Number(await ask('PTTL', key!))
      expect(left).toBeGreaterThan(890_000)
      expect(left).toBeLessThanOrEqual(900_000)
      await ask('DEL', key!)
      close()
    })

    test('who signed out at one server of a site did so at all, until the cookie expires', async () => {
      const [one, two] = await Promise.all([open(), open()])
      const [here, there] = [one, two].map(({ client }) => new RedisEndedSessions(client))
      const now = Math.floor(Date.now() / 1000)
      const session = (end: number) => ({ id: `${number++}`, begun: now, end })
      const [ended, other, over] = [session(now + 60), session(now + 60), session(now - 301)]
      for (const each of [ended, over]) await here!.add(each)
      expect(await Promise.all([ended, other, over].map((each) => there!.has(each)))).toEqual([true, false, false])
      for (const each of [one, two]) each.close()
      await expect(there!.has(ended)).rejects.toThrow()
      await expect(there!.add(ended)).rejects.toThrow()
    })

    test('nothing is accepted while Redis cannot be asked', async () => {
      const { client, close } = await open()
      const cache = new RedisReplayCache(client)
      await cache.seen(fresh())
      close()
      await expect(cache.seen(fresh())).rejects.toMatchObject({ code: 'REPLAY_CACHE_UNUSABLE' })
    })
  })
})
