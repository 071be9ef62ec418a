/** Tokens of our own that no recording has: delegated tickets, IAKERB's later tokens, and files for Windows tools. */
import { describe, expect, test } from 'vitest'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { SecurityContext } from '../../src/gss/context.ts'
import { Name } from '../../src/gss/name.ts'
import { formatItems, inspect } from '../../src/inspect/index.ts'
import { startRealm } from '../../src/node/realm.ts'
import { entryOf } from '../../src/store/ccacheentry.ts'
import { keysOf, parseKeytab } from '../../src/store/keytab.ts'
import { formatKirbi } from '../../src/store/kirbi.ts'

const explained = (...input: Parameters<typeof inspect>) => formatItems(inspect(...input)).join('\n')

describe('a delegated ticket', () => {
  test('is explained inside the checksum of the context, with the key of the service alone', async () => {
    await using realm = await startRealm({ users: { alice: 'secret' }, services: ['echo/localhost'] })
    const kerberos = realm.kerberos()
    using alice = await kerberos.login('alice', { password: 'secret', forwardable: true })
    const flags = ['delegateToPeer', 'mutualAuthentication'] as const
    const name = Name.hostbased('echo@localhost')
    const context = new SecurityContext({
      usage: 'initiate',
      name,
      creds: alice.credentials,
      mech: kerberos.krb5,
      flags,
    })
    const token = (await context.step())!
    const keys = keysOf(parseKeytab(realm.keytab('echo/localhost')), enctypes)
    const text = explained(token, { keys })
    expect(text).toMatch(/flags: delegateToPeer, mutualAuthentication[\s\S]*\n +delegation\n +KRB-CRED\n/)
    expect(text).toMatch(/EncKrbCredPart[\s\S]*sname: krbtgt\/LAB\.TEST/)
    expect(explained(token)).not.toContain('delegation')
  })
})

test('tickets for Windows tools are explained, with the keys that lie in them unshown', async () => {
  await using realm = await startRealm({ users: { alice: 'secret' } })
  using alice = await realm.kerberos().login('alice', { password: 'secret' })
  const text = explained(formatKirbi([entryOf(alice.ticket)]))
  expect(text).toMatch(/^KRB-CRED\n/)
  expect(text).toMatch(/in the clear\n +EncKrbCredPart\n/)
  expect(text).toMatch(/key: aes256-cts-hmac-sha1-96, 32 octets, not shown/)
})
