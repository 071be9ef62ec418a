/** A service that acts in the names of users (MS-SFU) through the facade: here, and between realms that trust each other. */
import { Kerberos } from 'kerb'
import { type Credentials, mechanismOids, Name, SecurityContext } from 'kerb/gss'
import type { Krb5Credential } from 'kerb/gss/krb5'
import { type Realm, startRealms } from 'kerb/kdc'
import { describe, expect, test } from 'vitest'

const start = () =>
  startRealms({
    realms: {
      'HOME.TEST': {
        users: { alice: 'alice-pw', vip: { password: 'vip-pw', notDelegated: true } },
        services: {
          'HTTP/www.home.test': {
            okToAuthAsDelegate: true,
            allowedToDelegateTo: ['db/db.home.test', 'db/db.far.test@FAR.TEST'],
          },
          'db/db.home.test': {},
          'files/files.home.test': { allowedToActOnBehalf: ['HTTP/www.home.test'] },
          'ldap/ldap.home.test': {},
        },
      },
      'FAR.TEST': {
        users: { bob: 'bob-pw' },
        services: {
          'db/db.far.test': {},
          'files/files.far.test': { allowedToActOnBehalf: ['HTTP/www.home.test@HOME.TEST'] },
        },
      },
    },
    trusts: [['HOME.TEST', 'FAR.TEST']],
  })

/** The web service's own credentials, by its keytab. */
const web = async (kerberos: Kerberos, realm: Realm): Promise<Credentials> =>
  (await kerberos.login('HTTP/www.home.test', { keytab: realm.keytab('HTTP/www.home.test'), forwardable: true }))
    .credentials

/** Whom `service` of `at` takes a context with `creds` for. */
async function seenBy(kerberos: Kerberos, creds: Credentials, service: string, at: Realm): Promise<string> {
  const initiator = new SecurityContext({
    usage: 'initiate',
    name: Name.hostbased(service.replace('/', '@')),
    creds,
    mech: kerberos.krb5,
  })
  const there = at.kerberos()
  using keys = await there.acquire({ usage: 'accept', store: { keytab: at.keytab(service) } })
  const acceptor = new SecurityContext({ usage: 'accept', creds: keys, mech: there.krb5 })
  const reply = await acceptor.step(await initiator.step())
  await initiator.step(reply)
  expect([initiator.complete, acceptor.complete]).toEqual([true, true])
  expect(acceptor.unwrap(initiator.wrap(Uint8Array.of(1, 2, 3), true).message).message).toEqual(Uint8Array.of(1, 2, 3))
  return acceptor.initiatorName!.text
}

describe('Kerberos.impersonate', () => {
  test.each([
    ['db/db.home.test', 'constrained delegation'],
    ['files/files.home.test', 'resource-based delegation'],
  ])('goes to %s in the name of a user of the realm: %s', async (service) => {
    await using realms = await start()
    const home = realms['HOME.TEST']
    const kerberos = home.kerberos()
    using own = await web(kerberos, home)
    using alice = await kerberos.impersonate(own, Name.user('alice'))
    expect(await seenBy(kerberos, alice, service, home)).toBe('alice@HOME.TEST')
  })

  test('goes on as whoever showed up, once for each service: the tickets are kept', async () => {
    await using realms = await start()
    const home = realms['HOME.TEST']
    const kerberos = home.kerberos()
    using own = await web(kerberos, home)
    using alice = await kerberos.impersonate(own, Name.user('alice'))
    await seenBy(kerberos, alice, 'db/db.home.test', home)
    using _ = home.faults.set({ drop: true })
    expect(await seenBy(kerberos, alice, 'db/db.home.test', home)).toBe('alice@HOME.TEST')
  })

  test('of another realm’s user, whose KDC is asked, goes to services here', async () => {
    await using realms = await start()
    const home = realms['HOME.TEST']
    const kerberos = home.kerberos()
    using own = await web(kerberos, home)
    using bob = await kerberos.impersonate(own, Name.user('bob@FAR.TEST'))
    expect(bob.name!.text).toBe('bob@FAR.TEST')
    expect(await seenBy(kerberos, bob, 'db/db.home.test', home)).toBe('bob@FAR.TEST')
    expect(await seenBy(kerberos, bob, 'files/files.home.test', home)).toBe('bob@FAR.TEST')
  })

  test.each(['alice@HOME.TEST', 'bob@FAR.TEST'])(
    'of %s goes to a service of another realm that allows it (resource-based)',
    async (user) => {
      await using realms = await start()
      const [home, far] = [realms['HOME.TEST'], realms['FAR.TEST']]
      const kerberos = home.kerberos()
      using own = await web(kerberos, home)
      using creds = await kerberos.impersonate(own, Name.user(user))
      expect(await seenBy(kerberos, creds, 'files/files.far.test', far)).toBe(user)
    },
  )

  test.each([
    ['alice', 'ldap/ldap.home.test', 'HOME.TEST', 'that nobody allowed'],
    ['vip', 'db/db.home.test', 'HOME.TEST', 'in the name of one who is not to be delegated'],
    ['alice', 'db/db.far.test', 'FAR.TEST', 'of another realm by constrained delegation (MS-SFU §3.2.5.2.2)'],
  ] as const)('%s goes to no service %s of %s %s', async (user, service, realm, _why) => {
    await using realms = await start()
    const home = realms['HOME.TEST']
    const kerberos = home.kerberos()
    using own = await web(kerberos, home)
    using creds = await kerberos.impersonate(own, Name.user(user))
    await expect(seenBy(kerberos, creds, service, realms[realm])).rejects.toMatchObject({ minor: 'KDC_ERR_BADOPTION' })
  })

  test('by an enterprise name of another realm', async () => {
    await using realms = await start()
    const home = realms['HOME.TEST']
    const kerberos = new Kerberos({ config: home.config, environment: { configPaths: [] } })
    using own = await web(kerberos, home)
    using bob = await kerberos.impersonate(own, Name.enterprise('bob@FAR.TEST'))
    expect(await seenBy(kerberos, bob, 'db/db.home.test', home)).toBe('bob\\@FAR.TEST@FAR.TEST')
  })
})

describe('credentials to accept and to initiate with', () => {
  /** A context of alice's with the web service, whose own credentials are good for `usage`. */
  async function accepted(home: Realm, usage: 'accept' | 'both') {
    const kerberos = home.kerberos()
    const keytab = home.keytab('HTTP/www.home.test')
    const name = Name.principal('HTTP/www.home.test')
    const creds = await kerberos.acquire({ usage, name, store: { keytab, clientKeytab: keytab, ccache: 'MEMORY:web' } })
    using alice = await kerberos.login('alice', { password: 'alice-pw', forwardable: true })
    const target = Name.hostbased('HTTP@www.home.test')
    using client = new SecurityContext({
      usage: 'initiate',
      name: target,
      creds: alice.credentials,
      mech: kerberos.spnego,
    })
    const server = new SecurityContext({ usage: 'accept', creds, mech: kerberos.spnego })
    await client.step(await server.step(await client.step()))
    return { kerberos, creds, server, delegates: client.actualFlags.has('delegateToPeer') }
  }
  const keysOf = (creds: Credentials) =>
    (creds.element(mechanismOids.krb5) as Krb5Credential).tickets.map(({ key }) => key)

  test('go on as whoever showed a ticket and delegated nothing, where the KDC allows it (S4U2Proxy)', async () => {
    await using realms = await start()
    const home = realms['HOME.TEST']
    const { kerberos, server, delegates } = await accepted(home, 'both')
    expect([delegates, server.actualFlags.has('delegateToPeer')]).toEqual([false, true])
    using alice = server.delegatedCredentials!
    server[Symbol.dispose]()
    expect([alice.name?.text, alice.usage]).toEqual(['alice@HOME.TEST', 'initiate'])
    expect(await seenBy(kerberos, alice, 'db/db.home.test', home)).toBe('alice@HOME.TEST')
    expect(await seenBy(kerberos, alice, 'files/files.home.test', home)).toBe('alice@HOME.TEST')
    await expect(seenBy(kerberos, alice, 'ldap/ldap.home.test', home)).rejects.toMatchObject({
      minor: 'KDC_ERR_BADOPTION',
    })
  })

  test('have keys of their own: the service goes on without those, and they without the service', async () => {
    await using realms = await start()
    const { creds, server } = await accepted(realms['HOME.TEST'], 'both')
    const alice = server.delegatedCredentials!
    const keys = keysOf(alice)
    creds[Symbol.dispose]()
    for (const key of keys) expect(key.octets().some((octet) => octet !== 0)).toBe(true)
    alice[Symbol.dispose]()
    for (const key of keys) expect(() => key.octets()).toThrow(TypeError)
  })

  test('are wiped with the context where nobody asked for them', async () => {
    await using realms = await start()
    const { server } = await accepted(realms['HOME.TEST'], 'both')
    const keys = keysOf(server.established.delegated!)
    expect(keys).toHaveLength(2)
    server[Symbol.dispose]()
    for (const key of keys) expect(() => key.octets()).toThrow(TypeError)
  })

  test('that are to accept with alone go nowhere', async () => {
    await using realms = await start()
    const { server } = await accepted(realms['HOME.TEST'], 'accept')
    expect(server.delegatedCredentials).toBeUndefined()
    expect(server.actualFlags.has('delegateToPeer')).toBe(false)
  })
})
