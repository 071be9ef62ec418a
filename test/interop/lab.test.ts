/** The lab itself: other people's tools against other people's servers, before ours meets either. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { heimdalProgram, keytab, lab, peer, program, run, scratch, smallUdpMit, startApache } from '../lab/index.ts'

const enctypes = {
  'aes128-sha1-96': 'aes128-cts-hmac-sha1-96',
  'aes256-sha1-96': 'aes256-cts-hmac-sha1-96',
  'aes128-sha256-128': 'aes128-cts-hmac-sha256-128',
  'aes256-sha384-192': 'aes256-cts-hmac-sha384-192',
} as const

/** A credential cache of its own, filled by MIT's kinit. */
async function login(user: string, kdc = lab.mit) {
  const folder = scratch()
  const trace = join(folder, 'trace')
  const env = { ...kdc.env, KRB5CCNAME: `FILE:${join(folder, 'cc')}`, KRB5_TRACE: trace }
  const { code, stdout, stderr } = await run('kinit', [user], { env, input: `${user}-pw\n` })
  expect(code, stdout + stderr).toBe(0)
  return { env, trace: readFileSync(trace, 'utf8') }
}

peer('mit', 'the KDC of MIT', () => {
  test.each(Object.entries(enctypes))('has a user and a service of %s alone', async (short, enctype) => {
    const { env } = await login(`u-${short}`)
    const kvno = await run('kvno', [`e-${short}/localhost`], { env })
    expect(kvno.stdout).toBe(`e-${short}/localhost@LAB.TEST: kvno = 1\n`)
    const { stdout } = await run('klist', ['-e'], { env })
    expect(stdout).toContain(`Default principal: u-${short}@LAB.TEST`)
    expect(stdout.slice(stdout.indexOf(`e-${short}/localhost`))).toContain(`Etype (skey, tkt): ${enctype}, ${enctype}`)
  })

  test('takes the keys of the users keytab', async () => {
    const env = { ...lab.mit.env, KRB5CCNAME: `FILE:${join(scratch(), 'cc')}` }
    expect(await run('kinit', ['-kt', keytab('users'), 'alice'], { env })).toMatchObject({ code: 0 })
    expect((await run('klist', [], { env })).stdout).toContain('Default principal: alice@LAB.TEST')
  })

  test('refuses a wrong password', async () => {
    const env = { ...lab.mit.env, KRB5CCNAME: `FILE:${join(scratch(), 'cc')}` }
    const { code, stderr } = await run('kinit', ['alice'], { env, input: 'nope\n' })
    expect([code, stderr]).toEqual([1, expect.stringContaining('Password incorrect')])
  })

  test('hands on to other realms a client that knows only its own', async () => {
    const env = { KRB5_CONFIG: join(lab.mit.dir, 'krb5-referral.conf') }
    const { env: cache } = await login('alice')
    const { stdout } = await run('kvno', ['-S', 'echo', 'svc.mid.test'], { env: { ...cache, ...env } })
    expect(stdout).toBe('echo/svc.mid.test@: kvno = 1\n')
  })

  test('sends clients to TCP where UDP is small', async () => {
    const small = await smallUdpMit()
    const { trace } = await login('alice', small)
    expect(trace).toContain('Request or response is too big for UDP; retrying with TCP')
  })
})

peer(['mit', 'heimdal', 'samba'], 'the KDCs of Heimdal and Samba', () => {
  const tools = { MIT: 'kinit', Heimdal: heimdalProgram('kinit') }
  const cases = (['mit', 'heimdal', 'samba'] as const).flatMap((kdc) =>
    Object.entries(tools).map(([name, kinit]) => ({ kdc, name, kinit })),
  )

  test.each(cases)('$kdc lets alice in by the kinit of $name', async ({ kdc, name, kinit }) => {
    const { env, realm } = lab[kdc]
    const own = { ...env, KRB5CCNAME: `FILE:${join(scratch(), 'cc')}` }
    const args = name === 'MIT' ? ['alice'] : ['--password-file=STDIN', 'alice']
    expect(await run(kinit, args, { env: own, input: 'alice-pw\n' })).toMatchObject({ code: 0 })
    expect((await run('klist', [], { env: own })).stdout).toContain(`Default principal: alice@${realm}`)
    expect(await run('kvno', ['host/localhost'], { env: own })).toMatchObject({ code: 0 })
  })

  test('change a password, and change it back', async () => {
    for (const { env } of [lab.mit, lab.heimdal, lab.samba])
      for (const input of ['changer-pw\nchanger-2\nchanger-2\n', 'changer-2\nchanger-pw\nchanger-pw\n'])
        expect(await run('kpasswd', ['changer'], { env, input })).toMatchObject({ code: 0, stderr: '' })
  })
})

peer('mit', 'the KDC of MIT with the lab’s own plugin', () => {
  test('knows aliases and lets services pass users on by the rules', async () => {
    const folder = scratch()
    const env = { ...lab.mit.env, KRB5CCNAME: `FILE:${join(folder, 'cc')}` }
    const login = await run('kinit', ['-f', '-kt', keytab('svc1'), 'svc1/localhost'], { env })
    expect(login).toMatchObject({ code: 0, stderr: '' })
    const kvno = await run('kvno', ['-k', keytab('all'), '-U', 'alice', '-P', 'svc2/localhost'], { env })
    expect(kvno).toMatchObject({ code: 0, stderr: '' })
    const alias = await run('kvno', ['HTTP/webalias.lab.test'], { env })
    expect(alias).toMatchObject({ code: 0, stderr: '' })
  })

  test('takes one-time passwords inside FAST', async () => {
    const folder = scratch()
    const armor = join(folder, 'armor')
    const env = { ...lab.mit.env, KRB5CCNAME: `FILE:${join(folder, 'cc')}` }
    expect(await run('kinit', ['-n', '-c', armor], { env })).toMatchObject({ code: 0 })
    const otp = await run('kinit', ['-T', armor, 'otpuser'], { env, input: '123456\n' })
    expect(otp).toMatchObject({ code: 0, stderr: '' })
  })
})

peer(['mit', 'apache', 'curl'], 'Apache with mod_auth_gssapi', () => {
  const get = ['-s', '-i', '--negotiate', '-u', ':']

  test('knows alice', async () => {
    const { env } = await login('alice')
    const { stdout } = await run('curl', [...get, `${lab.apache.url}/krb5`], { env })
    expect(stdout).toMatch(
      /HTTP\/1\.1 200 OK\r\nDate: [\s\S]*WWW-Authenticate: Negotiate oY[\s\S]*REMOTE_USER=alice@LAB\.TEST\n/,
    )
  })

  test('lets nobody in without a ticket', async () => {
    const { stdout } = await run('curl', ['-s', '-i', `${lab.apache.url}/krb5`])
    expect(stdout).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n[\s\S]*WWW-Authenticate: Negotiate\r\n/)
  })

  test('lets nobody in when its keys are not the ones the KDC knows', async () => {
    const { dir, url } = await startApache({ keytab: keytab('wrong') })
    const { env } = await login('alice')
    const { stdout } = await run('curl', [...get, `${url}/krb5`], { env })
    expect(stdout).not.toContain('200 OK')
    expect(stdout).toMatch(/HTTP\/1\.1 401 Unauthorized\r\n/)
    expect(readFileSync(join(dir, 'log', 'error.log'), 'utf8')).toContain('found in keytab but cannot decrypt ticket')
  })
})

peer(['mit', 'apache', 'requests'], 'requests-kerberos', () => {
  test('is content with the mutual authentication of Apache', async () => {
    const { env } = await login('alice')
    const args = [program('http_client.py'), 'requests', `${lab.apache.url}/krb5`]
    const { stdout, stderr } = await run('/usr/bin/python3', args, { env })
    expect(stderr).not.toContain('Traceback')
    const body: unknown = expect.stringContaining('REMOTE_USER=alice@LAB.TEST\n')
    expect(JSON.parse(stdout)).toEqual([{ status: 200, body, sent: 2, proven: true }])
  })
})

peer(['mit', 'gssapi'], 'python-gssapi', () => {
  describe.each(['krb5', 'spnego'])('by %s', (mechanism) => {
    test.each(['mutual_authentication,confidentiality,integrity', 'confidentiality,integrity'])(
      'talks to itself with %s',
      async (flags) => {
        const { env } = await login('alice')
        const args = [program('gss_initiate.py'), lab.echo, 'echo/localhost', mechanism, flags, '0,1,102400']
        const { stdout, stderr } = await run('/usr/bin/python3', args, { env })
        expect(stderr).toBe('')
        const said = JSON.parse(stdout) as { flags: string[]; sizes: number[] }
        expect(said.flags.includes('mutual_authentication')).toBe(flags.includes('mutual'))
        expect(said.sizes).toEqual([0, 1, 102400])
      },
    )
  })
})

peer(['mit', 'cc'], 'the C compiler', () => {
  test('finds the headers and libraries of MIT', async () => {
    const source = '#include <gssapi/gssapi_krb5.h>\nint main(void) { return gss_mech_krb5 == 0; }\n'
    const path = join(scratch(), 'a.out')
    const built = await run('gcc', ['-x', 'c', '-', '-o', path, '-lgssapi_krb5'], { input: source })
    expect(built).toEqual({ code: 0, stdout: '', stderr: '' })
    expect((await run(path, [])).code).toBe(0)
  })
})
