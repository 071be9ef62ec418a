/**
 * A program whose service's keys a GSS-Proxy daemon has: it works without them, never sees them, and cannot make up who
 * somebody is (the aims of MIT's project page "ProxyGSSAPI": long-term keys and signed authorization data).
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encode } from '../../src/asn1/codec.ts'
import { toHex } from '../../src/bytes/index.ts'
import { Key } from '../../src/crypto/key.ts'
import type { World } from '../../src/effects/index.ts'
import { SecurityContext } from '../../src/gss/context.ts'
import { Krb5Credential } from '../../src/gss/krb5/credential.ts'
import { parseContext } from '../../src/gss/krb5/exported.ts'
import { bind } from '../../src/gss/mechanism.ts'
import { Name } from '../../src/gss/name.ts'
import { gssProxyMechanism, ProxyCredential, type ProxyQuestions } from '../../src/gssproxy/client.ts'
import { formatCall, parseReply } from '../../src/gssproxy/rpc.ts'
import { gssProxyServer } from '../../src/gssproxy/server.ts'
import { Ticket } from '../../src/krb5/messages/ticket.ts'
import { sealedTicket } from '../../src/krb5/sealed.ts'
import { KerberosService } from '../../src/node/gssproxy/service.ts'
import { MemoryVault } from '../../src/node/gssproxy/vault.ts'
import { random } from '../../src/node/random.ts'
import { type Realm, startRealm } from '../../src/node/realm.ts'
import { now } from '../../src/node/world.ts'

let realm: Realm
let service: KerberosService
const server = gssProxyServer({ vault: new MemoryVault(), now, random })
/** All that the program ever gets. */
const seen: Uint8Array[] = []
const world: World<ProxyQuestions> = {
  async call({ procedure, args }) {
    const results = parseReply((await server.respond(formatCall(1, procedure, args), service))!, 1)
    seen.push(results)
    return results
  },
}

beforeAll(async () => {
  realm = await startRealm({ users: { alice: 'secret' }, services: ['ftp/localhost', 'ldap/localhost'] })
  service = new KerberosService(realm.kerberos(), {
    ...{ name: 'ftp', keytab: realm.keytab('ftp/localhost'), clientKeytab: realm.keytab('alice'), filterFlags: [] },
    ...{ clientSync: true, constrainedDelegation: true },
  })
})
afterAll(() => realm[Symbol.asyncDispose]())

const target = Name.hostbased('ftp@localhost')
const proxied = () => bind(gssProxyMechanism(realm.kerberos().krb5), world)
const acceptor = () => new SecurityContext({ usage: 'accept', creds: ProxyCredential.credentials(), mech: proxied() })

test('what it gets holds neither the long-term keys nor those of tickets that were handed over', async () => {
  const creds = ProxyCredential.credentials()
  const initiator = new SecurityContext({
    ...{ usage: 'initiate', name: target, creds, mech: proxied(), flags: ['mutualAuthentication', 'delegateToPeer'] },
  } as const)
  const accepting = acceptor()
  await initiator.step(await accepting.step(await initiator.step()))
  const { delegatedCredentials } = accepting
  const name = Name.hostbased('ldap@localhost')
  await new SecurityContext({ usage: 'initiate', name, creds: delegatedCredentials!, mech: proxied() }).step()
  const whose = ['ftp/localhost', 'ldap/localhost', 'alice']
  const held = await Promise.all(whose.map((who) => realm.kerberos().keys(realm.keytab(who))))
  const keys = held.flat().map(({ key }) => toHex(key.octets()))
  const everything = seen.map(toHex).join(' ')
  expect([seen.length, keys.length > 2]).toEqual([4, true])
  for (const key of keys) expect(everything).not.toContain(key)
  // the tickets themselves are ASN.1 that begins with this; in handles they are sealed
  const handles = toHex(seen[1]!)
  expect(handles).toContain(toHex(new TextEncoder().encode('alice@LAB.TEST')))
  expect(handles).not.toContain(toHex(new TextEncoder().encode('krbtgt')))
})

/** A ticket for ftp/localhost that says what its maker likes, sealed with `key`. */
async function forged(key: Key) {
  const kerberos = realm.kerberos()
  const seconds = Math.floor(now() / 1e6)
  const sessionKey = new Key(key.enctype, random(key.enctype.keySize))
  const [client, ftp] = [kerberos.principal('root'), kerberos.principal('ftp/localhost')]
  const times = { authtime: seconds, starttime: seconds, endtime: seconds + 3600 }
  const flags = new Set(['initial'] as const)
  const encPart = sealedTicket.seal(
    key,
    {
      ...{ flags, key: { keytype: key.enctype.id, keyvalue: sessionKey.octets() }, ...times },
      ...{ crealm: 'LAB.TEST', cname: { nameType: client.type, nameString: client.components } },
      transited: { trType: 1, contents: new Uint8Array(0) },
      authorizationData: [{ adType: 71, adData: new TextEncoder().encode('wheel') }],
    },
    { random },
    1,
  )
  const sname = { nameType: ftp.type, nameString: ftp.components }
  const ticket = encode(Ticket, { realm: 'LAB.TEST', sname, encPart })
  const tickets = [{ client, server: ftp, key: sessionKey, ticket, flags, ...times }]
  const creds = Krb5Credential.credentials({ initiate: { client, tickets } })
  return new SecurityContext({ usage: 'initiate', name: target, creds, mech: kerberos.krb5 }).step()
}

test('it cannot make up a ticket, as it could with the key', async () => {
  const [held] = await realm.kerberos().keys(realm.keytab('ftp/localhost'))
  const { key } = held!
  const withKey = acceptor()
  await withKey.step(await forged(key))
  expect(withKey.initiatorName.text).toBe('root@LAB.TEST')

  // with every key that it has: those of its contexts, and one of its own
  const initiator = new SecurityContext({
    ...{ usage: 'initiate', name: target, creds: ProxyCredential.credentials(), mech: proxied() },
  } as const)
  const accepting = acceptor()
  await initiator.step(await accepting.step(await initiator.step()))
  const { initiatorKey, acceptorSubkey } = parseContext(accepting.export())
  const known = [initiatorKey, acceptorSubkey!].map(({ keyvalue }) => new Key(key.enctype, keyvalue))
  for (const guess of [...known, new Key(key.enctype, random(key.enctype.keySize))])
    await expect(forged(guess).then((token) => acceptor().step(token))).rejects.toMatchObject({
      name: 'GssError',
      message: expect.stringContaining('KRB_AP_ERR_MODIFIED'),
    })
})
