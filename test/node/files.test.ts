import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import { fromHex } from '../../src/bytes/index.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { defaultCcacheName, defaultKeytabName, environment, filePath, loadConfig } from '../../src/node/environment.ts'
import { addToCcache, destroyCcache, readCcache, readKeytab, writeCcache, writeKeytab } from '../../src/node/files.ts'
import { firstLine, promptSecret } from '../../src/node/prompt.ts'
import { now, random } from '../../src/node/world.ts'
import { entryOf } from '../../src/store/ccache.ts'
import { entriesFromPassword } from '../../src/store/keytab.ts'
import { defaultConfig } from '../../src/store/options.ts'

const folder = mkdtempSync(join(tmpdir(), 'kerb-files-'))
afterAll(() => rmSync(folder, { recursive: true }))
let files = 0
const fresh = () => join(folder, `file${files++}`)

const alice = parsePrincipal('alice@LAB.TEST')
const ticketFor = (server: string): Credential => ({
  client: alice,
  server: parsePrincipal(server),
  key: new Key(enctypes[0]!, new Uint8Array(32).fill(1)),
  ticket: fromHex('6100'),
  flags: new Set(['initial']),
  authtime: 1,
  starttime: 1,
  endtime: 2,
})
const cacheOf = (...servers: string[]) => ({
  principal: alice,
  clockOffset: -1_500_000,
  entries: servers.map((server) => entryOf(ticketFor(server))),
})
const serversOf = async (path: string) =>
  (await readCcache(path)).entries.map(({ server }) => server.components.join('/'))

describe('a credential cache', () => {
  test('is for its owner alone, leaves nothing else behind, and keeps the clock offset', async () => {
    const path = fresh()
    await writeCcache(path, cacheOf('krbtgt/LAB.TEST@LAB.TEST'))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).filter((name) => join(folder, name).startsWith(path))).toHaveLength(1)
    expect((await readCcache(path)).clockOffset).toBe(-1_500_000)
  })

  test('is replaced, not written through a link that somebody laid', async () => {
    const [victim, path] = [fresh(), fresh()]
    writeFileSync(victim, 'precious')
    symlinkSync(victim, path)
    await writeCcache(path, cacheOf('a/b@LAB.TEST'))
    expect(statSync(victim).size).toBe('precious'.length)
    expect(await serversOf(path)).toEqual(['a/b'])
  })

  test('takes tickets one by one, each service once', async () => {
    const path = fresh()
    await writeCcache(path, cacheOf('krbtgt/LAB.TEST@LAB.TEST'))
    for (const server of ['a/b@LAB.TEST', 'c/d@LAB.TEST', 'a/b@LAB.TEST']) await addToCcache(path, ticketFor(server))
    expect(await serversOf(path)).toEqual(['krbtgt/LAB.TEST', 'c/d', 'a/b'])
  })

  test('does not take the ticket of somebody else', async () => {
    const path = fresh()
    await writeCcache(path, cacheOf())
    await addToCcache(path, { ...ticketFor('a/b@LAB.TEST'), client: parsePrincipal('bob@LAB.TEST') })
    expect(await serversOf(path)).toEqual([])
  })

  test('stays whole while many write to it', async () => {
    const path = fresh()
    await writeCcache(path, cacheOf('krbtgt/LAB.TEST@LAB.TEST'))
    await Promise.all(Array.from({ length: 20 }, (_, i) => addToCcache(path, ticketFor(`svc${i}/h@LAB.TEST`))))
    expect((await serversOf(path))[0]).toBe('krbtgt/LAB.TEST')
  })

  test('is taken away, and missing then says what to do', async () => {
    const path = fresh()
    await writeCcache(path, cacheOf())
    await destroyCcache(path)
    await expect(readCcache(path)).rejects.toMatchObject({
      code: 'NO_TICKET',
      message: expect.stringMatching(/there is no such file.*kinit/),
    })
    await expect(destroyCcache(path)).rejects.toMatchObject({ code: 'NO_TICKET' })
  })

  test('that is a folder, or no cache, says so', async () => {
    await expect(readCcache(folder)).rejects.toThrow(/it is a folder/)
    const path = fresh()
    writeFileSync(path, 'hello')
    await expect(readCcache(path)).rejects.toThrow(/not a usable ccache: it does not begin with 05 01/)
  })
})

test('a keytab is written for its owner alone and read again; a missing one is named', async () => {
  const path = fresh()
  await writeKeytab(path, entriesFromPassword(alice, 'secret', { kvno: 3, timestamp: 9, enctypes }))
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect((await readKeytab(path)).entries.map(({ kvno, key }) => [kvno, key.keytype])).toEqual(
    enctypes.map(({ id }) => [3, id]),
  )
  await expect(readKeytab(`${path}x`)).rejects.toMatchObject({
    code: 'NO_KEY',
    message: expect.stringContaining(`${path}x`),
  })
})

describe('the environment', () => {
  test('names files as C programs have them', () => {
    const said = environment({ KRB5_CONFIG: '/a:/b', KRB5CCNAME: 'FILE:/c', KRB5_KTNAME: '/k', KRB5_TRACE: '/t' })
    expect(said).toMatchObject({ configPaths: ['/a', '/b'], ccacheName: 'FILE:/c', keytabName: '/k', tracePath: '/t' })
    const silent = environment({})
    expect(silent.configPaths).toEqual(['/etc/krb5.conf'])
    expect(filePath(defaultCcacheName(silent, defaultConfig), 'ccache')).toBe(`/tmp/krb5cc_${process.getuid!()}`)
    expect(filePath(defaultKeytabName(silent, defaultConfig), 'keytab')).toBe('/etc/krb5.keytab')
    expect(defaultCcacheName(silent, { ...defaultConfig, defaultCcacheName: 'FILE:/from/conf' })).toBe(
      'FILE:/from/conf',
    )
  })

  test('fills in parameters, and refuses types that are no files by name', () => {
    expect(filePath('FILE:/x/%{username}/%{uid}/%{unknown}', 'ccache')).toBe(
      `/x/${userInfo().username}/${process.getuid!()}/%{unknown}`,
    )
    for (const name of ['KEYRING:persistent:0', 'KCM:', 'DIR:/x', 'API:y', 'MEMORY:z'])
      expect(() => filePath(name, 'ccache')).toThrow(
        expect.objectContaining({ code: 'NAME_REFUSED', message: expect.stringContaining(name.split(':')[0]!) }),
      )
  })

  test('a krb5.conf that is missing is empty, one that cannot be read is named', () => {
    expect(loadConfig([fresh()])).toEqual(defaultConfig)
    const file = fresh()
    writeFileSync(file, '[libdefaults]\ndefault_realm = A\n')
    expect(() => loadConfig([`${file}/x`])).toThrow(`${file}/x: cannot be read (ENOTDIR)`)
  })

  test('a list of files and folders is read in order, and a keytab is no krb5.conf', () => {
    const [first, several, keytab] = [fresh(), fresh(), fresh()]
    mkdirSync(several)
    writeFileSync(first, '[libdefaults]\nforwardable = true\n')
    writeFileSync(join(several, 'a.conf'), '[libdefaults]\ndefault_realm = A\nforwardable = false\n')
    writeFileSync(join(several, 'a.rpmsave'), '[libdefaults]\nproxiable = true\n')
    const { configPaths } = environment({ KRB5_CONFIG: `${first}::${several}` })
    expect(loadConfig(configPaths)).toMatchObject({ defaultRealm: 'A', forwardable: true, proxiable: false })
    writeFileSync(keytab, Uint8Array.of(5, 2, 0, 0, 0, 1, 7))
    expect(() => loadConfig([keytab])).toThrow(`${keytab}: this is no text; name a krb5.conf`)
  })
})

test('no two moments of a process are the same microsecond, and no two draws the same octets', () => {
  const moments = Array.from({ length: 10_000 }, now)
  expect(new Set(moments).size).toBe(moments.length)
  expect(Math.abs(moments[0]! - Date.now() * 1000)).toBeLessThan(1e6)
  const draws = Array.from({ length: 2000 }, () => random(16).join())
  expect(new Set(draws).size).toBe(draws.length)
  expect(random(10_000).length).toBe(10_000)
})

describe('the prompt', () => {
  /** A terminal that types `keys` one by one, and notes what it shows and how it is set. */
  const terminal = (...keys: string[]) => {
    const input = Object.assign(new PassThrough(), {
      isTTY: true,
      raw: [] as boolean[],
      setRawMode: (on: boolean) => void input.raw.push(on),
    })
    const output = new PassThrough()
    const answer = promptSecret('Password: ', input as never, output as never)
    for (const key of keys) input.write(key)
    return { answer, input, shown: () => String(output.read() ?? '') }
  }

  test.each([
    ['a word and Enter', ['s', 'e', 'cret\r'], 'secret'],
    ['a mistake that is taken back', ['sx\x7fecret\n'], 'secret'],
    ['a line that is begun again', ['nonsense\x15secret\r'], 'secret'],
    ['letters beyond ASCII', ['jörg\x7f\x7f\x7förg\r'], 'jörg'],
    ['nothing', ['\r'], ''],
  ])('takes %s, shows none of it, and puts the terminal back', async (_, keys, secret) => {
    const { answer, input, shown } = terminal(...keys)
    expect(await answer).toBe(secret)
    expect(input.raw).toEqual([true, false])
    expect(shown()).toBe('Password: \n')
  })

  test.each([
    ['Ctrl-C', '\x03'],
    ['Ctrl-D', '\x04'],
  ])('%s leaves it, and the terminal as it was', async (_, key) => {
    const { answer, input } = terminal(key)
    await expect(answer).rejects.toMatchObject({ name: 'PromptError' })
    expect(input.raw).toEqual([true, false])
  })

  test('from a pipe takes the first line', async () => {
    const pipe = new PassThrough()
    pipe.end('secret\nmore\n')
    expect(await firstLine(pipe)).toBe('secret')
    const empty = new PassThrough()
    empty.end()
    await expect(firstLine(empty)).rejects.toMatchObject({ name: 'PromptError' })
  })
})
