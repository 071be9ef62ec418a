/** What is run in every runtime: the vectors of every provider of primitives, and people's day over a realm in memory. */
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes/index.ts'
import { builtin } from '../../src/crypto/primitives/builtin.ts'
import type { Connect } from '../../src/edge/index.ts'
import { Name, SecurityContext } from '../../src/gss/index.ts'
import { createNegotiateFetch } from '../../src/http/client.ts'
import { greeter, memoryRealm } from '../edge/realm.ts'
import type { Place } from './place.ts'
import '../crypto/vectors.test.ts'

/** Describes the tests of a runtime: `place` says where the servers are, `connect` opens connections where it is passed. */
export function portable({ origin, kdc }: Place, connect?: Connect): void {
  const www = Name.hostbased('HTTP@www.lab.test')
  /** The proxy of the test's own process speaks HTTP without TLS: what is tried is the runtime's `fetch`, not its CAs. */
  const send: typeof fetch = (input, init) => fetch(`${input}`.replace(/^https:\/\/[^/]*/, origin), init)
  const realm = memoryRealm()
  const offline = realm.kerberos('kdc.lab.test', {
    transport: async ({ message }) => ({ message: (await realm.respond(message))!, kdc: 'memory' }),
  })

  describe('a realm in memory', () => {
    test('a login, a context of krb5, sealed messages', async () => {
      using alice = await offline.login('alice', { password: 'secret' })
      const mech = offline.krb5
      const client = new SecurityContext({ usage: 'initiate', name: www, creds: alice.credentials, mech })
      const server = new SecurityContext({ usage: 'accept', creds: offline.acceptor(realm.keytab), mech })
      await client.step(await server.step((await client.step())!))
      expect(server.unwrap(client.wrap(utf8('hello'), true).message).message).toEqual(utf8('hello'))
      server.verify(utf8('hello'), client.sign(utf8('hello')))
      expect(`${server.initiatorName}`).toBe('alice@LAB.TEST')
    })
    test('SPNEGO over HTTP with mutual authentication', async () => {
      using alice = await offline.login('alice', { password: 'secret' })
      const options = { mech: offline.spnego, credentials: alice.credentials, fetch: greeter(offline, realm.keytab) }
      const page = await createNegotiateFetch(options)('https://www.lab.test/')
      expect(await page.text()).toBe('Hello, alice@LAB.TEST!')
    })
  })

  test('a KDC proxy and a Negotiate server of another process, by fetch', async () => {
    const kerberos = realm.kerberos('https://proxy.lab.test/KdcProxy', { fetch: send })
    using alice = await kerberos.login('alice', { password: 'secret' })
    const { spnego: mech } = kerberos
    const page = await createNegotiateFetch({
      ...{ mech, credentials: alice.credentials, fetch: send, targetName: www },
    })(`${origin}/page`)
    expect(await page.text()).toBe('Hello, alice@LAB.TEST!')
  })

  if (connect)
    test('a KDC of another process, by TCP', async () => {
      using alice = await realm.kerberos(`tcp/${kdc}`, { connect }).login('alice', { password: 'secret' })
      expect(alice.principal.components[0]).toBe('alice')
    })
}

/** Which providers of primitives there are here, as the table has them. */
export const providersHere = (): string => (builtin() ? 'noble, kernels, node:crypto' : 'noble, kernels')
