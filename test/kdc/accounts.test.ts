/** Users by enterprise names and by certificates, here and in other realms: RFC 6806 §5 and §7, MS-SFU §3.1.5.1.1. */
import { beforeEach, describe, expect, test } from 'vitest'
import { decode } from '../../src/asn1/codec.ts'
import type { MemoryDatabase } from '../../src/kdc/database.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { asExchange } from '../../src/krb5/exchanges/as.ts'
import { s4u2proxy, s4u2self } from '../../src/krb5/exchanges/s4u.ts'
import { nameTypes } from '../../src/krb5/messages/codes.ts'
import { Ticket } from '../../src/krb5/messages/ticket.ts'
import { formatPrincipal, type Principal, parsePrincipal } from '../../src/krb5/names.ts'
import { pkinitKdc } from '../../src/krb5/preauth/pkinit/kdc.ts'
import { encryptedTimestampKdc } from '../../src/krb5/preauth/timestamp/kdc.ts'
import { sealedTicket } from '../../src/krb5/sealed.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { kdcIdentity, trust, userCertificate } from '../support/pkinit.ts'
import { few, Realms } from '../support/realms.ts'

const enterprise = (name: string, realm = 'LAB.TEST'): Principal => ({
  type: nameTypes.enterprise,
  components: [name],
  realm,
})
let realms: Realms
let database: MemoryDatabase
let tgt: Credential
beforeEach(async () => {
  realms = new Realms()
  const preauth = [encryptedTimestampKdc, pkinitKdc({ identity: kdcIdentity, trust })]
  const domains = { realmOfHost: (host: string) => (host === 'other.example' ? 'OTHER.TEST' : '') }
  database = realms.realm('LAB.TEST', { preauth, ...domains })
  database.add('alice', { password: 'x', aliases: ['carol\\@corp.example'], ...few })
  database.add('vip', { password: 'x', notDelegated: true, ...few })
  database.add('HTTP/www', { password: 'x', okToAuthAsDelegate: true, ...few })
  database.add('files/host', { allowedToActOnBehalf: ['HTTP/www'], ...few })
  const other = realms.realm('OTHER.TEST', { preauth })
  other.add('bob', { password: 'x', aliases: ['bob\\@other.example'], ...few })
  realms.trust('LAB.TEST', 'OTHER.TEST')
  tgt = await realms.login('HTTP/www@LAB.TEST')
})
const logIn = async (client: Principal, password = client) => {
  const secret = passwordSecret(password, 'x')
  return (await realms.go(asExchange({ client, secret, lifetime: 3600, options: ['canonicalize'] }, realms.env)))
    .credential
}
const selfTicket = async (whom: { readonly user?: Principal; readonly certificate?: Uint8Array }) =>
  (await realms.go(s4u2self({ tgt, ...whom }, realms.env))).credential
const clientOf = ({ server, ticket }: Credential): string => {
  const part = sealedTicket.open(database.lookup(server)!.keys[0]!, decode(Ticket, ticket).encPart)
  return `${part.cname.nameString.join('/')}@${part.crealm}`
}
const refused = (promise: Promise<unknown>, code: string) => expect(promise).rejects.toMatchObject({ code })

describe('a login by an enterprise name', () => {
  test.each(['carol@corp.example', 'alice@LAB.TEST'])('%s is of the account that it names', async (name) =>
    expect(formatPrincipal((await logIn(enterprise(name))).client)).toBe('alice@LAB.TEST'),
  )

  test.each(['bob@OTHER.TEST', 'bob@other.example'])(
    '%s is referred to the realm that it ends in, or whose domain',
    async (name) => {
      const credential = await logIn(enterprise(name))
      expect(formatPrincipal(credential.client)).toBe('bob@OTHER.TEST')
      expect(realms.sent.slice(-2).every((realm) => realm === 'OTHER.TEST')).toBe(true)
    },
  )

  test('of a realm that there is no way to is of nobody', () =>
    refused(logIn(enterprise('eve@NOWHERE.TEST')), 'KDC_ERR_C_PRINCIPAL_UNKNOWN'))

  test('is no way past an account’s own realm for a name of another type', () =>
    refused(logIn({ ...enterprise('bob@OTHER.TEST'), type: nameTypes.principal }), 'KDC_ERR_C_PRINCIPAL_UNKNOWN'))
})

describe('S4U2Self by an enterprise name', () => {
  test('keeps the name that was asked for, as MIT’s KDC does', async () => {
    const credential = await selfTicket({ user: enterprise('carol@corp.example') })
    expect(clientOf(credential)).toBe('carol@corp.example@LAB.TEST')
    expect(formatPrincipal(credential.client)).toBe('carol\\@corp.example@LAB.TEST')
  })

  test('finds the realm of the user first', async () => {
    const credential = await selfTicket({ user: enterprise('bob@other.example') })
    expect(credential.client).toMatchObject({ components: ['bob@other.example'], realm: 'OTHER.TEST' })
    expect(clientOf(credential)).toBe('bob@other.example@OTHER.TEST')
  })

  test('is no way around what is not to be delegated', async () => {
    const evidence = await selfTicket({ user: enterprise('vip@LAB.TEST') })
    expect(evidence.flags.has('forwardable')).toBe(false)
    const service = parsePrincipal('files/host@LAB.TEST')
    await refused(realms.go(s4u2proxy({ tgt, evidence, service }, realms.env)), 'KDC_ERR_BADOPTION')
  })

  test('knows nobody who is not there', () =>
    refused(selfTicket({ user: enterprise('nobody@corp.example') }), 'KDC_ERR_C_PRINCIPAL_UNKNOWN'))
})

describe('S4U2Self by a certificate', () => {
  const named = async (name: string, realm: string) =>
    (await userCertificate({ name, principals: [`${name}@${realm}`] })).certificate

  test('is of whom it names', async () => {
    const credential = await selfTicket({ certificate: await named('alice', 'LAB.TEST') })
    expect(clientOf(credential)).toBe('alice@LAB.TEST')
    expect(formatPrincipal(credential.client)).toBe('alice@LAB.TEST')
  })

  test('must be of the user who is named beside it', async () => {
    const certificate = await named('vip', 'LAB.TEST')
    await refused(selfTicket({ user: parsePrincipal('alice@LAB.TEST'), certificate }), 'KDC_ERR_CLIENT_NAME_MISMATCH')
  })

  test('goes to the realm of the user, which knows the certificate, and comes back with the name', async () => {
    const asked = { tgt, user: undefined, certificate: await named('bob', 'OTHER.TEST') }
    const { credential } = await realms.go(s4u2self({ ...asked, userRealm: 'OTHER.TEST' }, realms.env))
    expect(clientOf(credential)).toBe('bob@OTHER.TEST')
  })

  test('of nobody here is refused, and so is what is none', async () => {
    await refused(selfTicket({ certificate: await named('nobody', 'LAB.TEST') }), 'KDC_ERR_C_PRINCIPAL_UNKNOWN')
    await refused(selfTicket({ certificate: Uint8Array.of(1, 2, 3) }), 'KDC_ERR_INVALID_CERTIFICATE')
  })
})
