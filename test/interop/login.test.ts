/** Postdated, renewed and addressed tickets, enterprise names and passwords: our client at every KDC, their clients at ours. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kerberos, startRealm } from 'kerb/node'
import { beforeAll, describe, expect, test } from 'vitest'
import { heimdalProgram, lab, peer, program, run, scratch, startMit } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv, kerb } from '../support/kerb.ts'

type Env = Readonly<Record<string, string>>
const done = { code: 0, stderr: '' }
const typed = (...lines: readonly string[]) => lines.map((line) => `${line}\n`).join('')
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))
const klist = async (env: Env, ...args: string[]) => (await run('klist', ['-f', ...args], { env })).stdout

peer('mit', 'kerb kinit at krb5kdc', () => {
  const kinit = (env: Env, ...args: string[]) => kerb(['kinit', ...args], { env, input: typed('alice-pw') })

  test('-s gets a ticket that is invalid until -v, when its time has come', async () => {
    const env = freshEnv()
    expect(await kinit(env, '-s', '3', '-l', '1h', 'alice')).toMatchObject(done)
    expect(await klist(env)).toMatch(/Flags: F?dI?.*i|Flags: .*D?d.*i/)
    expect((await run('kvno', ['host/localhost'], { env })).code).toBe(1)
    await pause(3.5)
    expect(await kerb(['kinit', '-V', '-v'], { env })).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^Validated: alice@LAB\.TEST until /),
    })
    expect(await run('kvno', ['host/localhost'], { env })).toMatchObject(done)
  })

  test('-r and -R renew, and MIT renews what we got and we what MIT got', async () => {
    const env = freshEnv()
    expect(await kinit(env, '-l', '1h', '-r', '1d', 'alice')).toMatchObject(done)
    for (const command of [() => kerb(['kinit', '-R'], { env }), () => run('kinit', ['-R'], { env })])
      expect(await command()).toMatchObject(done)
    expect(await kerb(['kinit', '-R'], { env })).toMatchObject(done)
    expect(await klist(env)).toMatch(/renew until/)
    const short = freshEnv()
    await kinit(short, '-l', '1h', 'alice')
    expect((await kerb(['kinit', '-R'], { env: short })).stderr).toMatch(/KDC_ERR_BADOPTION/)
  })

  test('-a ties the ticket to addresses, -f -p and -F -P ask for flags or against them', async () => {
    const env = freshEnv()
    expect(await kinit(env, '-a', '-f', '-p', 'alice')).toMatchObject(done)
    expect(await klist(env)).toMatch(/Flags: F.*P/)
    expect(await kinit(env, '-A', '-F', '-P', 'alice')).toMatchObject(done)
    expect(await klist(env, '-a')).toMatch(/Addresses: \(none\)/)
    expect(await klist(env)).not.toMatch(/Flags: F/)
  })

  test('-E finds carol@corp.example, -C lets the KDC name the client', async () => {
    const env = freshEnv()
    const enterprise = await kerb(['kinit', '-E', 'carol@corp.example'], { env, input: typed('carol-pw') })
    expect(enterprise).toMatchObject(done)
    expect(await klist(env)).toContain('Default principal: carol\\@corp.example@LAB.TEST')
    expect(await kinit(env, '-C', 'alice')).toMatchObject(done)
  })

  test('-T goes through FAST with the ticket of another cache', async () => {
    const [host, env] = [freshEnv(), freshEnv()]
    const keytab = join(lab.mit.dir, 'keytabs', 'host.keytab')
    expect(await kerb(['kinit', '-k', '-t', keytab, 'host/localhost'], { env: host })).toMatchObject(done)
    const trace = join(scratch(), 'trace')
    expect(await kinit({ ...env, KRB5_TRACE: trace }, '-T', host['KRB5CCNAME']!, 'alice')).toMatchObject(done)
    expect(readFileSync(trace, 'utf8')).toMatch(/Going through FAST with the ticket host\/localhost@LAB\.TEST/)
  })

  test('a password is checked by a key that the KDC shares', async () => {
    const kerberos = kerberosOf(lab.mit.env)
    const keytab = join(lab.mit.dir, 'keytabs', 'host.keytab')
    using login = await kerberos.checkPassword('alice', 'alice-pw', { keytab })
    expect(login.principal.components).toEqual(['alice'])
    await expect(
      kerberos.checkPassword('alice', 'alice-pw', { keytab: join(lab.mit.dir, 'keytabs', 'wrong.keytab') }),
    ).rejects.toMatchObject({ code: 'KRB_AP_ERR_MODIFIED' })
  })
})

peer('mit', 'passwords at kadmind', () => {
  let env: Env
  beforeAll(async () => {
    env = (await startMit()).env
  })

  test('kerb kinit has an expired one changed, and logs in', async () => {
    const own = freshEnv(env)
    const input = typed('pwexpired-pw', 'newer-pw', 'newer-pw')
    expect(await kerb(['kinit', 'pwexpired'], { env: own, input })).toMatchObject(done)
    expect(await klist(own)).toContain('Default principal: pwexpired@LAB.TEST')
    expect(await run('kinit', ['pwexpired'], { env: own, input: typed('newer-pw') })).toMatchObject(done)
  })

  test('kerb kpasswd says what is wrong with one that breaks the policy, and changes it to one that keeps it', async () => {
    const own = freshEnv(env)
    const weak = await kerb(['kpasswd', 'strict'], { env: own, input: typed('Strict-pw1', 'short', 'short') })
    expect([weak.code, weak.stderr]).toEqual([1, expect.stringMatching(/KRB5_KPASSWD_SOFTERROR.*too short/i)])
    const good = await kerb(['kpasswd', 'strict'], {
      env: own,
      input: typed('Strict-pw1', 'Longer-pw22', 'Longer-pw22'),
    })
    expect(good).toEqual({ code: 0, stderr: '', stdout: 'Password changed.\n' })
    expect(await run('kinit', ['strict'], { env: own, input: typed('Longer-pw22') })).toMatchObject(done)
    const wrong = await kerb(['kpasswd', 'strict'], { env: own, input: typed('wrong') })
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('KDC_ERR_PREAUTH_FAILED')])
  })

  test('an administrator sets the password of another, and nobody else does', async () => {
    const kerberos = kerberosOf(env)
    // MIT's service sells no ticket: it must be got with the password
    using admin = await kerberos.login('admin/admin', { password: 'admin-pw', service: 'kadmin/changepw' })
    await kerberos.setPassword('bob', 'bobs-second-pw', admin)
    using bob = await kerberos.login('bob', { password: 'bobs-second-pw', service: 'kadmin/changepw' })
    await expect(kerberos.setPassword('alice', 'stolen-pw', bob)).rejects.toMatchObject({ origin: 'peer' })
  })
})

peer('heimdal', 'passwords at kpasswdd', () => {
  test('kerb kpasswd comes to it by UDP, the only way it has', async () => {
    const env = freshEnv(lab.heimdal.env)
    const trace = join(scratch(), 'trace')
    const there = await kerb(['kpasswd', 'bob'], {
      env: { ...env, KRB5_TRACE: trace },
      input: typed('bob-pw', 'Second-pw-22', 'Second-pw-22'),
    })
    expect(there).toMatchObject(done)
    expect(readFileSync(trace, 'utf8')).toMatch(/Password of bob@H5L\.TEST changed by .*\(UDP\)/)
    const back = await kerb(['kpasswd', 'bob'], { env, input: typed('Second-pw-22', 'bob-pw', 'bob-pw') })
    expect([back.code, back.stderr]).toEqual([0, ''])
  })

  test('kerb kinit has one changed that must be', async () => {
    const env = freshEnv(lab.heimdal.env)
    const input = typed('mustchange-pw', 'Changed-pw-22', 'Changed-pw-22')
    expect(await kerb(['kinit', 'mustchange'], { env, input })).toMatchObject(done)
  })

  test('kerb kinit -R renews', async () => {
    const env = freshEnv(lab.heimdal.env)
    expect(await kerb(['kinit', '-r', '1d', 'alice'], { env, input: typed('alice-pw') })).toMatchObject(done)
    expect(await kerb(['kinit', '-R'], { env })).toMatchObject(done)
  })
})

peer('samba', 'logins at a domain controller', () => {
  test('-E finds carol by her UPN, and names her as the directory does', async () => {
    const env = freshEnv(lab.samba.env)
    const login = await kerb(['kinit', '-E', 'carol@corp.example'], { env, input: typed('carol-pw') })
    expect(login).toMatchObject(done)
    expect(await klist(env)).toMatch(/Default principal: carol@/)
  })

  test('one who must change the password does so on the way', async () => {
    const env = freshEnv(lab.samba.env)
    const input = typed('mustchange-pw', 'Changed-pw-22', 'Changed-pw-22')
    expect(await kerb(['kinit', 'mustchange'], { env, input })).toMatchObject(done)
  })

  test('kerb kpasswd', async () => {
    const env = freshEnv(lab.samba.env)
    for (const [old, fresh] of [
      ['changer-pw', 'Second-pw-22'],
      ['Second-pw-22', 'changer-pw'],
    ] as const)
      expect(await kerb(['kpasswd', 'changer'], { env, input: typed(old, fresh, fresh) })).toMatchObject(done)
  })

  test('an administrator sets the password of another', async () => {
    const kerberos = kerberosOf(lab.samba.env)
    using admin = await kerberos.login('Administrator', { password: lab.samba.env['LAB_ADMIN_PW']! })
    await kerberos.setPassword('bob', 'Set-pw-22', admin)
    using bob = await kerberos.login('bob', { password: 'Set-pw-22' })
    await expect(kerberos.setPassword('alice', 'Stolen-22', bob)).rejects.toMatchObject({ origin: 'peer' })
    await kerberos.setPassword('bob', 'bob-pw', admin)
  })
})

peer(['mit', 'heimdal'], 'their clients at our realm', () => {
  const start = async () => {
    const realm = await startRealm({
      users: {
        alice: { password: 'alice-pw', aliases: ['alice\\@corp.example'] },
        late: { password: 'late-pw', passwordExpires: 1 },
      },
      services: ['host/localhost'],
      passwords: { quality: ({ newPassword }) => (newPassword.length < 8 ? 'Eight characters, please.' : undefined) },
    })
    const folder = scratch()
    const config = join(folder, 'krb5.conf')
    writeFileSync(config, realm.configText)
    const env = { KRB5_CONFIG: config, KRB5CCNAME: `FILE:${join(folder, 'cc')}`, KRB5RCACHENAME: 'none:' }
    return { realm, env, [Symbol.asyncDispose]: () => realm[Symbol.asyncDispose]() }
  }
  /** Runs a command on a terminal and types `lines`, one at each question. */
  const atTerminal = (env: Env, lines: readonly string[], ...command: string[]) => {
    const answers = join(scratch(), 'answers')
    writeFileSync(answers, typed(...lines))
    return run('/usr/bin/python3', [program('ptyrun.py'), answers, ...command], { env })
  }

  test("MIT's kinit -s and -v, -R, -a, -E and -C", async () => {
    await using ours = await start()
    const { env } = ours
    const kinit = (...args: string[]) => run('kinit', args, { env, input: typed('alice-pw') })
    // The KDC is on loopback, which is none of the addresses that -a asks for: it looks where requests come from.
    expect(await kinit('-r', '1d', '-a', 'alice')).toMatchObject(done)
    expect((await kinit('-R')).stderr).toContain('Incorrect net address')
    expect(await kinit('-r', '1d', 'alice')).toMatchObject(done)
    expect(await kinit('-R')).toMatchObject(done)
    expect(await kinit('-C', 'alice')).toMatchObject(done)
    expect(await kinit('-E', 'alice@corp.example')).toMatchObject(done)
    expect(await klist(env)).toContain('Default principal: alice@LAB.TEST')
    expect(await kinit('-s', '1h', 'alice')).toMatchObject(done)
    expect(await klist(env)).toMatch(/Flags: .*d.*i/)
    const early = await kinit('-v')
    expect([early.code, early.stderr]).toEqual([1, expect.stringMatching(/not yet valid/i)])
  })

  test("MIT's kpasswd changes a password, and shows why one will not do", async () => {
    await using ours = await start()
    const { env } = ours
    const weak = await run('kpasswd', ['alice'], { env, input: typed('alice-pw', 'short', 'short') })
    expect([weak.code, weak.stdout]).toEqual([2, expect.stringContaining('Eight characters, please.')])
    const good = await run('kpasswd', ['alice'], { env, input: typed('alice-pw', 'long enough', 'long enough') })
    expect([good.code, good.stdout]).toEqual([0, expect.stringContaining('Password changed.')])
    expect(await run('kinit', ['alice'], { env, input: typed('long enough') })).toMatchObject(done)
  })

  test("MIT's kinit has an expired password changed", async () => {
    await using ours = await start()
    const { env } = ours
    const input = typed('late-pw', 'long enough', 'long enough')
    expect((await run('kinit', ['late'], { env, input })).code).toBe(0)
    expect(await klist(env)).toContain('Default principal: late@LAB.TEST')
  })

  test("Heimdal's kpasswd and kinit", async () => {
    await using ours = await start()
    const { env } = ours
    const lines = ['alice-pw', 'long enough', 'long enough']
    const changed = await atTerminal(env, lines, heimdalProgram('kpasswd'), 'alice')
    expect([changed.code, changed.stdout]).toEqual([0, expect.stringMatching(/Success|changed/i)])
    using login = await new Kerberos({ config: ours.realm.config }).login('alice', { password: 'long enough' })
    expect(login.principal.components).toEqual(['alice'])
  })
})
describe('the commands', () => {
  test('never print what was typed', async () => {
    const { stdout, stderr } = await kerb(['kpasswd', 'x@NOWHERE.TEST'], { input: typed('secret-1', 'secret-2') })
    expect(stdout + stderr).not.toMatch(/secret-/)
  })
})
