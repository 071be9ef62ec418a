/** Several embedded realms that trust each other (RFC 4120 §1.2): what users of one get in another. */
import { Kerberos, type Login } from 'kerb'
import { type BoundMechanism, Name, SecurityContext } from 'kerb/gss'
import { type Realm, startRealms } from 'kerb/kdc'
import { describe, expect, test } from 'vitest'

const start = () =>
  startRealms({
    realms: {
      'HOME.TEST': { users: { alice: 'alice-pw' } },
      'HUB.TEST': { services: ['HTTP/www.hub.test'] },
      'FAR.TEST': { services: ['HTTP/www.far.test'], users: { bob: 'bob-pw' } },
    },
    trusts: [
      ['HOME.TEST', 'HUB.TEST'],
      ['HUB.TEST', 'FAR.TEST'],
    ],
  })

const initiate = ({ credentials: creds }: Login, mech: BoundMechanism, host: string) =>
  new SecurityContext({ usage: 'initiate', name: Name.hostbased(`HTTP@${host}`), creds, mech })

/** Whom the service of `at` accepts, when `login` goes there. */
async function accepted(login: Login, mech: BoundMechanism, host: string, at: Realm): Promise<string | undefined> {
  const kerberos = at.kerberos()
  const creds = await kerberos.acquire({ usage: 'accept', store: { keytab: at.keytab(`HTTP/${host}`) } })
  const acceptor = new SecurityContext({ usage: 'accept', creds, mech: kerberos.krb5 })
  await acceptor.step(await initiate(login, mech, host).step())
  return acceptor.initiatorName?.text
}

describe('a user', () => {
  test('is known to services of the neighbouring realm', async () => {
    await using realms = await start()
    const kerberos = realms['HOME.TEST'].kerberos()
    using alice = await kerberos.login('alice', { password: 'alice-pw' })
    expect(await accepted(alice, kerberos.krb5, 'www.hub.test', realms['HUB.TEST'])).toBe('alice@HOME.TEST')
  })
})

describe('a user, by way of a realm between', () => {
  test('is known to services of a realm further on, by [capaths]', async () => {
    await using realms = await start()
    const kerberos = realms['HOME.TEST'].kerberos()
    using alice = await kerberos.login('alice', { password: 'alice-pw' })
    expect(await accepted(alice, kerberos.krb5, 'www.far.test', realms['FAR.TEST'])).toBe('alice@HOME.TEST')
  })

  test('is referred from realm to realm when only KDCs know the way', async () => {
    await using realms = await start()
    const { config } = realms['HOME.TEST']
    const ignorant = { ...config, domainRealm: new Map(), capaths: new Map() }
    const kerberos = new Kerberos({ config: ignorant, environment: { configPaths: [] } })
    using alice = await kerberos.login('alice', { password: 'alice-pw' })
    expect(await accepted(alice, kerberos.krb5, 'www.far.test', realms['FAR.TEST'])).toBe('alice@HOME.TEST')
  })
})

describe('realms', () => {
  test('tell MIT and Heimdal of each other in krb5.conf', async () => {
    await using realms = await start()
    const { configText } = realms['HOME.TEST']
    expect(configText).toMatch(/default_realm = HOME\.TEST/)
    for (const name of Object.keys(realms)) expect(configText).toMatch(new RegExp(`^ +${name} = \\{$`, 'm'))
    expect(configText).toMatch(/HOME\.TEST = \{\s+HUB\.TEST = \.\s+FAR\.TEST = HUB\.TEST\s+\}/)
  })

  test('without a trust have none', async () => {
    await using realms = await startRealms({
      realms: { 'A.TEST': { users: { alice: 'x' } }, 'B.TEST': { services: ['HTTP/b'] } },
    })
    const kerberos = realms['A.TEST'].kerberos()
    using alice = await kerberos.login('alice', { password: 'x' })
    await expect(initiate(alice, kerberos.krb5, 'b').step()).rejects.toMatchObject({ name: 'GssError' })
  })

  test('are stopped when one of them cannot start, or twice', async () => {
    await using realms = await startRealms({ realms: { 'A.TEST': {} } })
    const { port } = realms['A.TEST']
    await expect(startRealms({ realms: { 'B.TEST': {}, 'C.TEST': { port } } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    await realms['A.TEST'][Symbol.asyncDispose]()
  })

  test('are not trusted when they are strangers', async () => {
    const stranger = { realms: { 'A.TEST': {} }, trusts: [['A.TEST', 'B.TEST']] } as const
    await expect(startRealms<string>(stranger)).rejects.toThrow('a trust with B.TEST, which is none of A.TEST')
  })
})
