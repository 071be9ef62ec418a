/**
 * C programs whose keys `kerb gssproxy` has, by gssproxy's own interposer plugin: they are nobody's, and cannot read
 * the keytabs. What they see is what gssproxy 0.9.1 gives them (its capture is in `vectors/gssproxy`).
 */
import { readFileSync, statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { lab, peer, program, run, startApache } from '../lab/index.ts'
import type { Apache } from '../lab/start.ts'
import { keyFolder, NOBODY, runProxied } from '../support/gssproxy.ts'
import { changedConfig, freshEnv, kerbDaemon } from '../support/kerb.ts'

const bothSides = readFileSync(program('gss_both.py'), 'utf8')

peer(['mit', 'gssproxy', 'gssapi', 'curl', 'apache'], 'C programs without keys', () => {
  let keys: ReturnType<typeof keyFolder>
  let daemon: AsyncDisposable
  let apache: Apache
  const socket = (name: string) => keys.path(`${name}.sock`)

  beforeAll(async () => {
    keys = keyFolder()
    const [http, alice] = [keys.keytab('HTTP'), keys.keytab('users', 'alice')]
    const svc1 = keys.keytab('svc1')
    const web = [`cred_store = keytab:${http}`, `euid = ${NOBODY}`]
    // the keys of all services to accept with, so that one program can be at both ends
    const acting = [
      `cred_store = keytab:${keys.keytab('all')}`,
      `cred_store = client_keytab:${svc1}`,
      `euid = ${NOBODY}`,
    ]
    const config = keys.config({
      both: [...web, `socket = ${socket('both')}`, `cred_store = client_keytab:${alice}`, 'filter_flags = -DELEGATE'],
      filtering: [...web, `socket = ${socket('filtering')}`, `cred_store = client_keytab:${alice}`],
      apache: [
        ...[`cred_store = keytab:${http}`, 'cred_usage = accept', `socket = ${socket('apache')}`],
        ...['euid = www-data', 'krb5_principal = HTTP/localhost'],
      ],
      acting: [
        ...[...acting, `socket = ${socket('acting')}`],
        ...['allow_protocol_transition = yes', 'allow_constrained_delegation = yes', 'allow_client_ccache_sync = yes'],
      ],
      bob: [
        ...[`cred_store = client_keytab:${keys.keytab('users')}`, 'cred_usage = initiate', `socket = ${socket('bob')}`],
        ...['krb5_principal = bob', 'euid = 0', 'allow_any_uid = yes'],
      ],
      seeing: [
        'krb5_principal = svc1/localhost',
        ...acting,
        `socket = ${socket('seeing')}`,
        'allow_protocol_transition = yes',
      ],
    })
    const rules = (text: string) =>
      text.replace(
        /^( +LAB\.TEST = \{)$/m,
        '$1\n    auth_to_local = RULE:[1:at-$$1-proxied]\n    auth_to_local = DEFAULT',
      )
    const { KRB5_CONFIG } = changedConfig(rules)
    daemon = await kerbDaemon(['gssproxy', '--config', config], /Ready/, { KRB5_CONFIG: KRB5_CONFIG! })
    apache = await startApache({ keytab: `proxy:${socket('apache')}` })
  })
  afterAll(async () => daemon?.[Symbol.asyncDispose]())

  const both = async (service: string, name: string, mech: string, wanted: object) => {
    const command = ['/usr/bin/python3', '-c', bothSides, name, mech]
    const { stdout, stderr } = await runProxied(socket(service), command, { input: JSON.stringify(wanted) })
    expect(stderr).toBe('')
    return JSON.parse(stdout) as Readonly<Record<string, unknown>>
  }

  describe.each(['krb5', 'spnego'])('python-gssapi in both roles, by %s', (mech) => {
    test('is alice and HTTP/localhost, and cannot read their keys', async () => {
      for (const user of ['HTTP', 'alice']) {
        const { code, stderr } = await runProxied(socket('both'), ['cat', keys.path(`${user}.keytab`)])
        expect([code, stderr]).toEqual([1, expect.stringContaining('Permission denied')])
      }
      expect(await both('both', 'HTTP@localhost', mech, {})).toEqual({
        ...{ initiator: 'alice@LAB.TEST', target: 'HTTP/localhost@LAB.TEST', mech: '1.2.840.113554.1.2.2' },
        ...{ message: 'hello', encrypted: true, delegated: false },
        flags: ['confidentiality', 'integrity', 'mutual_authentication', 'protection_ready', 'transferable'],
      })
    })

    test('may acquire its credentials first', async () =>
      expect(await both('both', 'HTTP@localhost', mech, { creds: true })).toMatchObject({
        acceptor: expect.stringMatching(/^HTTP\/.*@LAB\.TEST$/),
        creds: ['alice@LAB.TEST', true],
        initiator: 'alice@LAB.TEST',
      }))

    test('binds to a channel', async () => {
      const bound = await both('both', 'HTTP@localhost', mech, { bindings: ['tls', 'tls'] })
      expect(bound['flags']).toContain('channel_bound')
      const { error } = await both('both', 'HTTP@localhost', mech, { bindings: ['tls', 'other'] })
      // MIT's SPNEGO tells it as it does over gssproxy
      expect(error).toMatch(mech === 'krb5' ? /Incorrect channel bindings/ : /SPNEGO failed to negotiate/)
    })

    test('hands tickets over, and initiates with what was handed over', async () => {
      const wanted = { flags: ['mutual_authentication', 'delegate_to_peer'], onward: 'HTTP@localhost' }
      expect(await both('both', 'HTTP@localhost', mech, wanted)).toMatchObject({
        delegated: true,
        onward: 'alice@LAB.TEST',
      })
    })
  })

  test('what the service filters is not asked for', async () =>
    expect(
      await both('filtering', 'HTTP@localhost', 'krb5', { flags: ['mutual_authentication', 'delegate_to_peer'] }),
    ).toMatchObject({ delegated: false }))

  test('acts in the name of a user who is not there, as far as the service and the KDC’s rules allow', async () => {
    const acting = { as: 'bob' }
    expect(await both('acting', 'svc1@localhost', 'krb5', acting)).toMatchObject({
      ...{ acceptor: 'svc1/localhost@LAB.TEST', impersonated: 'bob@LAB.TEST', initiator: 'bob@LAB.TEST' },
    })
    // who came is acted for in turn, at the services of the KDC's rules
    expect(await both('acting', 'svc1@localhost', 'krb5', { ...acting, onward: 'svc2@localhost' })).toMatchObject({
      ...{ delegated: true, onward: 'bob@LAB.TEST' },
    })
    expect(await both('acting', 'svc1@localhost', 'krb5', { ...acting, onward: 'ldap@localhost' })).toMatchObject({
      error: expect.stringMatching(/KDC_ERR_BADOPTION|S4U2Proxy|not allow/i),
    })
    expect((await both('seeing', 'svc1@localhost', 'krb5', acting))['error']).toMatch(/allow_constrained_delegation/)
    expect((await both('both', 'HTTP@localhost', 'krb5', acting))['error']).toMatch(/allow_protocol_transition/)
  })

  test('does one thing only where cred_usage says so', async () =>
    expect((await both('bob', 'HTTP@localhost', 'krb5', {}))['error']).toMatch(/bob may initiate, not accept/))

  test('a socket is its owner’s, and nobody else’s', async () => {
    expect([statSync(socket('both')).uid, statSync(socket('both')).mode & 0o777]).toEqual([NOBODY, 0o600])
    const { error } = await both('apache', 'HTTP@localhost', 'krb5', {})
    expect(error).toMatch(/Permission denied/)
    expect(statSync(socket('bob')).mode & 0o777).toBe(0o666)
  })

  test.each([
    ['both', 'alice'],
    // of the keytab's users the one that krb5_principal says, on a socket that is root's and everybody's
    ['bob', 'bob'],
  ])('curl --negotiate gets a page, by way of %s as %s', async (service, user) => {
    const { stdout, stderr } = await runProxied(socket(service), [
      'curl',
      '-sS',
      '--negotiate',
      '-u',
      ':',
      `${lab.apache.url}/krb5`,
    ])
    expect([stderr, stdout]).toEqual(['', expect.stringContaining(`REMOTE_USER=${user}@LAB.TEST`)])
  })

  describe('Apache with mod_auth_gssapi', () => {
    const get = async (...args: readonly string[]) => {
      const env = freshEnv()
      await run('kinit', ['-f', 'bob'], { env, input: 'bob-pw\n' })
      return (await run('curl', ['-sS', '--negotiate', '-u', ':', ...args], { env })).stdout
    }

    test('knows who comes', async () => {
      for (const page of ['krb5', 'any', 'conn'])
        expect(await get(`${apache.url}/${page}`)).toContain('REMOTE_USER=bob@LAB.TEST')
    })

    test('gets what is delegated, sealed', async () => {
      const page = await get('--delegation', 'always', `${apache.url}/deleg`)
      expect(page).toMatch(/Default principal: bob@LAB\.TEST[\s\S]*Encrypted\/Credentials\/v1@X-GSSPROXY:/)
      expect(page).not.toContain('krbtgt/')
    })

    test('asks the daemon for local names, whose krb5.conf has the rule', async () =>
      expect(await get(`${apache.url}/local`)).toContain('REMOTE_USER=at-bob-proxied'))
  })
})
