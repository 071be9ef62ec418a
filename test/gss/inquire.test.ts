/** What is said of contexts at any moment (RFC 2743 §2.2.6), and credentials of several mechanisms (§2.1.4). */
import { type CredentialElement, Credentials, GssError, inquireContext, Name, SecurityContext } from 'kerb/gss'
import { type Kerberos, type Realm, startRealm } from 'kerb/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

describe('inquiring a context', () => {
  let realm: Realm
  let kerberos: Kerberos
  beforeAll(async () => {
    realm = await startRealm({ users: { alice: 'alice-pw' }, services: { 'HTTP/www.lab.test': {} } })
    kerberos = realm.kerberos()
  })
  afterAll(() => realm[Symbol.asyncDispose]())

  test('is safe before, during and after the handshake, and when all is over', async () => {
    const { credentials: alice } = await kerberos.login('alice', { password: 'alice-pw' })
    const keytab = realm.keytab('HTTP/www.lab.test')
    const service = await kerberos.acquire({ usage: 'accept', store: { keytab } })
    const name = Name.hostbased('HTTP@www.lab.test')
    const client = new SecurityContext({
      usage: 'initiate',
      name,
      creds: alice,
      mech: kerberos.krb5,
      flags: ['mutualAuthentication'],
    })
    const server = new SecurityContext({ usage: 'accept', creds: service, mech: kerberos.krb5 })
    const nothing = { established: false, initiatorName: undefined, targetName: undefined, endtime: undefined }
    expect(inquireContext(client)).toMatchObject({ ...nothing, locallyInitiated: true })
    const token = await client.step()
    expect(inquireContext(client)).toMatchObject({ ...nothing, flags: new Set(['mutualAuthentication']) })
    await client.step(await server.step(token))
    for (const [context, locallyInitiated] of [[client, true] as const, [server, false] as const]) {
      const { initiatorName, targetName, endtime, flags, mech, ...rest } = inquireContext(context)
      expect(rest).toEqual({ established: true, locallyInitiated })
      const realmName = realm.name
      expect([String(initiatorName), String(targetName)]).toEqual([
        `alice@${realmName}`,
        `HTTP/www.lab.test@${realmName}`,
      ])
      expect([flags.has('mutualAuthentication'), mech]).toEqual([true, kerberos.krb5.oid])
      expect(endtime).toBeGreaterThan(1_700_000_000)
    }
    client[Symbol.dispose]()
    expect(inquireContext(client)).toMatchObject(nothing)
  })
})

describe('adding an element to credentials', () => {
  test('lets another mechanism use them, once, and disposes of it with them', () => {
    const disposed: string[] = []
    const element = (mechanism: string): CredentialElement => ({
      mechanism,
      name: undefined,
      usage: 'accept',
      endtime: undefined,
      [Symbol.dispose]: () => void disposed.push(mechanism),
    })
    const credentials = new Credentials([element('1.2')])
    const added = element('1.3')
    credentials.add(added)
    expect(credentials.mechs).toEqual(['1.2', '1.3'])
    expect(credentials.element('1.3')).toBe(added)
    expect(() => credentials.add(element('1.3'))).toThrow(GssError)
    expect(() => credentials.add(element('1.2'))).toThrow('GSS_S_DUPLICATE_ELEMENT')
    credentials[Symbol.dispose]()
    expect(disposed).toEqual(['1.2', '1.3'])
  })
})
