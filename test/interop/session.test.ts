/** KRB-SAFE, KRB-PRIV and KRB-CRED with MIT's library at the other end of the session, in both directions. */
import { expect, test } from 'vitest'
import { fromHex, fromUtf8, toHex, utf8 } from '../../src/bytes/index.ts'
import { deprecatedEnctypes, enctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { run as runExchange } from '../../src/effects/index.ts'
import { makeCred, readCred } from '../../src/krb5/exchanges/cred.ts'
import { makePriv, readPriv } from '../../src/krb5/exchanges/priv.ts'
import { makeSafe, readSafe } from '../../src/krb5/exchanges/safe.ts'
import { formatPrincipal } from '../../src/krb5/names.ts'
import type { KrbExchange, KrbQuestions } from '../../src/krb5/questions.ts'
import { loadConfig } from '../../src/node/environment.ts'
import { Kerberos } from '../../src/node/kerberos.ts'
import { lab, peer, program, run } from '../lab/index.ts'
import { freshEnv } from '../support/kerb.ts'

const address = { addrType: 2, address: Uint8Array.of(127, 0, 0, 1) }
const kinds = { safe: { make: makeSafe, read: readSafe }, priv: { make: makePriv, read: readPriv } } as const

const kerberosOf = (env: Readonly<Record<string, string>>) =>
  new Kerberos({ config: loadConfig([env['KRB5_CONFIG']!]), environment: { configPaths: [] } })

peer('mit', 'a session with libkrb5', () => {
  const answer = <T>(exchange: KrbExchange<T>): Promise<T> =>
    runExchange<KrbQuestions, T>(exchange, kerberosOf(freshEnv()).world)
  const mit = async (key: Key, ...lines: readonly string[]) => {
    const { stdout, stderr } = await run(
      '/usr/bin/python3',
      [program('krb5_session.py'), String(key.enctype.id), toHex(key.octets())],
      { env: { ...lab.mit.env, KRB5RCACHENAME: 'none:' }, input: `${lines.join('\n')}\n` },
    )
    expect(stderr).toBe('')
    return stdout.trim().split('\n')
  }

  test.each([...enctypes, ...deprecatedEnctypes])('under a $name key', async (enctype) => {
    const { env } = kerberosOf(freshEnv())
    using key = Key.generate(enctype, env.random)
    for (const kind of ['safe', 'priv'] as const) {
      const { make, read } = kinds[kind]
      const sender = { key, address, peerAddress: address }
      const numbered = toHex(make(utf8('from us'), { ...sender, sequenceNumber: 9 }, env))
      const timed = toHex(make(utf8('from us'), sender, env))
      const [a, b, c, d, e] = await mit(
        key,
        `read ${kind} 9 ${numbered}`,
        `read ${kind} time ${timed}`,
        `read ${kind} 8 ${numbered}`,
        `make ${kind} 12 ${toHex(utf8('from MIT'))}`,
        `make ${kind} time ${toHex(utf8('from MIT'))}`,
      )
      expect([a, b, c]).toEqual([toHex(utf8('from us')), toHex(utf8('from us')), expect.stringMatching(/order/i)])
      const reader = { key, peerAddress: address, addresses: [address] }
      expect(fromUtf8((await answer(read(fromHex(d!), { ...reader, sequenceNumber: 12 }, env))).userData)).toBe(
        'from MIT',
      )
      expect(fromUtf8((await answer(read(fromHex(e!), reader, env))).userData)).toBe('from MIT')
    }
  })

  test('that hands tickets on', async () => {
    const env = freshEnv()
    expect((await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
    const kerberos = kerberosOf(env)
    using alice = await kerberos.login('alice', { password: 'alice-pw' })
    using key = Key.generate(enctypes[0]!, kerberos.env.random)
    const sender = { key, address, peerAddress: address }
    const [names, message] = await mit(
      key,
      `uncred ${toHex(makeCred([alice.ticket], sender, kerberos.env))}`,
      `cred ${env['KRB5CCNAME']}`,
    )
    expect(names).toBe('alice@LAB.TEST krbtgt/LAB.TEST@LAB.TEST')
    const [ticket] = await answer(readCred(fromHex(message!), { keys: [key] }, kerberos.env))
    expect([formatPrincipal(ticket!.client), formatPrincipal(ticket!.server)]).toEqual(names!.split(' '))
    expect(ticket!.flags.has('initial')).toBe(true)
  })
})
