/** What goes wrong in practice, against our own KDC over real sockets: each a typed error that says where and what to do. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Kerberos, type Realm, startRealm } from 'kerb'
import { type BoundMechanism, bind, type Credentials, GssError, Name, SecurityContext } from 'kerb/gss'
import { krb5Mechanism } from 'kerb/gss/krb5'
import { krbConfig } from 'kerb/store'
import { describe, expect, test } from 'vitest'
import { framed } from '../../src/krb5/framing.ts'

const start = (clock = 0) =>
  startRealm({
    users: { alice: 'alice-pw' },
    services: ['HTTP/localhost', 'echo/localhost'],
    env: { now: () => (Date.now() + clock) * 1000 },
  })
const name = Name.hostbased('HTTP@localhost')
const acceptorOf = (realm: Realm, service = 'HTTP/localhost') =>
  realm.kerberos().acquire({ usage: 'accept', store: { keytab: realm.keytab(service) } })

async function tokenOf(realm: Realm): Promise<{ client: SecurityContext; token: Uint8Array }> {
  const alice = await realm.kerberos().login('alice', { password: 'alice-pw' })
  const client = new SecurityContext({ usage: 'initiate', name, creds: alice.credentials, mech: realm.kerberos().krb5 })
  return { client, token: (await client.step())! }
}
const refusalOf = async (token: Uint8Array, creds: Credentials, mech: BoundMechanism) => {
  const error = await new SecurityContext({ usage: 'accept', creds, mech }).step(token).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(GssError)
  return error as GssError
}

describe('clocks', () => {
  test('a client an hour behind the KDC logs in, and gets tickets, by its clock', async () => {
    await using realm = await start(3_600_000)
    const kerberos = realm.kerberos()
    using alice = await kerberos.login('alice', { password: 'alice-pw' })
    expect(Math.round(alice.clockOffset / 60e6)).toBe(60)
    using client = new SecurityContext({ usage: 'initiate', name, creds: alice.credentials, mech: kerberos.krb5 })
    expect((await client.step())!.length).toBeGreaterThan(100)
  })

  test('a client that must not follow says how far the clocks are apart', async () => {
    await using realm = await start(3_600_000)
    const kerberos = new Kerberos({ config: { ...realm.config, followClock: false }, environment: { configPaths: [] } })
    await expect(kerberos.login('alice', { password: 'alice-pw' })).rejects.toMatchObject({
      code: 'KRB_AP_ERR_SKEW',
      origin: 'local',
      realm: 'LAB.TEST',
      step: 'AS-REQ',
      hint: expect.stringContaining('clocks'),
    })
  })

  test('a service an hour ahead refuses, and tells the client so', async () => {
    await using realm = await start()
    const { client, token } = await tokenOf(realm)
    const kerberos = realm.kerberos()
    const late = bind(krb5Mechanism({ ...kerberos.env, now: () => (Date.now() + 3_600_000) * 1000 }), kerberos.world)
    const refusal = await refusalOf(token, await acceptorOf(realm), late)
    expect(refusal).toMatchObject({
      minor: 'KRB_AP_ERR_SKEW',
      message: expect.stringMatching(/clock of alice@LAB\.TEST is -3600 s ahead of ours/),
    })
    await expect(client.step(refusal.token)).rejects.toMatchObject({ name: 'GssError', minor: 'KRB_AP_ERR_SKEW' })
  })
})

describe('services', () => {
  test('the same token twice is a replay, also to another context', async () => {
    await using realm = await start()
    const { token } = await tokenOf(realm)
    const creds = await acceptorOf(realm)
    const { krb5: mech } = realm.kerberos()
    await new SecurityContext({ usage: 'accept', creds, mech }).step(token)
    expect(await refusalOf(token, creds, mech)).toMatchObject({
      major: 'GSS_S_DUPLICATE_TOKEN',
      minor: 'KRB_AP_ERR_REPEAT',
    })
  })

  test('two acceptors of the same token at the same moment: one accepts', async () => {
    await using realm = await start()
    const { token } = await tokenOf(realm)
    const creds = await acceptorOf(realm)
    const { krb5: mech } = realm.kerberos()
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => new SecurityContext({ usage: 'accept', creds, mech }).step(token)),
    )
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('a ticket for another service names both, a key of another version its version', async () => {
    await using realm = await start()
    const { token } = await tokenOf(realm)
    const { krb5: mech } = realm.kerberos()
    const other = await refusalOf(token, await acceptorOf(realm, 'echo/localhost'), mech)
    expect(other).toMatchObject({ minor: 'KRB_AP_ERR_NOKEY' })
    expect(other.message).toMatch(/no key of HTTP\/localhost@LAB\.TEST here, only of echo\/localhost@LAB\.TEST.*keytab/)
    realm.database.add('HTTP/localhost', { kvno: 2 })
    expect(await refusalOf(token, await acceptorOf(realm), mech)).toMatchObject({ minor: 'KRB_AP_ERR_BADKEYVER' })
    realm.database.add('HTTP/localhost')
    expect(await refusalOf(token, await acceptorOf(realm), mech)).toMatchObject({ minor: 'KRB_AP_ERR_MODIFIED' })
  })

  test('every truncation of a token, and every changed octet that is protected, is refused with a GssError', async () => {
    await using realm = await start()
    const { token } = await tokenOf(realm)
    const creds = await acceptorOf(realm)
    const accepted: number[] = []
    for (let i = 0; i < token.length; i++) {
      const { krb5: mech } = realm.kerberos()
      await refusalOf(token.slice(0, i), creds, mech)
      const changed = token.map((octet, at) => (at === i ? octet ^ 0x01 : octet))
      const outcome = await new SecurityContext({ usage: 'accept', creds, mech })
        .step(changed)
        .catch((error: unknown) => error)
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(GssError)
      else accepted.push(i)
    }
    // The ticket's clear part proves nothing and decides nothing: its name, its name's type and its key version are hints.
    const clear = token.length - 300
    expect(accepted.every((i) => i < clear)).toBe(true)
    expect(accepted.length).toBeLessThan(60)
  }, 30_000)
})

describe('KDCs', () => {
  /** A KDC that answers every request with these octets, by TCP. */
  async function answering(octets: (request: Uint8Array) => Uint8Array) {
    const server = createServer((socket) => socket.on('data', (data) => socket.write(octets(data))))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as { port: number }
    const config = krbConfig({ defaultRealm: 'R', realms: { R: { kdc: [`tcp/127.0.0.1:${port}`] } } })
    const kerberos = new Kerberos({ config, environment: { configPaths: [] }, attemptTimeout: 500, deadline: 1000 })
    return { kerberos, [Symbol.dispose]: () => void server.close() }
  }

  test('a reply that is cut short says so', async () => {
    using kdc = await answering(() => framed(Uint8Array.of(0x6b, 0x82, 0x01, 0x00, 0x30)))
    await expect(kdc.kerberos.login('alice', { password: 'x' })).rejects.toMatchObject({
      code: 'REPLY_MALFORMED',
      step: 'AS-REQ',
      realm: 'R',
      kdc: expect.stringMatching(/^127\.0\.0\.1:\d+ \(TCP\)$/),
    })
  })

  test.each<[string, (request: Uint8Array) => Uint8Array]>([
    ['noise', () => framed(Uint8Array.from({ length: 200 }, (_, i) => (i * 97) & 0xff))],
    ['nothing', () => framed(new Uint8Array(0))],
    ['our own request', (request) => request],
  ])('a reply of %s is no reply, and the KDC is named', async (_, octets) => {
    using kdc = await answering(octets)
    await expect(kdc.kerberos.login('alice', { password: 'x' })).rejects.toMatchObject({
      name: 'TransportError',
      realm: 'R',
      attempts: [
        {
          kdc: expect.stringMatching(/^127\.0\.0\.1:\d+ \(TCP\)$/),
          reason: expect.stringMatching(/^\d+ octets came that are no reply of a KDC$/),
        },
      ],
    })
  })

  test('silence ends with the deadline', async () => {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const config = krbConfig({ defaultRealm: 'R', realms: { R: { kdc: [`udp/127.0.0.1:${socket.address().port}`] } } })
    const kerberos = new Kerberos({ config, environment: { configPaths: [] }, attemptTimeout: 5000, deadline: 300 })
    const begin = performance.now()
    await expect(kerberos.login('alice', { password: 'x' })).rejects.toMatchObject({
      name: 'TransportError',
      realm: 'R',
    })
    expect(performance.now() - begin).toBeLessThan(2000)
    socket.close()
  })
})

test('no error and no trace of a whole login holds a key or the password', async () => {
  await using realm = await start()
  const { inspect } = await import('node:util')
  const events: unknown[] = []
  using alice = await realm.kerberos({ trace: (event) => events.push(event) }).login('alice', { password: 'alice-pw' })
  const failed = await realm
    .kerberos()
    .login('alice', { password: 'wrong-pw' })
    .catch((error: unknown) => error)
  const text = [events, failed, alice, alice.ticket, alice.credentials]
    .map(
      (value) =>
        inspect(value, { depth: 10 }) +
        (value instanceof Error ? '' : JSON.stringify(value, (_, v: unknown) => (v instanceof Set ? [...v] : v))),
    )
    .join('\n')
  const secrets = [
    alice.ticket.key.octets(),
    ...realm.database.lookup(alice.principal)!.keys.map((key) => key.octets()),
  ]
  for (const secret of secrets) {
    expect(text).not.toContain(Buffer.from(secret).toString('hex'))
    expect(text).not.toContain([...secret.subarray(0, 8)].join(', '))
    expect(text).not.toContain([...secret.subarray(0, 8)].join(','))
  }
  expect(text).not.toMatch(/alice-pw|wrong-pw/)
})
