/** FILE, DIR and MEMORY caches, and the habits of MIT's collections (its ccache documentation). */
import {
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import type { Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import { formatPrincipal, parsePrincipal } from '../../src/krb5/names.ts'
import type { CredentialCache } from '../../src/node/caches/cache.ts'
import { type CachesOptions, CredentialCaches, ownerOf } from '../../src/node/caches/caches.ts'
import { cacheConfig, configEntry } from '../../src/store/cacheconfig.ts'
import { entryOf } from '../../src/store/ccacheentry.ts'
import { startDaemon } from '../support/kcmdaemon.ts'
import { contentsFor, ticketFor } from '../support/tickets.ts'
import { vectors } from '../support/vectors.ts'

const folder = mkdtempSync(join(tmpdir(), 'kerb-caches-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const fresh = () => join(folder, `file${files++}`)

const alice = 'alice@LAB.TEST'
const bob = 'bob@LAB.TEST'
const tgt = 'krbtgt/LAB.TEST@LAB.TEST'
const serversOf = async (cache: CredentialCache) =>
  (await cache.read()).entries.map(({ server }) => server.components.join('/'))
const entryFor = (server: string) => entryOf(ticketFor(server))
const ownersOf = async (caches: readonly CredentialCache[]) =>
  Promise.all(caches.map(async (cache) => formatPrincipal((await ownerOf(cache))!)))

/** Each type of cache: how to name a new one. */
const kinds: Record<string, () => CachesOptions | Promise<CachesOptions>> = {
  FILE: () => ({ defaultName: `FILE:${fresh()}` }),
  DIR: () => ({ defaultName: `DIR:${fresh()}` }),
  'a cache in a DIR': () => ({ defaultName: `DIR::${fresh()}/tktone` }),
  MEMORY: () => ({ defaultName: 'MEMORY:one' }),
  'KCM, as Heimdal has it,': () => kcm(false),
  "KCM with MIT's extensions": () => kcm(true),
}

const daemons: Server[] = []
afterAll(() => daemons.forEach((daemon) => void daemon.close()))
async function kcm(extensions: boolean): Promise<CachesOptions> {
  const kcmSocket = fresh()
  daemons.push(await startDaemon(kcmSocket, { extensions }))
  return { defaultName: 'KCM:', kcmSocket }
}

describe.each(Object.entries(kinds))('%s', (_, kind) => {
  const opened = async (...servers: string[]) => {
    const caches = new CredentialCaches(await kind())
    const cache = await caches.resolve()
    if (servers.length) await cache.replace(contentsFor(alice, ...servers))
    return { caches, cache }
  }

  test('keeps what is put into it: owner, clock offset, tickets, configuration', async () => {
    const { cache } = await opened(tgt, 'a/b@LAB.TEST')
    const about = parsePrincipal(tgt)
    await cache.add(configEntry(parsePrincipal(alice), 'pa_type', '2', about))
    await cache.add(configEntry(parsePrincipal(alice), 'pa_type', '138', about))
    const contents = await cache.read()
    expect([formatPrincipal(contents.principal), contents.clockOffset]).toEqual([alice, -2_000_000])
    expect(await serversOf(cache)).toEqual(['krbtgt/LAB.TEST', 'a/b', `krb5_ccache_conf_data/pa_type/${tgt}`])
    expect(cacheConfig(contents, 'pa_type', about)).toBe('138')
    expect(cacheConfig(contents, 'pa_type')).toBeUndefined()
    expect(cacheConfig(contents, 'fast_avail', about)).toBeUndefined()
  })

  test('takes tickets one by one, each service once, and gives them up', async () => {
    const { cache } = await opened(tgt)
    for (const server of ['a/b@LAB.TEST', 'c/d@LAB.TEST', 'a/b@LAB.TEST']) await cache.add(entryFor(server))
    expect(await serversOf(cache)).toEqual(['krbtgt/LAB.TEST', 'c/d', 'a/b'])
    expect(await cache.remove(({ server }) => server.components[0] !== 'a')).toBe(2)
    expect(await serversOf(cache)).toEqual(['a/b'])
    expect(await cache.remove(() => false)).toBe(0)
  })

  test('keeps a ticket that was bought, but not that of somebody else', async () => {
    const { caches, cache } = await opened(tgt)
    await caches.keep({ cache: cache.name, credential: ticketFor('a/b@LAB.TEST') })
    await caches.keep({ cache: cache.name, credential: ticketFor('c/d@LAB.TEST', bob) })
    expect(await serversOf(cache)).toEqual(['krbtgt/LAB.TEST', 'a/b'])
  })

  test('is taken away, and missing then says what to do', async () => {
    const { cache } = await opened(tgt)
    await cache.destroy()
    const missing = { code: 'NO_TICKET', message: expect.stringMatching(/no credential cache .*kinit/) }
    await expect(cache.read()).rejects.toMatchObject(missing)
    await expect(cache.destroy()).rejects.toMatchObject(missing)
    await expect(cache.add(entryFor('a/b@LAB.TEST'))).rejects.toMatchObject(missing)
    await expect(cache.remove(() => true)).rejects.toMatchObject(missing)
  })

  test('gives keys to dispose of, and keeps its own', async () => {
    const { cache } = await opened(tgt)
    for (const { key } of (await cache.read()).entries) key[Symbol.dispose]()
    expect(toHex((await cache.read()).entries[0]!.key.octets())).toBe('01'.repeat(32))
  })
})

describe('a FILE cache', () => {
  const caches = new CredentialCaches({ defaultName: '' })
  const fileCache = async (...servers: string[]) => {
    const path = fresh()
    const cache = await caches.resolve(path)
    await cache.replace(contentsFor(alice, ...servers))
    return { path, cache }
  }

  test('is for its owner alone and leaves nothing else behind', async () => {
    const { path } = await fileCache(tgt)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).filter((name) => join(folder, name).startsWith(path))).toHaveLength(1)
  })

  test('is replaced, not written through a link that somebody laid', async () => {
    const [victim, path] = [fresh(), fresh()]
    writeFileSync(victim, 'precious')
    symlinkSync(victim, path)
    await (await caches.resolve(path)).replace(contentsFor(alice, tgt))
    expect(readFileSync(victim, 'utf8')).toBe('precious')
  })

  test('that is a link is not changed or destroyed through it', async () => {
    const { path: victim } = await fileCache(tgt)
    const path = fresh()
    symlinkSync(victim, path)
    const before = toHex(readFileSync(victim))
    const link = await caches.resolve(path)
    await expect(link.add(entryFor('a/b@LAB.TEST'))).rejects.toThrow(/symbolic link/)
    await expect(link.destroy()).rejects.toThrow(/symbolic link/)
    expect(toHex(readFileSync(victim))).toBe(before)
    linkSync(victim, `${path}x`)
    await (await caches.resolve(`${path}x`)).destroy()
    expect(toHex(readFileSync(victim))).toBe(before)
  })

  test('is changed in place: what is appended and what is removed leave every other octet', async () => {
    const { path, cache } = await fileCache(tgt, 'a/b@LAB.TEST')
    const [inode, before] = [statSync(path).ino, readFileSync(path)]
    await cache.add(entryFor('c/d@LAB.TEST'))
    const after = readFileSync(path)
    expect(statSync(path).ino).toBe(inode)
    expect(toHex(after.subarray(0, before.length))).toBe(toHex(before))
    await cache.remove(({ server }) => server.components[0] === 'a')
    expect(readFileSync(path).length).toBe(after.length)
    expect(await serversOf(cache)).toEqual(['krbtgt/LAB.TEST', 'c/d'])
  })

  test('loses no ticket while many write to it', async () => {
    const { cache } = await fileCache(tgt)
    const names = Array.from({ length: 40 }, (_, i) => `svc${i}/h`)
    await Promise.all([
      ...names.map((name) => cache.add(entryFor(`${name}@LAB.TEST`))),
      ...names.slice(0, 10).map(() => cache.read()),
    ])
    expect((await serversOf(cache)).sort()).toEqual(['krbtgt/LAB.TEST', ...names].sort())
    await Promise.all(names.map((name) => cache.remove(({ server }) => server.components.join('/') === name)))
    expect(await serversOf(cache)).toEqual(['krbtgt/LAB.TEST'])
  })

  test('of an older version is read, and brought to version 4 by a change', async () => {
    const { ccaches } = vectors<{ ccaches: readonly { readonly ccache: string }[] }>('generated_files')
    for (const { ccache } of ccaches) {
      const path = fresh()
      writeFileSync(path, fromHex(ccache))
      const cache = await caches.resolve(path)
      const before = await serversOf(cache)
      await cache.add(entryFor('a/b@LAB.TEST'))
      expect(await serversOf(cache)).toEqual([...before, 'a/b'])
      expect(toHex(readFileSync(path).subarray(0, 2))).toBe('0504')
    }
  })

  test('that is a folder, a pipe or no cache says so', async () => {
    await expect((await caches.resolve(folder)).read()).rejects.toThrow(/it is a folder/)
    await expect((await caches.resolve('/dev/zero')).read()).rejects.toThrow(/no regular file/)
    const path = fresh()
    writeFileSync(path, 'hello')
    await expect((await caches.resolve(path)).read()).rejects.toThrow(
      /not a usable ccache: it does not begin with 05 01/,
    )
  })

  test('of somebody else in a folder of everybody is not used', async () => {
    // Linux's own folder of everybody, which is the superuser's; whose the file is, and who asks, is neither.
    const path = join('/tmp', `kerb-planted-${process.pid}`)
    await (await caches.resolve(path)).replace(contentsFor(alice, tgt))
    try {
      if (process.getuid!() === 0) chownSync(path, 4711, 4711)
      vi.spyOn(process, 'geteuid').mockReturnValue(4712)
      await expect((await caches.resolve(path)).read()).rejects.toThrow(/somebody else put it/)
      vi.mocked(process.geteuid!).mockReturnValue(statSync(path).uid)
      expect(await serversOf(await caches.resolve(path))).toEqual(['krbtgt/LAB.TEST'])
      vi.mocked(process.geteuid!).mockReturnValue(0)
      expect(await serversOf(await caches.resolve(path))).toEqual(['krbtgt/LAB.TEST'])
    } finally {
      vi.restoreAllMocks()
      rmSync(path)
    }
  })

  test('belongs to no collection: there is nothing to switch to', async () => {
    const { path, cache } = await fileCache(tgt)
    expect((await caches.collection(path).list()).map(({ name }) => name)).toEqual([cache.name])
    await expect(caches.switchTo(cache)).rejects.toMatchObject({ code: 'NAME_REFUSED', message: /DIR:path or KCM:/ })
  })
})

describe('a DIR collection', () => {
  const collection = () => {
    const path = fresh()
    return { path, caches: new CredentialCaches({ defaultName: `DIR:${path}` }) }
  }
  const login = (caches: CredentialCaches, who: string) =>
    caches.login(parsePrincipal(who), undefined, (cache) => cache.replace(contentsFor(who, tgt)))

  test('is made by the first login, for its owner alone, with tkt as primary', async () => {
    const { path, caches } = collection()
    expect((await caches.resolve()).name).toBe(`DIR::${path}/tkt`)
    expect(await caches.collection().list()).toEqual([])
    expect(existsSync(path)).toBe(false)
    await login(caches, alice)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    expect(readdirSync(path).sort()).toEqual(['primary', 'tkt'])
    expect(readFileSync(join(path, 'primary'), 'utf8')).toBe('tkt\n')
  })

  test('gives each principal a cache of its own, the last one as primary, and switches', async () => {
    const { path, caches } = collection()
    for (const who of [alice, bob, alice, bob]) await login(caches, who)
    expect(await ownersOf(await caches.collection().list())).toEqual([bob, alice])
    expect(readdirSync(path).filter((name) => /^tkt[A-Za-z0-9]{6}$/.test(name))).toHaveLength(1)
    await caches.switchTo((await caches.find(parsePrincipal(alice)))!)
    expect(await ownersOf(await caches.collection().list())).toEqual([alice, bob])
    expect(formatPrincipal((await ownerOf(await caches.resolve()))!)).toBe(alice)
    expect(await caches.find(parsePrincipal('carol@LAB.TEST'))).toBeUndefined()
  })

  test.each(['', 'tkt', '../tkt\n', 'passwd\n', 'tkt/../../x\n', `tkt${'x'.repeat(300)}\n`])(
    'whose primary says %j is refused',
    async (text) => {
      const { path, caches } = collection()
      mkdirSync(path)
      writeFileSync(join(path, 'primary'), text)
      await expect(caches.resolve()).rejects.toMatchObject({ name: 'StoreError', message: /begins with tkt/ })
    },
  )

  test('has no caches outside of its folder', async () => {
    const { caches } = collection()
    await expect(caches.resolve('DIR::/etc/passwd')).rejects.toMatchObject({ code: 'NAME_REFUSED' })
    await expect(caches.resolve('DIR:')).rejects.toMatchObject({ code: 'NAME_REFUSED' })
    await login(caches, alice)
    const elsewhere = { ...(await caches.resolve()), name: 'DIR::/elsewhere/tkt' }
    await expect(caches.collection().switchTo(elsewhere)).rejects.toMatchObject({ code: 'NAME_REFUSED' })
  })
})

test.each([false, true])("KCM caches are a collection; with MIT's extensions: %s", async (extensions) => {
  const caches = new CredentialCaches(await kcm(extensions))
  expect(await caches.collection().list()).toEqual([])
  for (const who of [alice, bob, alice, bob])
    await caches.login(parsePrincipal(who), undefined, (cache) => cache.replace(contentsFor(who, tgt)))
  expect(await ownersOf(await caches.collection().list())).toEqual([bob, alice])
  await caches.switchTo((await caches.find(parsePrincipal(alice)))!)
  expect(await ownersOf(await caches.collection().list())).toEqual([alice, bob])
})

test('MEMORY caches are a collection that another object does not see', async () => {
  const [one, other] = [
    new CredentialCaches({ defaultName: 'MEMORY:x' }),
    new CredentialCaches({ defaultName: 'MEMORY:x' }),
  ]
  await (await one.resolve()).replace(contentsFor(alice, tgt))
  await one.login(parsePrincipal(bob), undefined, (cache) => cache.replace(contentsFor(bob, tgt)))
  expect(await ownersOf(await one.collection().list())).toEqual([bob, alice])
  expect(await other.collection().list()).toEqual([])
})

test.each([
  ['KEYRING:persistent:0', /kernel's key rings.*KCM:/],
  ['API:x', /CCAPI.*DIR:path/],
  ['MSLSA:', /Windows logon session.*kinit/],
  ['STASH:x', /no type of ccache that is known here.*FILE:path/],
])('%s is refused with the way out', async (name, message) => {
  const refusal = { code: 'NAME_REFUSED', message: expect.stringMatching(message) }
  await expect(new CredentialCaches({ defaultName: name }).resolve()).rejects.toMatchObject(refusal)
  expect(() => new CredentialCaches({ defaultName: name }).collection()).toThrow(expect.objectContaining(refusal))
})
