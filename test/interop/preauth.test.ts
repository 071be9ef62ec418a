/** Ways of logging in against MIT's and Heimdal's KDCs, and their kinit against ours: RFC 6113, RFC 6560, RFC 9588. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { asExchange } from '../../src/krb5/exchanges/as.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { hostService } from '../../src/krb5/names.ts'
import { encryptedChallenge } from '../../src/krb5/preauth/challenge/client.ts'
import { encryptedChallengeKdc } from '../../src/krb5/preauth/challenge/kdc.ts'
import type { KdcPreauth } from '../../src/krb5/preauth/kdc.ts'
import { otp } from '../../src/krb5/preauth/otp/client.ts'
import { otpKdc } from '../../src/krb5/preauth/otp/kdc.ts'
import { spake } from '../../src/krb5/preauth/spake/client.ts'
import { spakeGroups } from '../../src/krb5/preauth/spake/groups.ts'
import { spakeKdc } from '../../src/krb5/preauth/spake/kdc.ts'
import { encryptedTimestamp } from '../../src/krb5/preauth/timestamp/client.ts'
import { encryptedTimestampKdc } from '../../src/krb5/preauth/timestamp/kdc.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { loadConfig } from '../../src/node/environment.ts'
import { Kerberos } from '../../src/node/kerberos.ts'
import { startRealm } from '../../src/node/realm.ts'
import { heimdalProgram, lab, peer, run, scratch } from '../lab/index.ts'
import type { Kdc } from '../lab/start.ts'

type More = Partial<Parameters<typeof asExchange>[0]>

/** Our client, set up for a KDC of the lab; prompts are answered with `typed`. */
function ours(kdc: Kdc, typed: readonly string[] = []) {
  const path = kdc.env['KRB5_CONFIG']!
  const left = [...typed]
  const kerberos = new Kerberos({
    config: loadConfig([path]),
    environment: { configPaths: [path] },
    prompt: () => left.shift() ?? 'nothing',
  })
  const login = (name: string, more: More = {}) => {
    const client = kerberos.principal(name)
    const request = { client, secret: passwordSecret(client, `${name}-pw`), lifetime: 3600, ...more }
    return kerberos.run(asExchange(request, kerberos.env))
  }
  const armor = async () => ({ ticket: (await login('bob', { preauth: [encryptedTimestamp] })).credential })
  return { kerberos, login, armor }
}

peer('mit', "our client, MIT's KDC", () => {
  test.each(spakeGroups.map((group) => [group.name, group] as const))('SPAKE in %s', async (_, group) => {
    const { login } = ours(lab.mit)
    expect((await login('alice', { preauth: [spake([group])] })).preauthType).toBe(151)
    const wrong = login('alice', {
      preauth: [spake([group])],
      secret: passwordSecret(ours(lab.mit).kerberos.principal('alice'), 'x'),
    })
    await expect(wrong).rejects.toMatchObject({ code: 'KDC_ERR_PREAUTH_FAILED' })
  })

  test.each([
    ['encrypted challenge', encryptedChallenge, 138],
    ['SPAKE', spake(), 151],
  ] as const)('%s inside FAST', async (_, mechanism, type) => {
    const { login, armor } = ours(lab.mit)
    const outcome = await login('alice', { preauth: [mechanism], armor: await armor() })
    expect(outcome).toMatchObject({ preauthType: type, armored: true, fastAvailable: true })
    const { kerberos } = ours(lab.mit)
    const secret = passwordSecret(kerberos.principal('alice'), 'wrong')
    await expect(login('alice', { preauth: [mechanism], armor: await armor(), secret })).rejects.toMatchObject({
      code: 'KDC_ERR_PREAUTH_FAILED',
    })
  })

  test("hides the client's name", async () => {
    const { login, armor } = ours(lab.mit)
    const { credential } = await login('alice', { armor: { ...(await armor()), hideClientName: true } })
    expect(credential.client.components).toEqual(['alice'])
  })

  test('a one-time password inside FAST', async () => {
    const { login, armor } = ours(lab.mit, ['123456'])
    const { preauthType } = await login('otpuser', { preauth: [otp], armor: await armor(), secret: undefined })
    expect(preauthType).toBe(141)
    const wrong = ours(lab.mit, ['000000'])
    await expect(
      wrong.login('otpuser', { preauth: [otp], armor: await wrong.armor(), secret: undefined }),
    ).rejects.toMatchObject({ code: 'KDC_ERR_PREAUTH_FAILED' })
  })

  test('tickets bought inside FAST', async () => {
    const { kerberos, login } = ours(lab.mit)
    const { credential: tgt, clockOffset } = await login('alice')
    const service = hostService('HTTP', 'localhost', lab.mit.realm)
    const bought = await kerberos.run(tgsExchange({ tgt, clockOffset, service, fast: 'required' }, kerberos.env))
    expect(bought.credential.server.components).toEqual(['HTTP', 'localhost'])
    const nobody = hostService('HTTP', 'nowhere.test', lab.mit.realm)
    await expect(
      kerberos.run(tgsExchange({ tgt, clockOffset, service: nobody, fast: 'required' }, kerberos.env)),
    ).rejects.toMatchObject({ code: 'KDC_ERR_S_PRINCIPAL_UNKNOWN' })
  })
})

peer('heimdal', "our client, Heimdal's KDC", () => {
  test('encrypted timestamp or challenge inside FAST', async () => {
    const { login, armor } = ours(lab.heimdal)
    const outcome = await login('alice', { armor: await armor() })
    expect(outcome.armored).toBe(true)
    expect([2, 138]).toContain(outcome.preauthType)
  })

  test('tickets bought with FAST when available', async () => {
    const { kerberos, login } = ours(lab.heimdal)
    const { credential: tgt, clockOffset } = await login('alice')
    const service = hostService('HTTP', 'localhost', lab.heimdal.realm)
    await kerberos.run(tgsExchange({ tgt, clockOffset, service, fast: 'when available' }, kerberos.env))
  })
})

/** A realm of ours with these mechanisms, and what C programs need to find it. */
async function theirs(preauth: readonly KdcPreauth[], settings = '') {
  const events: string[] = []
  const realm = await startRealm({
    users: { alice: 'alice-pw', armor: 'armor-pw' },
    services: ['HTTP/localhost'],
    preauth,
    log: ({ outcome }) => events.push(outcome),
  })
  const folder = scratch()
  const config = join(folder, 'krb5.conf')
  writeFileSync(config, realm.configText.replace('[libdefaults]\n', `[libdefaults]\n${settings}`))
  const env = {
    KRB5_CONFIG: config,
    KRB5CCNAME: `FILE:${join(folder, 'cc')}`,
    KRB5_TRACE: join(folder, 'trace'),
    KRB5RCACHENAME: 'none:',
  }
  return { env, events, armorCache: join(folder, 'armor'), [Symbol.asyncDispose]: () => realm[Symbol.asyncDispose]() }
}

peer('mit', "MIT's kinit and kvno, our KDC", () => {
  test.each(spakeGroups.map(({ name }) => name))('SPAKE in %s', async (name) => {
    await using realm = await theirs([spakeKdc()], `  spake_preauth_groups = ${name}\n`)
    const { env, events } = realm
    expect(await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).toMatchObject({ code: 0, stderr: '' })
    const wrong = await run('kinit', ['alice'], { env, input: 'wrong\n' })
    expect(wrong.stderr).toContain('Password incorrect')
    expect(events.slice(0, 3)).toEqual(['KDC_ERR_PREAUTH_REQUIRED', 'KDC_ERR_MORE_PREAUTH_DATA_REQUIRED', 'issued'])
  })

  test('SPAKE with a challenge in the first answer', async () => {
    const [, p256] = spakeGroups
    await using realm = await theirs([spakeKdc({ challengeGroup: p256! })], '  spake_preauth_groups = P-256\n')
    const { env, events } = realm
    expect(await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).toMatchObject({ code: 0, stderr: '' })
    expect(events).toEqual(['KDC_ERR_PREAUTH_REQUIRED', 'issued'])
  })

  describe('inside FAST', () => {
    const tokens = otpKdc({
      tokens: ({ components }) => (components[0] === 'alice' ? [{ flags: new Set(), vendor: 'ACME' }] : undefined),
      verify: (_, value) => value === '123456',
    })
    test.each([
      ['encrypted challenge', encryptedChallengeKdc, 'alice-pw', 'Password incorrect'],
      ['SPAKE', spakeKdc(), 'alice-pw', 'Password incorrect'],
      ['a one-time password', tokens, '123456', 'Preauthentication failed'],
    ] as const)('%s, and tickets bought', async (_, mechanism, secret, refusal) => {
      await using realm = await theirs([mechanism, encryptedTimestampKdc])
      const { env, armorCache } = realm
      const armor = await run('kinit', ['-c', armorCache, 'armor'], { env, input: 'armor-pw\n' })
      expect(armor).toMatchObject({ code: 0, stderr: '' })
      expect(await run('kinit', ['-T', armorCache, 'alice'], { env, input: `${secret}\n` })).toMatchObject({
        code: 0,
        stderr: '',
      })
      expect(await run('kvno', ['HTTP/localhost'], { env })).toMatchObject({ code: 0, stderr: '' })
      const config = await run('klist', ['-C'], { env })
      expect(config.stdout).toContain('fast_avail')
      const wrong = await run('kinit', ['-T', armorCache, 'alice'], { env, input: 'wrong\n' })
      expect(wrong.stderr).toContain(refusal)
    })
  })
})

peer('heimdal', "Heimdal's kinit, our KDC", () => {
  // Heimdal 7 reads no strengthening key (RFC 6113 §5.4.3), without which the reply would invite to guess the password.
  test('encrypted timestamp inside FAST: the ticket is issued, and Heimdal 7 cannot open it', async () => {
    await using realm = await theirs([encryptedTimestampKdc])
    const { env, events, armorCache } = realm
    const kinit = heimdalProgram('kinit')
    const file = join(scratch(), 'password')
    writeFileSync(file, 'armor-pw\n')
    const armor = await run(kinit, [`--password-file=${file}`, '-c', armorCache, 'armor@LAB.TEST'], { env })
    expect(armor).toMatchObject({ code: 0, stderr: '' })
    writeFileSync(file, 'alice-pw\n')
    const alice = await run(kinit, [`--password-file=${file}`, `--fast-armor-cache=${armorCache}`, 'alice@LAB.TEST'], {
      env,
    })
    expect(alice.stderr).toContain('Password incorrect')
    expect(events).toEqual(['KDC_ERR_PREAUTH_REQUIRED', 'issued', 'KDC_ERR_PREAUTH_REQUIRED', 'issued'])
  })
})
