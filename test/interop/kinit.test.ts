/** `kerb kinit`, `klist`, `kvno` and `kdestroy` with MIT's KDC, beside MIT's own tools over the same files. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { keytab, lab, peer, run, scratch, smallUdpMit } from '../lab/index.ts'
import { changedConfig, freshEnv, kerb } from '../support/kerb.ts'

const enctypes = {
  'aes128-sha1-96': 'aes128-cts-hmac-sha1-96',
  'aes256-sha1-96': 'aes256-cts-hmac-sha1-96',
  'aes128-sha256-128': 'aes128-cts-hmac-sha256-128',
  'aes256-sha384-192': 'aes256-cts-hmac-sha384-192',
} as const

const kinit = (user: string, env: Record<string, string>, ...more: string[]) =>
  kerb(['kinit', '--password-file', '-', ...more, user], { env, input: `${user}-pw\n` })

peer('mit', 'kerb kinit', () => {
  describe.each(Object.entries(enctypes))('with %s', (short, enctype) => {
    const user = `u-${short}`

    test.each(['password', 'keytab'])("by %s gives a cache that MIT's klist and kvno use", async (way) => {
      const env = freshEnv()
      const login =
        way === 'password' ? await kinit(user, env) : await kerb(['kinit', '-k', '-t', keytab('users'), user], { env })
      expect(login).toEqual({ code: 0, stdout: '', stderr: '' })
      const kvno = await run('kvno', [`e-${short}/localhost`], { env })
      expect(kvno.stdout).toBe(`e-${short}/localhost@LAB.TEST: kvno = 1\n`)
      const { stdout } = await run('klist', ['-e', '-f'], { env })
      expect(stdout).toContain(`Default principal: ${user}@LAB.TEST`)
      expect(stdout).toContain('krbtgt/LAB.TEST@LAB.TEST')
      expect(stdout.slice(stdout.indexOf(`e-${short}/localhost`))).toContain(
        `Etype (skey, tkt): ${enctype}, ${enctype}`,
      )
    })

    test("kerb klist reads what MIT's kinit and kvno wrote, and kerb kvno adds to it", async () => {
      const env = freshEnv()
      expect((await run('kinit', [user], { env, input: `${user}-pw\n` })).code).toBe(0)
      expect((await run('kvno', [`e-${short}/localhost`], { env })).code).toBe(0)
      const { stdout } = await kerb(['klist', '-e', '-f'], { env })
      expect(stdout).toContain(`Ticket cache: ${env['KRB5CCNAME']}\nDefault principal: ${user}@LAB.TEST\n`)
      expect(stdout).toMatch(
        new RegExp(`e-${short}/localhost@LAB\\.TEST\\n(?:\\t.*\\n)*\\tEtype \\(skey, tkt\\): ${enctype}, ${enctype}`),
      )
      expect(await kerb(['kvno', 'host/localhost'], { env })).toMatchObject({
        code: 0,
        stdout: 'host/localhost@LAB.TEST: kvno = 1\n',
      })
      expect((await run('klist', [], { env })).stdout).toContain('host/localhost@LAB.TEST')
    })
  })

  test('by UDP only, by TCP only, and by UDP until the KDC says that a reply is too big', async () => {
    const traceOf = async (env: Record<string, string>) => {
      const trace = join(scratch(), 'trace')
      expect(await kinit('alice', { ...env, KRB5_TRACE: trace })).toMatchObject({ code: 0, stderr: '' })
      expect((await run('klist', [], { env })).stdout).toContain('Default principal: alice@LAB.TEST')
      return readFileSync(trace, 'utf8')
    }
    const limit = (octets: number) =>
      changedConfig((text) => text.replace(/udp_preference_limit = \d+/, `udp_preference_limit = ${octets}`))
    const udp = await traceOf(limit(32_700))
    expect(udp).toContain('(UDP)')
    expect(udp).not.toContain('(TCP)')
    const tcp = await traceOf(limit(1))
    expect(tcp).toContain('(TCP)')
    expect(tcp).not.toContain('(UDP)')
    const both = await traceOf(freshEnv((await smallUdpMit()).env))
    expect(both).toMatch(/\(UDP\)[\s\S]*(too big|TOO_BIG)[\s\S]*\(TCP\)/)
  })

  test('keeps to what was asked for: lifetime, renewal, forwardability', async () => {
    const env = freshEnv()
    expect(await kinit('alice', env, '-l', '1h', '-r', '2d', '-f')).toMatchObject({ code: 0 })
    const { stdout } = await run('klist', ['-f'], { env })
    expect(stdout).toMatch(/renew until/)
    expect(stdout).toMatch(/Flags: F.*R.*I.*A/)
    const ours = (await kerb(['klist', '-f'], { env })).stdout
    expect(ours).toMatch(/Flags: FRIA/)
  })

  test('writes a cache that only its owner may read, and kerb kdestroy takes it away', async () => {
    const env = freshEnv()
    await kinit('alice', env)
    const path = env['KRB5CCNAME']!.slice('FILE:'.length)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await kerb(['kdestroy'], { env })).toMatchObject({ code: 0 })
    expect(existsSync(path)).toBe(false)
    const gone = await kerb(['klist'], { env })
    expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining('kinit')])
  })

  test('kerb klist -k shows a keytab as MIT does', async () => {
    const { stdout } = await kerb(['klist', '-k', '-e', keytab('HTTP')], { env: lab.mit.env })
    const theirs = (await run('klist', ['-k', '-e', keytab('HTTP')], { env: lab.mit.env })).stdout
    const rows = (text: string) =>
      [...text.matchAll(/^ *(\d+) (\S+) \((\S+)\)/gm)].map(([, ...row]) => row.join(' ')).sort()
    expect(rows(stdout)).toEqual(rows(theirs))
    expect(rows(stdout).length).toBeGreaterThan(3)
  })

  test.each(['special', 'norealm', 'onlyrealm', 'with space', 'jörg'])(
    'knows the salt and the name of %s',
    async (user) => expect(await kinit(user, freshEnv())).toEqual({ code: 0, stdout: '', stderr: '' }),
  )
})

peer('mit', 'kerb kinit, refused,', () => {
  test.each([
    ['alice', 'wrong', /KDC_ERR_PREAUTH_FAILED: .*alice@LAB\.TEST.*127\.0\.0\.1:\d+.*check the password/],
    ['nobody', 'x', /KDC_ERR_C_PRINCIPAL_UNKNOWN: no such client: nobody@LAB\.TEST.*127\.0\.0\.1:\d+/],
    ['pwexpired', 'pwexpired-pw', /KDC_ERR_KEY_EXPIRED: .*change the password/],
    ['expired', 'expired-pw', /KDC_ERR_NAME_EXP: /],
    ['locked', 'locked-pw', /KDC_ERR_CLIENT_REVOKED: /],
  ])('as %s with password %s says why', async (user, password, message) => {
    const { code, stderr } = await kerb(['kinit', '--password-file', '-', user], {
      env: freshEnv(),
      input: `${password}\n`,
    })
    expect([code, stderr]).toEqual([1, expect.stringMatching(message)])
  })

  test('names a service that is unknown', async () => {
    const env = freshEnv()
    await kinit('alice', env)
    const { code, stderr } = await kerb(['kvno', 'HTTP/nowhere.lab.test'], { env })
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(
        /KDC_ERR_S_PRINCIPAL_UNKNOWN: no such service: HTTP\/nowhere\.lab\.test@LAB\.TEST.*127\.0\.0\.1/,
      ),
    ])
  })

  test('passes over a dead KDC that comes first', async () => {
    const env = changedConfig((text) =>
      text.replace('    kdc = 127.0.0.1:', '    kdc = 127.0.0.1:9\n    kdc = 127.0.0.1:'),
    )
    expect(await kinit('alice', env)).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('says which KDCs it tried when none is there, and does not hang', async () => {
    const env = changedConfig((text) => text.replace(/kdc = 127\.0\.0\.1:\d+/g, 'kdc = 127.0.0.1:9'))
    const { code, stderr } = await kinit('alice', env)
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/no KDC answered for realm LAB\.TEST \(127\.0\.0\.1:9.*refused/),
    ])
  })

  test('says so when krb5.conf knows no KDC of the realm', async () => {
    const { code, stderr } = await kerb(['kinit', '--password-file', '-', 'alice@ELSEWHERE.TEST'], {
      env: freshEnv(),
      input: 'x\n',
    })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/ELSEWHERE\.TEST/)])
  })
})
