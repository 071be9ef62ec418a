/** MIT's kinit, kvno and klist, curl and Apache's GSS library against `kerb kdc`. */
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { peer, run, scratch } from '../lab/index.ts'
import { kerb, kerbDaemon } from '../support/kerb.ts'

const enctypes = {
  'aes128-sha1': 'aes128-cts-hmac-sha1-96',
  'aes256-sha1': 'aes256-cts-hmac-sha1-96',
  'aes128-sha2': 'aes128-cts-hmac-sha256-128',
  'aes256-sha2': 'aes256-cts-hmac-sha384-192',
} as const

async function start() {
  const folder = scratch()
  const [config, keytab] = [join(folder, 'krb5.conf'), join(folder, 'keytab')]
  const args = [
    'kdc',
    '-u',
    'alice=alice-pw',
    '-u',
    'jörg=jörg-pw',
    '-s',
    'HTTP/localhost',
    '-s',
    'host/localhost',
    '--config',
    config,
    '--keytab',
    keytab,
  ]
  const daemon = await kerbDaemon(args, /Ready/)
  const env = {
    KRB5_CONFIG: config,
    KRB5CCNAME: `FILE:${join(folder, 'cc')}`,
    KRB5_KTNAME: keytab,
    KRB5RCACHENAME: 'none:',
  }
  return { daemon, env, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() }
}

peer('mit', "MIT's tools against kerb kdc", () => {
  test('the realm says how to use it', async () => {
    await using realm = await start()
    expect(realm.daemon.output).toMatch(/Realm LAB\.TEST, KDC on 127\.0\.0\.1 port \d+ \(UDP and TCP\)/)
    expect(realm.daemon.output).toMatch(/\[realms\]\n {2}LAB\.TEST = \{\n {4}kdc = 127\.0\.0\.1:\d+\n/)
  })

  test('kinit with the right password and with a wrong one, kvno and klist', async () => {
    await using realm = await start()
    const { env } = realm
    const wrong = await run('kinit', ['alice'], { env, input: 'wrong\n' })
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('Password incorrect')])
    const nobody = await run('kinit', ['nobody'], { env, input: 'x\n' })
    expect(nobody.stderr).toContain("Client 'nobody@LAB.TEST' not found in Kerberos database")
    expect(await run('kinit', ['-f', '-r', '2d', 'alice'], { env, input: 'alice-pw\n' })).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect((await run('kvno', ['HTTP/localhost', 'host/localhost'], { env })).stdout).toBe(
      'HTTP/localhost@LAB.TEST: kvno = 1\nhost/localhost@LAB.TEST: kvno = 1\n',
    )
    const unknown = await run('kvno', ['HTTP/elsewhere'], { env })
    expect(unknown.stderr).toContain('Server HTTP/elsewhere@LAB.TEST not found in Kerberos database')
    const { stdout } = await run('klist', ['-e', '-f'], { env })
    expect(stdout).toContain('Default principal: alice@LAB.TEST')
    expect(stdout).toMatch(/krbtgt\/LAB\.TEST@LAB\.TEST\n\trenew until .*Flags: FRIA/)
    expect(stdout).toMatch(
      /HTTP\/localhost@LAB\.TEST\n(?:\t.*\n)*\tEtype \(skey, tkt\): aes256-cts-hmac-sha1-96, aes256-cts-hmac-sha1-96/,
    )
  })

  test('kinit renews, and logs in somebody whose name is not ASCII', async () => {
    await using realm = await start()
    const { env } = realm
    expect((await run('kinit', ['-r', '2d', 'alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
    expect(await run('kinit', ['-R'], { env })).toMatchObject({ code: 0, stderr: '' })
    expect(await run('kinit', ['jörg'], { env, input: 'jörg-pw\n' })).toMatchObject({ code: 0, stderr: '' })
  })

  test('kinit takes the keys of the keytab that kerb kdc wrote, and kvno opens tickets with it', async () => {
    await using realm = await start()
    const { env } = realm
    expect(await run('kinit', ['-k', 'HTTP/localhost'], { env })).toMatchObject({ code: 0, stderr: '' })
    const { stdout, stderr } = await run('kvno', ['-k', env.KRB5_KTNAME, 'host/localhost'], { env })
    expect([stdout, stderr]).toEqual(['host/localhost@LAB.TEST: kvno = 1, keytab entry valid\n', ''])
  })

  test.each(['udp', 'tcp'])('kinit by %s', async (transport) => {
    await using realm = await start()
    const trace = join(scratch(), 'trace')
    const { readFileSync, writeFileSync } = await import('node:fs')
    const config = readFileSync(realm.env.KRB5_CONFIG, 'utf8')
    writeFileSync(
      realm.env.KRB5_CONFIG,
      config.replace('[libdefaults]', `[libdefaults]\n  udp_preference_limit = ${transport === 'udp' ? 32_700 : 1}`),
    )
    const env = { ...realm.env, KRB5_TRACE: trace }
    expect((await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
    expect(readFileSync(trace, 'utf8')).toContain(
      transport === 'udp' ? 'Sending initial UDP request' : 'Initiating TCP connection',
    )
  })

  describe.each(Object.entries(enctypes))('with %s alone', (short, enctype) => {
    test('kinit and kvno', async () => {
      await using realm = await start()
      const { readFileSync, writeFileSync } = await import('node:fs')
      const config = readFileSync(realm.env.KRB5_CONFIG, 'utf8')
      writeFileSync(realm.env.KRB5_CONFIG, config.replace(/permitted_enctypes = .*/, `permitted_enctypes = ${short}`))
      const { env } = realm
      expect(await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).toMatchObject({ code: 0, stderr: '' })
      expect((await run('kvno', ['HTTP/localhost'], { env })).code).toBe(0)
      expect((await run('klist', ['-e'], { env })).stdout).toMatch(
        new RegExp(`krbtgt.*\\n\\tEtype \\(skey, tkt\\): ${enctype}, `),
      )
    })
  })

  test('our own tools get on with it as well', async () => {
    await using realm = await start()
    const { env } = realm
    expect(await kerb(['kinit', '--password-file', '-', 'alice'], { env, input: 'alice-pw\n' })).toEqual({
      code: 0,
      stdout: '',
      stderr: '',
    })
    expect((await kerb(['kvno', 'HTTP/localhost'], { env })).stdout).toBe('HTTP/localhost@LAB.TEST: kvno = 1\n')
  })
})
