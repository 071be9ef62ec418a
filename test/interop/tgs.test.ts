/** Tickets across realms and in the names of users, against MIT's, Heimdal's and Samba's KDCs. */
import { expect, test } from 'vitest'
import { decode, encode } from '../../src/asn1/codec.ts'
import { equal } from '../../src/bytes/index.ts'
import { errorCodeOf } from '../../src/krb5/errorcodes.ts'
import { acceptAp } from '../../src/krb5/exchanges/accept.ts'
import { initiateAp } from '../../src/krb5/exchanges/ap.ts'
import { s4u2proxy, s4u2self } from '../../src/krb5/exchanges/s4u.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { nameTypes } from '../../src/krb5/messages/codes.ts'
import { KrbErrorMessage } from '../../src/krb5/messages/error.ts'
import { TgsReq } from '../../src/krb5/messages/kdc.ts'
import { formatPrincipal, type Principal, parsePrincipal } from '../../src/krb5/names.ts'
import { loadConfig } from '../../src/node/environment.ts'
import { Kerberos } from '../../src/node/kerberos.ts'
import type { Login } from '../../src/node/login.ts'
import { requestByTcp } from '../../src/node/tcp.ts'
import { keytab, lab, peer } from '../lab/index.ts'
import { freshEnv } from '../support/kerb.ts'

const kerberosOf = (env: Readonly<Record<string, string>>) =>
  new Kerberos({ config: loadConfig([env['KRB5_CONFIG']!]), environment: { configPaths: [] } })
const shown = ({ client, server }: { readonly client: Principal; readonly server: Principal }) =>
  `${formatPrincipal(client)} -> ${formatPrincipal(server)}`

/** What a service gets in a user's name: to itself, then to another service. */
async function acted(kerberos: Kerberos, login: Login, user: string, service?: string): Promise<string> {
  const { ticket: tgt, clockOffset } = login
  const { realm } = login.principal
  const asked = { tgt, clockOffset, user: parsePrincipal(user, { realm }), options: ['forwardable'] as const }
  const { credential: evidence } = await kerberos.run(s4u2self(asked, kerberos.env))
  if (service === undefined) return shown(evidence)
  const target = parsePrincipal(service, { realm, type: nameTypes.serviceHost })
  const { credential } = await kerberos.run(s4u2proxy({ tgt, clockOffset, evidence, service: target }, kerberos.env))
  return shown(credential)
}

/**
 * What a KDC says to a request, to the very same once more, and to another one with its authenticator, which covers the body
 * alone (RFC 4120 §3.3.3 has the replay check of §3.2.3).
 */
async function replayed({
  kdc,
  env,
  realm,
}: Pick<typeof lab.mit, 'kdc' | 'env' | 'realm'>): Promise<readonly string[]> {
  const kerberos = kerberosOf(freshEnv(env))
  using alice = await kerberos.login('alice', { password: 'alice-pw' })
  const exchange = tgsExchange({ tgt: alice.ticket, service: parsePrincipal(`host/localhost@${realm}`) }, kerberos.env)
  const step = exchange.next()
  exchange.return(undefined as never)
  if (step.done || step.value.kind !== 'send') throw new TypeError('the exchange sends no request')
  const first = step.value.ask.message
  const read = decode(TgsReq, first)
  const unknown = { padataType: -77, padataValue: Uint8Array.of(0) }
  const other = encode(TgsReq, { ...read, padata: [...read.padata!, unknown] })
  const [address, port] = kdc.split(':')
  const answers: Uint8Array[] = []
  for (const message of [first, first, other])
    answers.push(
      await requestByTcp({ address: address!, port: Number(port), message, signal: AbortSignal.timeout(10_000) }),
    )
  return answers.map((answer, i) => {
    if (answer[0] !== 0x6d) return errorCodeOf(decode(KrbErrorMessage, answer).errorCode)
    return i > 0 && equal(answer, answers[0]!) ? 'the same' : 'issued'
  })
}

peer('mit', "MIT's KDC", () => {
  test('answers a request that comes again as it did before, and sells again to a replayed authenticator', async () => {
    expect(await replayed(lab.mit)).toEqual(['issued', 'the same', 'issued'])
  })

  const buy = async (service: Principal) => {
    const kerberos = kerberosOf(freshEnv(lab.mit.env))
    using alice = await kerberos.login('alice', { password: 'alice-pw', forwardable: true })
    const { credential, path } = await kerberos.run(tgsExchange({ tgt: alice.ticket, service }, kerberos.env))
    return { told: shown(credential), path: path.map(({ server }) => formatPrincipal(server)) }
  }
  const byKeytab = async (name: string) => {
    const kerberos = kerberosOf(freshEnv(lab.mit.env))
    return { kerberos, login: await kerberos.login(name, { keytab: keytab('all'), forwardable: true }) }
  }

  test('leads through two realms, as [capaths] says', async () => {
    expect(await buy(parsePrincipal('HTTP/svc.far.test@FAR.TEST'))).toEqual({
      told: 'alice@LAB.TEST -> HTTP/svc.far.test@FAR.TEST',
      path: ['krbtgt/MID.TEST@LAB.TEST', 'krbtgt/FAR.TEST@MID.TEST'],
    })
  })

  test('refers to the realm of a host', async () => {
    const service = { type: nameTypes.serviceHost, components: ['HTTP', 'svc.mid.test'], realm: '' }
    expect((await buy(service)).told).toBe('alice@LAB.TEST -> HTTP/svc.mid.test@MID.TEST')
  })

  test('gives a service tickets in the name of a user: to itself, and where the rules let it', async () => {
    const { kerberos, login } = await byKeytab('svc1/localhost')
    expect(await acted(kerberos, login, 'alice')).toBe('alice@LAB.TEST -> svc1/localhost@LAB.TEST')
    expect(await acted(kerberos, login, 'alice', 'svc2/localhost')).toBe('alice@LAB.TEST -> svc2/localhost@LAB.TEST')
    await expect(acted(kerberos, login, 'alice', 'svc3/localhost')).rejects.toMatchObject({ name: 'KrbError' })
  })

  test('gives a service one where the other allows it (resource-based)', async () => {
    const { kerberos, login } = await byKeytab('svc2/localhost')
    expect(await acted(kerberos, login, 'alice', 'svc3/localhost')).toBe('alice@LAB.TEST -> svc3/localhost@LAB.TEST')
  })

  test("gives a service a ticket of another realm's user", async () => {
    const { kerberos, login } = await byKeytab('svc1/localhost')
    expect(await acted(kerberos, login, 'mia@MID.TEST')).toBe('mia@MID.TEST -> svc1/localhost@LAB.TEST')
  })

  test('gives a service one to a service of another realm that allows it', async () => {
    const { kerberos, login } = await byKeytab('svc1/localhost')
    const service = parsePrincipal('echo/svc.mid.test@MID.TEST')
    expect(await acted(kerberos, login, 'alice', formatPrincipal(service))).toBe(
      `alice@LAB.TEST -> ${formatPrincipal(service)}`,
    )
  })

  test('gives forwarded tickets, good from the addresses asked for', async () => {
    const kerberos = kerberosOf(freshEnv(lab.mit.env))
    using alice = await kerberos.login('alice', { password: 'alice-pw', forwardable: true })
    const given = (last: number) => [{ addrType: 2, address: Uint8Array.of(127, 0, 0, last) }]
    const service = parsePrincipal('host/localhost@LAB.TEST')
    const buy = async (asked: Parameters<typeof tgsExchange>[0]) =>
      (await kerberos.run(tgsExchange(asked, kerberos.env))).credential
    const forwarded = (last: number) => {
      const { ticket: tgt } = alice
      return buy({ tgt, service: tgt.server, options: ['forwarded'], addresses: given(last) })
    }
    const [here, elsewhere] = [await forwarded(1), await forwarded(99)]
    expect([here.flags.has('forwarded'), here.addresses]).toEqual([true, given(1)])
    expect((await buy({ tgt: here, service })).addresses).toEqual(given(1))
    await expect(buy({ tgt: elsewhere, service })).rejects.toMatchObject({ code: 'KRB_AP_ERR_BADADDR', origin: 'peer' })
  })

  test('gives user-to-user tickets', async () => {
    const kerberos = kerberosOf(freshEnv(lab.mit.env))
    using alice = await kerberos.login('alice', { password: 'alice-pw' })
    using peer = await kerberos.login('u2u', { password: 'u2u-pw' })
    const asked = { tgt: alice.ticket, service: peer.principal, secondTicket: peer.ticket.ticket }
    const { credential } = await kerberos.run(tgsExchange({ ...asked, options: ['encTktInSkey'] }, kerberos.env))
    expect(shown(credential)).toBe('alice@LAB.TEST -> u2u@LAB.TEST')
    using request = initiateAp({ credential, mutual: false }, kerberos.env)
    using accepted = await kerberos.run(
      acceptAp(request.message, { keys: [], ownTickets: [peer.ticket] }, kerberos.env),
    )
    expect(formatPrincipal(accepted.client)).toBe('alice@LAB.TEST')
  })
})

peer('heimdal', "Heimdal's KDC", () => {
  test('sells again to whoever asks again, with the same authenticator or the same request', async () => {
    expect(await replayed(lab.heimdal)).toEqual(['issued', 'issued', 'issued'])
  })

  test('gives a service tickets in the name of a user, to itself and to another', async () => {
    const { realm } = lab.heimdal
    const kerberos = kerberosOf(freshEnv(lab.heimdal.env))
    using login = await kerberos.login('svc1/localhost', { keytab: keytab('all', lab.heimdal), forwardable: true })
    expect(await acted(kerberos, login, 'alice')).toBe(`alice@${realm} -> svc1/localhost@${realm}`)
    expect(await acted(kerberos, login, 'alice', 'svc2/localhost')).toBe(`alice@${realm} -> svc2/localhost@${realm}`)
  })
})

peer('samba', 'Samba as a domain controller', () => {
  test('gives a service tickets in the name of a user, to itself and to another', async () => {
    const { realm } = lab.samba
    const kerberos = kerberosOf(freshEnv(lab.samba.env))
    using login = await kerberos.login('svc-svc1', { password: 'svc-svc1-pw', forwardable: true })
    expect(await acted(kerberos, login, 'alice')).toBe(`alice@${realm} -> svc-svc1@${realm}`)
    expect(await acted(kerberos, login, 'alice', 'svc2/localhost')).toBe(`alice@${realm} -> svc2/localhost@${realm}`)
  })

  test('knows services by their enterprise names', async () => {
    const { realm } = lab.samba
    const kerberos = kerberosOf(freshEnv(lab.samba.env))
    using alice = await kerberos.login('alice', { password: 'alice-pw' })
    const service = { type: nameTypes.enterprise, components: [`svc-svc1@${realm}`], realm: '' }
    const { credential } = await kerberos.run(tgsExchange({ tgt: alice.ticket, service }, kerberos.env))
    expect(formatPrincipal(credential.client)).toBe(`alice@${realm}`)
  })
})
