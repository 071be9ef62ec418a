/** Credential caches and keytabs shared with MIT krb5, Heimdal, and the KCM daemons of SSSD and Heimdal. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { toBase64, toHex } from '../../src/bytes/index.ts'
import { Name } from '../../src/gss/name.ts'
import { CredentialCaches } from '../../src/node/caches/caches.ts'
import { environment } from '../../src/node/environment.ts'
import { Kerberos } from '../../src/node/kerberos.ts'
import { Keytabs } from '../../src/node/keytabs.ts'
import { cacheConfig, configEntry, configOf } from '../../src/store/cacheconfig.ts'
import { heimdalProgram, keytab, lab, peer, program, run, scratch, startKcm } from '../lab/index.ts'
import { changedConfig, freshEnv, kerb } from '../support/kerb.ts'

type Env = Readonly<Record<string, string>>
const ours = (env: Env, ...args: string[]) => kerb(args, { env })
const theirs = (env: Env, command: string, ...args: string[]) => run(command, args, { env })
const login = {
  kerb: (env: Env, user: string) => kerb(['kinit', '--password-file', '-', user], { env, input: `${user}-pw\n` }),
  MIT: (env: Env, user: string) => run('kinit', [user], { env, input: `${user}-pw\n` }),
}
/** MIT's library does to the cache what its tools cannot. */
const ccachePy = async (env: Env, ...args: string[]) => {
  const { code, stdout, stderr } = await run('/usr/bin/python3', [program('ccache.py'), ...args], { env })
  expect([code, stderr]).toEqual([0, ''])
  return stdout.trim()
}
const succeeded = (code: { readonly code: number; readonly stderr: string }) => expect(code).toMatchObject({ code: 0 })
/** klist of both prints the same lines, in whatever order folders and daemons give them. */
async function sameLines(env: Env, ...args: string[]): Promise<string> {
  const [mine, mit] = [await ours(env, 'klist', ...args), await theirs(env, 'klist', ...args)]
  const sorted = ({ code, stdout }: typeof mine) => ({ args, code, lines: stdout.split('\n').sort() })
  expect(sorted(mine)).toEqual(sorted(mit))
  return mine.stdout
}
/** klist of both prints the same, to the octet. */
async function sameKlist(env: Env, ...args: string[]): Promise<string> {
  const [mine, mit] = [await ours(env, 'klist', ...args), await theirs(env, 'klist', ...args)]
  expect({ args, code: mine.code, stdout: mine.stdout }).toEqual({ args, code: mit.code, stdout: mit.stdout })
  return mine.stdout
}
const ownersIn = (listing: string) => [...listing.matchAll(/^(\w+)@LAB\.TEST /gm)].map(([, user]) => user)

peer('mit', 'kerb klist', () => {
  test('prints what MIT prints, to the octet: tickets, flags, enctypes, addresses, configuration', async () => {
    const env = freshEnv()
    succeeded(await run('kinit', ['-f', '-r', '2d', 'alice'], { env, input: 'alice-pw\n' }))
    const services = ['e-arcfour', 'e-des3', 'e-camellia256', 'e-aes128-sha256-128', 'HTTP'].map(
      (e) => `${e}/localhost`,
    )
    succeeded(await theirs(env, 'kvno', ...services))
    for (const args of [[], ['-e'], ['-f'], ['-ef'], ['-efan'], ['-C'], ['-Cef'], ['-A'], ['-l'], ['-s'], ['-Ae']])
      expect(await sameKlist(env, ...args)).toEqual(args[0] === '-s' ? '' : expect.stringContaining('alice@LAB.TEST'))
  })

  test('prints addresses, aliases and the tickets of others as MIT does', async () => {
    const env = freshEnv()
    succeeded(await run('kinit', ['-a', 'alice'], { env, input: 'alice-pw\n' }))
    const cache = await new CredentialCaches({ defaultName: env['KRB5CCNAME']! }).resolve()
    const { entries, ...contents } = await cache.read()
    const addresses = [
      { addrType: 2, address: Uint8Array.of(127, 0, 0, 1) },
      { addrType: 24, address: Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array<number>(11).fill(0), 1) },
    ]
    const tickets = entries.filter((entry) => !configOf(entry))
    const changed = tickets.flatMap((entry) => [
      { ...entry, addresses },
      { ...entry, server: { ...entry.server, components: ['alias', 'x'] } },
      { ...entry, client: { ...entry.client, components: ['bob'] }, renewTill: 0 },
    ])
    await cache.replace({ ...contents, entries: changed })
    expect(await sameKlist(env, '-an')).toContain('\tAddresses: 127.0.0.1, 2001:db8::1\n')
    expect(await sameKlist(env, '-efan')).toContain('\tTicket server: krbtgt/LAB.TEST@LAB.TEST\n')
    expect(await sameKlist(env, '-ef')).toContain('\tfor client bob@LAB.TEST, Flags: ')
  })

  test.each([['-k'], ['-ke'], ['-kt'], ['-kK'], ['-ketK']])(
    '%s prints a keytab as MIT does, to the octet',
    async (options) => {
      expect(await sameKlist(lab.mit.env, options, keytab('enctypes'))).toMatch(/e-arcfour\/localhost@LAB\.TEST/)
    },
  )

  test('-s tells by its exit code alone whether there is a valid ticket', async () => {
    const env = freshEnv()
    await sameKlist(env, '-s')
    succeeded(await run('kinit', ['-l', '2s', 'alice'], { env, input: 'alice-pw\n' }))
    await sameKlist(env, '-s')
    await new Promise((resolve) => setTimeout(resolve, 3000))
    await sameKlist(env, '-s')
    expect(await sameKlist(env, '-l')).toContain('(Expired)')
  })
})

/** Collections: their kind, how to name a new one, and a krb5.conf for it. */
const collections = {
  DIR: async () => ({ ...freshEnv(), KRB5CCNAME: `DIR:${join(scratch(), 'collection')}` }),
  'KCM of SSSD': () => kcmEnv('sssd'),
  'KCM of Heimdal': () => kcmEnv('heimdal'),
}
async function kcmEnv(kind: 'heimdal' | 'sssd'): Promise<Record<string, string>> {
  const socket = await startKcm(kind)
  const conf = changedConfig((text) => text.replace('[libdefaults]', `[libdefaults]\n  kcm_socket = ${socket}`))
  return { ...conf, KRB5CCNAME: 'KCM:' }
}

peer(['mit', 'kcm'], 'a collection', () => {
  describe.each(Object.entries(collections))('in %s', (kind, make) => {
    let env: Env
    beforeAll(async () => {
      env = await make()
    }, 60_000)

    test('is filled, listed, switched and emptied by kerb and MIT in turn', async () => {
      expect((await ours(env, 'klist', '-s')).code).toBe(1)
      succeeded(await login.kerb(env, 'alice'))
      succeeded(await login.MIT(env, 'bob'))
      succeeded(await login.kerb(env, 'nofwd'))
      succeeded(await login.kerb(env, 'alice'))
      expect(ownersIn(await sameLines(env, '-l'))).toEqual(expect.arrayContaining(['alice', 'bob', 'nofwd']))
      await sameLines(env, '-Aef')

      succeeded(await ours(env, 'kswitch', '-p', 'bob'))
      expect((await theirs(env, 'klist')).stdout).toContain('Default principal: bob@LAB.TEST')
      succeeded(await theirs(env, 'kvno', 'HTTP/localhost'))
      succeeded(await ours(env, 'kvno', 'echo/localhost'))
      succeeded(await theirs(env, 'kvno', 'host/localhost'))
      expect(await sameLines(env, '-Cef')).toMatch(
        /^(?=[\s\S]*HTTP\/localhost)(?=[\s\S]*echo\/localhost)(?=[\s\S]* host\/localhost)/,
      )
      succeeded(await theirs(env, 'kswitch', '-p', 'alice'))
      expect(await sameLines(env)).toContain('Default principal: alice@LAB.TEST')

      const cacheOf = (await theirs(env, 'klist', '-l')).stdout.match(/^nofwd@\S+ +(\S+)$/m)![1]!
      succeeded(await ours(env, 'kswitch', '-c', cacheOf))
      expect((await theirs(env, 'klist')).stdout).toContain('Default principal: nofwd@LAB.TEST')
      expect(await ours(env, 'kdestroy', '-p', 'bob')).toMatchObject({ code: 0, stderr: /Other credential caches/ })
      succeeded(await theirs(env, 'kdestroy', '-q', '-c', cacheOf))
      expect(ownersIn(await sameLines(env, '-A')).length + ownersIn(await sameLines(env, '-l')).length).toBe(1)
      succeeded(await ours(env, 'kdestroy', '-A'))
      expect((await theirs(env, 'klist', '-l')).stdout).not.toContain('@LAB.TEST')
    })

    test('GSS credentials come out of it, by name', async () => {
      succeeded(await login.MIT(env, 'alice'))
      succeeded(await login.MIT(env, 'bob'))
      const kerberos = new Kerberos({ environment: environment(env) })
      for (const user of ['alice', 'bob']) {
        using credentials = await kerberos.acquire({ usage: 'initiate', name: Name.user(user) })
        expect(String(credentials.name)).toBe(`${user}@LAB.TEST`)
      }
      await expect(kerberos.acquire({ usage: 'initiate', name: Name.user('carol') })).rejects.toThrow(/not of carol/)
      succeeded(await ours(env, 'kdestroy', '-A'))
    })

    test("configuration is read and written as MIT's library does", async () => {
      succeeded(await login.MIT(env, 'alice'))
      const { kcmSocket } = settings(env)
      const caches = new CredentialCaches({ defaultName: env['KRB5CCNAME']!, kcmSocket })
      const cache = await caches.resolve()
      const { principal, ...contents } = await cache.read()
      const tgt = contents.entries.find(({ server }) => server.realm === 'LAB.TEST')!.server
      expect(cacheConfig(contents, 'fast_avail', tgt)).toBe('yes')
      await cache.add(configEntry(principal, 'proxy_impersonator', 'svc1/localhost@LAB.TEST'))
      expect(await ccachePy(env, 'get-config', 'proxy_impersonator')).toBe('svc1/localhost@LAB.TEST')
      await ccachePy(env, 'set-config', 'refresh_time', '1795330861')
      expect(cacheConfig(await cache.read(), 'refresh_time')).toBe('1795330861')
      expect(await cache.remove((entry) => entry.server.components[1] === 'refresh_time')).toBe(1)
      expect((await theirs(env, 'klist', '-C')).stdout).not.toContain('refresh_time')
      await sameLines(env, '-C')
      succeeded(await ours(env, 'kdestroy', '-A'))
    })

    if (kind === 'DIR')
      test('a cache of it is reached by its own name', async () => {
        succeeded(await login.kerb(env, 'alice'))
        const one = { ...env, KRB5CCNAME: (await theirs(env, 'klist')).stdout.match(/^Ticket cache: (\S+)$/m)![1]! }
        expect(one.KRB5CCNAME).toMatch(/^DIR::/)
        await sameLines(one, '-A')
        await sameLines(one, '-l')
      })
  })
})

function settings(env: Env): { readonly kcmSocket?: string } {
  const [, kcmSocket] = /kcm_socket = (\S+)/.exec(readFileSync(env['KRB5_CONFIG']!, 'utf8')) ?? []
  return kcmSocket === undefined ? {} : { kcmSocket }
}

peer('mit', 'a FILE cache', () => {
  const opened = async () => {
    const env = freshEnv()
    succeeded(await login.MIT(env, 'alice'))
    return { env, cache: await new CredentialCaches({ defaultName: env['KRB5CCNAME']! }).resolve() }
  }

  test("shows what MIT's library removed in place as removed, and the other way round", async () => {
    const { env, cache } = await opened()
    succeeded(await theirs(env, 'kvno', 'HTTP/localhost', 'echo/localhost', 'host/localhost'))
    await ccachePy(env, 'set-config', 'proxy_impersonator', 'x')
    await ccachePy(env, 'remove-config', 'proxy_impersonator')
    await ccachePy(env, 'remove', 'echo/localhost')
    const seen = await sameKlist(env, '-C')
    expect(seen).not.toMatch(/echo|proxy_impersonator/)
    expect(await cache.remove(({ server }) => server.components[0] === 'HTTP')).toBe(1)
    expect(await sameKlist(env, '-Cef')).not.toContain('HTTP/localhost')
    expect(await cache.remove(({ server }) => server.components[1] === 'pa_type')).toBe(1)
    expect(await sameKlist(env, '-Cef')).not.toContain('pa_type')
  })

  test("loses nothing while kerb and MIT's library write to it at the same moment", async () => {
    const { env, cache } = await opened()
    const [first] = (await cache.read()).entries.filter(({ server }) => server.realm === 'LAB.TEST')
    const [rounds, each] = [60, 100]
    const mit = [ccachePy(env, 'store', String(each)), ccachePy(env, 'store', String(each))]
    for (let i = 0; i < rounds; i++) {
      const server = { ...first!.server, components: [`svc${i}`, 'localhost'] }
      await cache.add({ ...first!, server })
      if (i % 2 === 0) expect(await cache.remove((entry) => entry.server.components[0] === `svc${i}`)).toBe(1)
    }
    await Promise.all(mit)
    const names = (await cache.read()).entries.map(({ server }) => server.components[0]!)
    expect(names.filter((name) => name.startsWith('svc'))).toHaveLength(rounds / 2)
    expect(names.filter((name) => name === 'krbtgt')).toHaveLength(1 + 2 * each)
    expect((await theirs(env, 'klist')).stdout.match(/svc\d+\/localhost@/g)).toHaveLength(rounds / 2)
  })

  test.each([1, 2, 3])('of version %i is read, and what a change makes of it MIT reads', async (version) => {
    const env: Env = changedConfig((text) => text.replace('[libdefaults]', `[libdefaults]\n  ccache_type = ${version}`))
    succeeded(await login.MIT(env, 'alice'))
    const path = env['KRB5CCNAME']!.slice('FILE:'.length)
    expect(readFileSync(path)[1]).toBe(version)
    await sameKlist(env, '-ef')
    succeeded(await ours(env, 'kvno', 'HTTP/localhost'))
    expect(await sameKlist(env, '-ef')).toContain('HTTP/localhost')
  })
})

peer('mit', 'a kirbi', () => {
  test("goes to MIT's library and comes from it", async () => {
    const [env, other, third] = [freshEnv(), freshEnv(), freshEnv()]
    succeeded(await login.MIT(env, 'alice'))
    succeeded(await theirs(env, 'kvno', 'HTTP/localhost'))
    const [mine, mits] = [join(scratch(), 'a.kirbi'), join(scratch(), 'b.kirbi')]
    succeeded(await ours(env, 'kirbi', 'export', mine))
    await ccachePy(other, 'read-cred', mine)
    const body = (text: string) => text.slice(text.indexOf('\n'))
    expect(body(await sameKlist(other, '-ef'))).toBe(body(await sameKlist(env, '-ef')))
    succeeded(await theirs(other, 'kvno', 'echo/localhost'))

    await ccachePy(env, 'write-cred', mits)
    succeeded(await ours(third, 'kirbi', 'import', mits))
    succeeded(await theirs(third, 'kvno', 'echo/localhost'))
    const text = join(scratch(), 'b.txt')
    writeFileSync(text, toBase64(readFileSync(mits)).replace(/.{64}/g, '$&\n'))
    succeeded(await ours(third, 'kirbi', 'import', text))
    expect(await sameKlist(third)).toMatch(/krbtgt\/LAB\.TEST@LAB\.TEST/)
    expect(await ours(env, 'kirbi', 'export', mine)).toMatchObject({ code: 1, stderr: /EEXIST/ })
  })
})

peer('mit', 'kerb keytab', () => {
  test.each(['alice', 'special', 'jörg'])('makes keys of the password of %s that MIT logs in with', async (user) => {
    const path = join(scratch(), 'keytab')
    const salt = user === 'special' ? await saltOf(user) : []
    const add = await kerb(['keytab', 'add', user, '-k', path, '--password-file', '-', ...salt], {
      env: lab.mit.env,
      input: `${user}-pw\n`,
    })
    succeeded(add)
    succeeded(await theirs(freshEnv(), 'kinit', '-k', '-t', path, user))
    await sameKlist(lab.mit.env, '-ket', path)
  })

  test('adds, merges, prunes and removes where MIT reads and writes as well', async () => {
    const path = join(scratch(), 'keytab')
    const { env } = lab.mit
    copyFileSync(keytab('HTTP'), path)
    succeeded(await ours(env, 'keytab', 'merge', '-k', path, keytab('host'), keytab('echo')))
    await sameKlist(env, '-keK', path)
    const key = '00112233445566778899aabbccddeeff'
    const add = ['keytab', 'add', 'x/y', '-k', path, '-V', '300', '-e', 'aes128-cts', '--key', key]
    succeeded(await ours(env, ...add))
    expect(await sameKlist(env, '-keK', path)).toContain(`300 x/y@LAB.TEST (aes128-cts-hmac-sha1-96)  (0x${key})`)
    succeeded(await ours(env, 'keytab', 'add', 'x/y', '-k', path, '-V', '301', '-e', 'aes128-cts', '--key', key))
    succeeded(await ours(env, 'keytab', 'remove', 'x/y', '-k', path, '--old'))
    expect(await sameKlist(env, '-k', path)).not.toContain('300 x/y')
    succeeded(await ours(env, 'keytab', 'remove', 'host/localhost', '-k', path))
    expect(await sameKlist(env, '-k', path)).not.toContain('host/localhost')

    const script = `rkt ${path}\nwkt ${path}2\nquit\n`
    succeeded(await run('ktutil', [], { env, input: script }))
    expect((await new Keytabs().resolve(`${path}2`).read()).entries.map(({ key }) => toHex(key.octets()))).toEqual(
      (await new Keytabs().resolve(path).read()).entries.map(({ key }) => toHex(key.octets())),
    )
    expect(await ours(env, 'keytab', 'remove', 'nobody', '-k', path)).toMatchObject({ code: 1, stderr: /no such key/ })
  })

  test('is filled behind the holes by kadmin, which fills them, and the other way round', async () => {
    const path = join(scratch(), 'keytab')
    const { env } = lab.mit
    copyFileSync(keytab('HTTP'), path)
    succeeded(await ours(env, 'keytab', 'remove', 'HTTP/localhost', '-k', path))
    const size = readFileSync(path).length
    const kdcEnv = { ...env, KRB5_KDC_PROFILE: join(lab.mit.dir, 'kdc', 'kdc.conf') }
    const ktadd = ['-q', `ktadd -norandkey -k ${path} echo/localhost`]
    expect((await run('/usr/sbin/kadmin.local', ktadd, { env: kdcEnv })).stdout).toContain('added to keytab')
    expect(readFileSync(path).length).toBe(size)
    expect(await sameKlist(env, '-ke', path)).toContain('echo/localhost')
  })

  test('client keytabs are those of KRB5_CLIENT_KTNAME', async () => {
    const env = { ...lab.mit.env, KRB5_CLIENT_KTNAME: `FILE:${keytab('users')}` }
    expect(await sameKlist(env, '-k', '-i')).toContain('alice@LAB.TEST')
  })
})

/** The salt that the KDC has for a user, as options of `kerb keytab add`. */
async function saltOf(user: string): Promise<string[]> {
  const trace = join(scratch(), 'trace')
  await login.kerb({ ...freshEnv(), KRB5_TRACE: trace }, user)
  const [, salt] = /salt "([^"]*)"/.exec(readFileSync(trace, 'utf8'))!
  return ['-s', salt!]
}

peer(['mit', 'heimdal'], 'Heimdal', () => {
  test('reads a cache that kerb wrote and changed, and kerb one of Heimdal', async () => {
    const env = freshEnv(lab.heimdal.env)
    succeeded(await login.kerb(env, 'alice'))
    succeeded(await ours(env, 'kvno', 'HTTP/localhost', 'echo/localhost'))
    const cache = await new CredentialCaches({ defaultName: env['KRB5CCNAME']! }).resolve()
    await cache.remove(({ server }) => server.components[0] === 'echo')
    const heimdals = await theirs(env, heimdalProgram('heimtools'), 'klist')
    expect(heimdals.stdout).toMatch(/Principal: alice@H5L\.TEST[\s\S]*HTTP\/localhost/)
    expect(heimdals.stdout).toMatch(/>>>Expired<<< +echo\/localhost/) // as after a removal by MIT's library

    const passwords = join(scratch(), 'password')
    writeFileSync(passwords, 'bob-pw\n')
    succeeded(await theirs(env, heimdalProgram('kinit'), `--password-file=${passwords}`, 'bob'))
    succeeded(await theirs(env, heimdalProgram('kgetcred'), 'HTTP/localhost@H5L.TEST'))
    expect((await ours(env, 'klist')).stdout).toMatch(/Default principal: bob@H5L\.TEST[\s\S]*HTTP\/localhost/)
    succeeded(await ours(env, 'kvno', 'echo/localhost'))
    expect((await theirs(env, heimdalProgram('heimtools'), 'klist')).stdout).toMatch(/echo\/localhost/)
  })

  test('reads a keytab that kerb made, with its hole', async () => {
    const path = join(scratch(), 'keytab')
    const { env } = lab.heimdal
    for (const user of ['alice', 'bob'])
      succeeded(
        await kerb(['keytab', 'add', user, '-k', path, '--password-file', '-', '-e', 'aes256-cts'], {
          env,
          input: `${user}-pw\n`,
        }),
      )
    succeeded(await ours(env, 'keytab', 'remove', 'alice', '-k', path))
    const { stdout } = await theirs(env, heimdalProgram('ktutil'), '-k', path, 'list')
    expect(stdout).toContain('bob@H5L.TEST')
    expect(stdout).not.toContain('alice@H5L.TEST')
    succeeded(await theirs(freshEnv(env), heimdalProgram('kinit'), '-k', '-t', path, 'bob'))
  })
})
