/** Credentials that C programs exported, and ours that they import: python-gssapi over MIT krb5. */
import { readFileSync } from 'node:fs'
import { enctypes } from 'kerb/crypto'
import { type Credentials, mechanismOids, Name, SecurityContext } from 'kerb/gss'
import { expect, test } from 'vitest'
import { fromHex, toHex } from '../../src/bytes/index.ts'
import { keytab, lab, peer, program, run, scratch } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv } from '../support/kerb.ts'

const service = 'echo/localhost@LAB.TEST'
const both = [mechanismOids.krb5, mechanismOids.spnego].sort()

type Variables = Readonly<Record<string, string>>

/** What gss_creds.py prints. */
async function python(env: Variables, ...words: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run('/usr/bin/python3', [program('gss_creds.py'), ...words], { env })
  if (code !== 0) expect.fail(stderr)
  return stdout.trim()
}
const seen = async (env: Variables, ...words: readonly string[]) =>
  JSON.parse(await python(env, ...words)) as { name: string; usage: string; mechs: string[]; token: string }

async function loggedIn(user = 'alice'): Promise<Variables> {
  const env = freshEnv()
  expect((await run('kinit', ['-f', user], { env, input: `${user}-pw\n` })).code).toBe(0)
  return env
}

/** Our acceptor's word on a token. */
async function accepted(token: Uint8Array, env: Variables, mech: 'krb5' | 'spnego' = 'krb5') {
  const kerberos = kerberosOf(env)
  const creds = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('all') } })
  const context = new SecurityContext({ usage: 'accept', creds, mech: kerberos[mech] })
  await context.step(token)
  return context
}

async function initiated(creds: Credentials, env: Variables, name = service) {
  const context = new SecurityContext({
    usage: 'initiate',
    name: Name.principal(name),
    creds,
    flags: [],
    mech: kerberosOf(env).krb5,
  })
  const token = (await context.step())!
  return { context, token }
}

peer(['mit', 'gssapi'], 'credentials that python-gssapi exported', () => {
  test('of a ccache: its name', async () => {
    const env = await loggedIn()
    using creds = await kerberosOf(env).importCredentials(fromHex(await python(env, 'export', 'default')))
    expect([creds.name!.text, creds.usage]).toEqual(['alice@LAB.TEST', 'initiate'])
    const { token } = await initiated(creds, env)
    expect((await accepted(token, env)).initiatorName.text).toBe('alice@LAB.TEST')
  })

  test('of a password: the tickets themselves', async () => {
    const env = freshEnv()
    using creds = await kerberosOf(env).importCredentials(
      fromHex(await python(env, 'export', 'password', 'alice@LAB.TEST')),
    )
    expect(creds.endtime! - Date.now() / 1000).toBeGreaterThan(3000)
    const { token } = await initiated(creds, env)
    expect((await accepted(token, env)).initiatorName.text).toBe('alice@LAB.TEST')
  })

  test.each(['accept', 'both'])('to %s: the names of keytab and replay cache', async (usage) => {
    const env = { ...(await loggedIn()), KRB5_KTNAME: keytab('echo') }
    const kerberos = kerberosOf(env)
    using creds = await kerberos.importCredentials(fromHex(await python(env, 'export', usage)))
    expect(creds.usage).toBe(usage)
    const { token } = await initiated(await kerberos.acquire({ usage: 'initiate' }), env)
    const context = new SecurityContext({ usage: 'accept', creds, mech: kerberos.krb5 })
    await context.step(token)
    expect(context.initiatorName.text).toBe('alice@LAB.TEST')
  })

  test('of a service in the name of a user (S4U2Self): it goes on by S4U2Proxy', async () => {
    const env = freshEnv()
    const { code } = await run('kinit', ['-f', '-k', '-t', keytab('all'), 'svc1/localhost'], { env })
    expect(code).toBe(0)
    using creds = await kerberosOf(env).importCredentials(
      fromHex(await python(env, 'export', 'impersonate', 'alice@LAB.TEST')),
    )
    expect(creds.name!.text).toBe('alice@LAB.TEST')
    const { token } = await initiated(creds, env)
    expect((await accepted(token, env)).initiatorName.text).toBe('alice@LAB.TEST')
    await expect(initiated(creds, env, 'svc3/localhost@LAB.TEST')).rejects.toMatchObject({
      minor: 'KDC_ERR_BADOPTION',
    })
  })

  test('with the only enctypes to use (gss_krb5_set_allowable_enctypes)', async () => {
    const env = await loggedIn()
    using creds = await kerberosOf(env).importCredentials(fromHex(await python(env, 'export', 'enctypes')))
    const { context } = await initiated(creds, env)
    expect(context.sessionKey().type).toBe(17)
  })
})

peer(['mit', 'gssapi'], 'credentials that python-gssapi imports', () => {
  test.each(['krb5', 'spnego'] as const)('of a ccache, by %s', async (mech) => {
    const env = await loggedIn()
    using creds = await kerberosOf(env).acquire({ usage: 'initiate' })
    const { token, ...about } = await seen(freshEnv(), 'initiate', toHex(creds.export()), service, mech)
    expect(about).toEqual({ name: 'alice@LAB.TEST', usage: 'initiate', mechs: both })
    expect((await accepted(fromHex(token), env, mech)).initiatorName.text).toBe('alice@LAB.TEST')
  })

  test('of a login, whose tickets are in no file, several of them', async () => {
    const env = freshEnv()
    using login = await kerberosOf(env).login('alice', { password: 'alice-pw' })
    await initiated(login.credentials, env)
    await initiated(login.credentials, env, 'HTTP/localhost@LAB.TEST')
    const { token, ...about } = await seen(env, 'initiate', toHex(login.credentials.export()), service)
    expect(about).toEqual({ name: 'alice@LAB.TEST', usage: 'initiate', mechs: both })
    expect((await accepted(fromHex(token), env)).initiatorName.text).toBe('alice@LAB.TEST')
  })

  test('to accept, with a replay cache that both use', async () => {
    const env = await loggedIn()
    const kerberos = kerberosOf(env)
    const store = { keytab: keytab('echo'), rcache: `file2:${scratch()}/rcache` }
    using creds = await kerberos.acquire({ usage: 'accept', store })
    const { token } = await initiated(await kerberos.acquire({ usage: 'initiate' }), env)
    const words = ['accept', toHex(creds.export()), toHex(token)] as const
    expect(JSON.parse(await python(env, ...words))).toMatchObject({ complete: true, initiator: 'alice@LAB.TEST' })
    const again = new SecurityContext({ usage: 'accept', creds, mech: kerberos.krb5 })
    await expect(again.step(token)).rejects.toMatchObject({ major: 'GSS_S_DUPLICATE_TOKEN' })
  })

  test('of a service in the name of a user', async () => {
    const env = freshEnv()
    const kerberos = kerberosOf(env)
    using own = await kerberos.login('svc1/localhost', { keytab: keytab('all'), forwardable: true })
    using creds = await kerberos.impersonate(own.credentials, Name.user('alice'))
    const { token, name } = await seen(env, 'initiate', toHex(creds.export()), service)
    expect(name).toBe('alice@LAB.TEST')
    expect((await accepted(fromHex(token), env)).initiatorName.text).toBe('alice@LAB.TEST')
    // and the same by way of a ccache
    const ccache = `FILE:${scratch()}/impersonated`
    await kerberos.store(creds, { ccache })
    for (const who of [
      kerberosOf({ ...env, KRB5CCNAME: ccache }).acquire({ usage: 'initiate' }),
      kerberos.importCredentials(fromHex(await python({ ...env, KRB5CCNAME: ccache }, 'export', 'default'))),
    ]) {
      using held = await who
      expect((await accepted((await initiated(held, env)).token, env)).initiatorName.text).toBe('alice@LAB.TEST')
    }
  })

  test('with the only enctypes to use', async () => {
    const env = await loggedIn()
    const only = enctypes.filter(({ id }) => id === 17)
    using creds = await kerberosOf(env).acquire({ usage: 'initiate', enctypes: only })
    const { token } = await seen(env, 'initiate', toHex(creds.export()), service)
    expect((await accepted(fromHex(token), env)).sessionKey().type).toBe(17)
  })

  test('keys that are in no keytab are none that it could import', async () => {
    const store = { keytab: new Uint8Array(readFileSync(keytab('echo'))) }
    using creds = await kerberosOf(lab.mit.env).acquire({ usage: 'accept', store })
    expect(() => creds.export()).toThrow('GSS_S_UNAVAILABLE')
  })
})
