/** `kerb kvno` against MIT's KDC, and MIT's kvno against ours, option by option; each reads the cache that the other wrote. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encryptedTimestampKdc } from '../../src/krb5/preauth/timestamp/kdc.ts'
import { pemIdentity, pkinitKdc } from '../../src/node/pkinit.ts'
import { startRealm } from '../../src/node/realm.ts'
import { keytab, lab, peer, run, scratch } from '../lab/index.ts'
import { freshEnv, kerb } from '../support/kerb.ts'

const printed = (...services: readonly string[]) => ({
  code: 0,
  stderr: '',
  stdout: services.map((service) => `${service}@LAB.TEST: kvno = 1\n`).join(''),
})
/** Whose tickets for what a cache holds, as MIT's klist prints them. */
async function held(env: Readonly<Record<string, string>>, cache = env['KRB5CCNAME']!): Promise<readonly string[]> {
  const { stdout } = await run('klist', ['-c', cache], { env })
  return [...stdout.matchAll(/ (\S+@\S+)\n(?:\tfor client (\S+?)(?:,|\n))?/g)].flatMap(([, server, client]) =>
    client ? [`${client} -> ${server}`] : [],
  )
}

peer('mit', "kerb kvno at MIT's KDC", () => {
  const service = async (name = 'svc1/localhost') => {
    const env = freshEnv(lab.mit.env)
    expect(await kerb(['kinit', '-f', '-t', keytab('all'), name], { env })).toMatchObject({ code: 0, stderr: '' })
    return { env, kvno: (...args: readonly string[]) => kerb(['kvno', ...args], { env }) }
  }

  test('-I: a ticket in the name of a user, kept in the cache, where MIT’s kvno finds it', async () => {
    const { env, kvno } = await service()
    expect(await kvno('-I', 'alice', 'svc1/localhost')).toEqual(printed('svc1/localhost'))
    expect(await held(env)).toEqual(['alice@LAB.TEST -> svc1/localhost@LAB.TEST'])
    expect(await run('kvno', ['--cached-only', '-I', 'alice', 'svc1/localhost'], { env })).toMatchObject({ code: 0 })
    expect(await kvno('--cached-only', '-I', 'bob', 'svc1/localhost')).toMatchObject({ code: 1 })
  })

  test('-U: one of a user known by an enterprise name', async () => {
    const { env, kvno } = await service()
    expect(await kvno('-U', 'carol@corp.example', 'svc1/localhost')).toEqual(printed('svc1/localhost'))
    expect(await held(env)).toEqual(['carol\\@corp.example@LAB.TEST -> svc1/localhost@LAB.TEST'])
  })

  test('-F: one of whoever a certificate is of', async () => {
    const { env, kvno } = await service()
    const certificate = join(lab.mit.dir, 'pki/pkuser.pem')
    expect(await kvno('-F', certificate, 'svc1/localhost')).toEqual(printed('svc1/localhost'))
    expect(await held(env)).toEqual(['pkuser@LAB.TEST -> svc1/localhost@LAB.TEST'])
    const strange = await kvno('-F', join(lab.mit.dir, 'pki/alice.pem'), 'svc1/localhost')
    expect(strange).toMatchObject({ code: 1, stdout: '' })
  })

  test('-P: to other services, as far as the rules go; what is refused does not stop the others', async () => {
    const { env, kvno } = await service()
    const { code, stdout, stderr } = await kvno('-I', 'alice', '-P', 'svc3/localhost', 'svc2/localhost')
    expect([code, stdout]).toEqual([1, 'svc2/localhost@LAB.TEST: kvno = 1\n'])
    expect(stderr).toContain('KDC_ERR_BADOPTION')
    expect(await held(env)).toContain('alice@LAB.TEST -> svc2/localhost@LAB.TEST')
    const theirs = ['--cached-only', '-I', 'alice', '-P', 'svc2/localhost']
    expect(await run('kvno', theirs, { env })).toMatchObject({ code: 0, stderr: '' })
  })

  test('-P: takes what MIT’s kvno left in the cache', async () => {
    const { env, kvno } = await service()
    expect(await run('kvno', ['-I', 'alice', '-P', 'svc2/localhost'], { env })).toMatchObject({ code: 0 })
    expect(await kvno('--cached-only', '-I', 'alice', '-P', 'svc2/localhost')).toEqual(printed('svc2/localhost'))
  })

  test('--out-cache: into a cache of its own, which belongs to the user; --no-store: into none', async () => {
    const { env, kvno } = await service()
    const out = `FILE:${join(scratch(), 'out')}`
    expect(await kvno('-I', 'mia@MID.TEST', '-P', '--out-cache', out, 'svc2/localhost')).toEqual(
      printed('svc2/localhost'),
    )
    expect((await run('klist', ['-c', out], { env })).stdout).toMatch(/principal: mia@MID.TEST\n(.*\n)*.*svc2/)
    expect(await kvno('--no-store', '-I', 'alice', 'svc1/localhost')).toEqual(printed('svc1/localhost'))
    expect(await held(env)).toEqual([])
  })

  test('--u2u, -k, -C, -e and --cached-only', async () => {
    const env = freshEnv(lab.mit.env)
    expect(await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).toMatchObject({ code: 0 })
    const kvno = (...args: readonly string[]) => kerb(['kvno', ...args], { env })
    const peers = `FILE:${join(scratch(), 'u2u')}`
    expect(await run('kinit', ['-c', peers, 'u2u'], { env, input: 'u2u-pw\n' })).toMatchObject({ code: 0 })
    expect((await kvno('--u2u', peers, 'u2u')).stdout).toBe('u2u@LAB.TEST: kvno = 0\n')
    expect((await kvno('-k', keytab('all'), 'svc2/localhost')).stdout).toContain('kvno = 1, keytab entry valid')
    expect(await kvno('-k', keytab('wrong'), 'HTTP/localhost')).toMatchObject({ code: 1 })
    expect(await kvno('-C', 'HTTP/webalias.lab.test')).toMatchObject({ code: 0, stderr: '' })
    expect(await kvno('-e', 'aes128-cts-hmac-sha1-96', 'host/localhost')).toEqual(printed('host/localhost'))
    expect(await kvno('--cached-only', 'svc2/localhost')).toEqual(printed('svc2/localhost'))
    expect(await kvno('--cached-only', 'echo/localhost')).toMatchObject({ code: 1, stdout: '' })
  })
})

peer('mit', "MIT's kvno at our KDC", () => {
  const start = async () => {
    const pki = (name: string) => readFileSync(join(lab.mit.dir, 'pki', name))
    const identity = await pemIdentity({ certificate: pki('kdc.pem'), key: pki('kdc.key') })
    const realm = await startRealm({
      users: {
        alice: { password: 'alice-pw', aliases: ['alice\\@corp.example'] },
        bob: 'bob-pw',
        pkuser: 'pkuser-pw',
        'HTTP/www': { okToAuthAsDelegate: true, allowedToDelegateTo: ['db/host'] },
      },
      services: { 'db/host': {}, 'files/host': { allowedToActOnBehalf: ['HTTP/www'] } },
      preauth: [encryptedTimestampKdc, pkinitKdc({ identity, trust: { anchors: [] } })],
    })
    const folder = scratch()
    const [config, ktab] = [join(folder, 'krb5.conf'), join(folder, 'keytab')]
    writeFileSync(config, realm.configText)
    writeFileSync(ktab, realm.keytab('HTTP/www'))
    const env = { KRB5_CONFIG: config, KRB5CCNAME: `FILE:${join(folder, 'cc')}`, KRB5_KTNAME: ktab }
    const kinit = (who: string, cache: string) => run('kinit', ['-f', '-c', cache, who], { env, input: `${who}-pw\n` })
    expect(await run('kinit', ['-f', '-k', 'HTTP/www'], { env })).toMatchObject({ code: 0 })
    return { folder, env, kinit, [Symbol.asyncDispose]: () => realm[Symbol.asyncDispose]() }
  }

  test('-I and -P: a ticket in the name of a user, to itself and to others', async () => {
    await using realm = await start()
    const { env } = realm
    expect(await run('kvno', ['-I', 'alice', 'HTTP/www'], { env })).toEqual(printed('HTTP/www'))
    expect(await run('kvno', ['-I', 'alice', '-P', 'db/host', 'files/host'], { env })).toEqual(
      printed('db/host', 'files/host'),
    )
    expect(await held(env)).toContain('alice@LAB.TEST -> files/host@LAB.TEST')
    expect(await kerb(['kvno', '--cached-only', '-I', 'alice', '-P', 'db/host'], { env })).toEqual(printed('db/host'))
    expect(await run('kvno', ['-I', 'nobody', 'HTTP/www'], { env })).toMatchObject({ code: 1 })
  })

  test.each(['alice', 'alice@corp.example', 'alice@LAB.TEST'])('-U %s: known by an enterprise name', async (name) => {
    await using realm = await start()
    const { env } = realm
    expect(await run('kvno', ['-U', name, 'HTTP/www'], { env })).toEqual(printed('HTTP/www'))
    expect(await run('kvno', ['-U', name, '-P', 'db/host'], { env })).toEqual(printed('db/host'))
    expect(await kerb(['kvno', '-U', name, '-P', 'files/host'], { env })).toEqual(printed('files/host'))
  })

  test('-F: known by a certificate', async () => {
    await using realm = await start()
    const { env } = realm
    const certificate = (name: string) => join(lab.mit.dir, 'pki', name)
    expect(await run('kvno', ['-F', certificate('pkuser.pem'), 'HTTP/www'], { env })).toEqual(printed('HTTP/www'))
    expect(await held(env)).toEqual(['pkuser@LAB.TEST -> HTTP/www@LAB.TEST'])
    const ours = ['kvno', '-F', certificate('pkuser-upn.pem'), '-P', 'db/host']
    expect(await kerb(ours, { env })).toEqual(printed('db/host'))
    expect(await run('kvno', ['-F', certificate('ca.pem'), 'HTTP/www'], { env })).toMatchObject({ code: 1 })
  })

  test('a ticket from other addresses buys nothing, as at MIT’s KDC', async () => {
    await using realm = await start()
    const { env } = realm
    expect(await run('kinit', ['-a', 'alice'], { env, input: 'alice-pw\n' })).toMatchObject({ code: 0 })
    const { code, stderr } = await run('kvno', ['db/host'], { env })
    expect([code, stderr]).toEqual([1, expect.stringContaining('Incorrect net address')])
  })

  test('--u2u: a ticket under the session key of the other', async () => {
    await using realm = await start()
    const { env, folder, kinit } = realm
    const peers = `FILE:${join(folder, 'bob')}`
    expect(await kinit('alice', env.KRB5CCNAME)).toMatchObject({ code: 0 })
    expect(await kinit('bob', peers)).toMatchObject({ code: 0 })
    const { code, stderr, stdout } = await run('kvno', ['--u2u', peers, 'bob'], { env })
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain('bob@LAB.TEST: kvno = 0')
  })
})
