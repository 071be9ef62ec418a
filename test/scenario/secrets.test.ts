/** Whole exchanges and the failures of each, whose every word is searched for what was secret in them. */
import { inspect } from 'node:util'
import { startRealm } from 'kerb'
import { makeEnctypes, noble, type Primitives } from 'kerb/crypto'
import { Name, SecurityContext } from 'kerb/gss'
import { describe, expect, test } from 'vitest'
import { toBase64, toHex } from '../../src/bytes/index.ts'
import { formatTraceEvent, type TraceEvent } from '../../src/krb5/trace.ts'

/** Octets that a key has at least; what is shorter is no key and would be found by chance. */
const SHORTEST = 14

/** @noble's primitives, noting every key that passes through them: long-term, session and derived ones. */
function watched() {
  const seen = new Map<string, Uint8Array>()
  const note = (octets: Uint8Array) => {
    if (octets.length >= SHORTEST) seen.set(toHex(octets), new Uint8Array(octets))
    return octets
  }
  const primitives: Primitives = {
    ...noble,
    aes: (key) => noble.aes(note(key)),
    hmac: (hash, key) => noble.hmac(hash, note(key)),
    pbkdf2: (hash, password, salt, rounds, size) => {
      note(password)
      return note(noble.pbkdf2(hash, password, salt, rounds, size))
    },
  }
  return { seen, enctypes: makeEnctypes(primitives).current }
}

/** What would give `octets` away: as digits, as base64 at any place of a longer text, raw, and as a list of numbers. */
function spellings(octets: Uint8Array): string[] {
  const base64 = [0, 1, 2].map((before) => {
    const text = toBase64(new Uint8Array([...new Uint8Array(before), ...octets]))
    // Without the characters that the neighbours have a part in.
    return text.slice(before === 0 ? 0 : before + 1, -4)
  })
  return [
    toHex(octets),
    toHex(octets).toUpperCase(),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    String.fromCharCode(...octets),
    octets.join(','),
    octets.join(', '),
    [...octets].map((octet) => octet.toString(16).padStart(2, '0')).join(' '),
  ]
}

/** All that a program would print of `value`: errors with their traces and causes, the rest as inspect and JSON have it. */
function said(value: unknown): string {
  const plain = inspect(value, { depth: 12, showHidden: true, maxArrayLength: null, maxStringLength: null })
  const json = JSON.stringify(value, (_, inner: unknown) =>
    inner instanceof Set || inner instanceof Map
      ? [...inner]
      : typeof inner === 'bigint'
        ? String(inner)
        : inner instanceof Uint8Array
          ? toHex(inner)
          : inner,
  )
  return [plain, json, String(value), value instanceof Error ? `${value.message}\n${value.stack}` : ''].join('\n')
}

const passwords = { alice: 'correct-horse-battery', wrong: 'incorrect-donkey-cell' }
const name = Name.hostbased('HTTP@localhost')

/** A realm of ours, its events, and a way to have what an act ends in. */
async function scene() {
  const { seen, enctypes } = watched()
  const events: TraceEvent[] = []
  const requests: unknown[] = []
  const realm = await startRealm({
    users: { alice: passwords.alice },
    services: ['HTTP/localhost', 'echo/localhost'],
    env: { enctypes },
    log: (event) => requests.push(event),
  })
  const kerberos = realm.kerberos({ trace: (event) => events.push(event) })
  const heard: string[] = []
  const failing = async (act: () => unknown) => {
    const outcome = await Promise.resolve()
      .then(act)
      .then(() => undefined)
      .catch((error: unknown) => error)
    expect(outcome).toBeInstanceOf(Error)
    heard.push(said(outcome))
    return outcome as Error
  }
  const verdict = () => {
    const text = [...heard, said(events), said(requests), ...events.map(formatTraceEvent), said(kerberos)].join('\n')
    expect(seen.size).toBeGreaterThan(10)
    const given = [...seen.values()].flatMap((secret) =>
      spellings(secret).filter((spelling) => text.includes(spelling)),
    )
    expect(given).toEqual([])
    for (const password of Object.values(passwords)) expect(text).not.toContain(password)
    return text
  }
  return { realm, kerberos, heard, failing, verdict, events, seen }
}

describe('nothing secret is said', () => {
  test('when all goes well', async () => {
    const { realm, kerberos, heard, verdict, events, seen } = await scene()
    await using _ = realm
    using alice = await kerberos.login('alice', { password: passwords.alice })
    using client = new SecurityContext({ usage: 'initiate', name, creds: alice.credentials, mech: kerberos.krb5 })
    const creds = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
    using server = new SecurityContext({ usage: 'accept', creds, mech: kerberos.krb5 })
    await client.step(await server.step(await client.step()))
    server.unwrap(client.wrap(Uint8Array.of(1, 2, 3), true).message)
    client.verify(Uint8Array.of(1), server.sign(Uint8Array.of(1)))
    for (const value of [alice, alice.ticket, alice.credentials, creds, client, server, realm.database, realm.config])
      heard.push(said(value))
    const text = verdict()
    expect(text).toContain('alice@LAB.TEST')
    // The search would have found the session key, had anybody printed it.
    const secret = alice.ticket.key.octets()
    expect(seen.has(toHex(secret))).toBe(true)
    for (const printed of [secret, Buffer.from(secret), { secret }, [...secret], toBase64(secret)])
      expect(spellings(secret).some((spelling) => said(printed).includes(spelling))).toBe(true)
    expect(new Set(events.map(({ kind }) => kind))).toEqual(
      new Set(['send', 'attempt', 'reply', 'error', 'preauth', 'key', 'ticket', 'accept']),
    )
  })

  test('when a login fails', async () => {
    const { realm, kerberos, failing, verdict } = await scene()
    await using _ = realm
    expect(await failing(() => kerberos.login('alice', { password: passwords.wrong }))).toMatchObject({
      code: 'KDC_ERR_PREAUTH_FAILED',
    })
    await failing(() => kerberos.login('nobody', { password: passwords.alice }))
    await failing(() => kerberos.login('alice@ELSEWHERE', { password: passwords.alice }))
    await failing(() => kerberos.login('alice', { keytab: realm.keytab('echo/localhost') }))
    await failing(() => kerberos.login('alice', { keytab: realm.keytab('echo/localhost').slice(0, -9) }))
    await failing(() => kerberos.login('alice', { password: passwords.alice, service: 'nothing/here' }))
    await failing(() => kerberos.login('alice', { password: passwords.alice, lifetime: -5 }))
    // The KDC now has another key than the one the client's keytab holds.
    const stale = realm.keytab('HTTP/localhost')
    realm.database.add('HTTP/localhost')
    await failing(() => kerberos.login('HTTP/localhost', { keytab: stale }))
    verdict()
  })

  test('when no ticket is to be had', async () => {
    const { realm, kerberos, failing, verdict } = await scene()
    await using _ = realm
    using alice = await kerberos.login('alice', { password: passwords.alice })
    const initiate = (service: string) =>
      new SecurityContext({
        usage: 'initiate',
        name: Name.hostbased(service),
        creds: alice.credentials,
        mech: kerberos.krb5,
      }).step()
    await failing(() => initiate('nothing@localhost'))
    await failing(() => initiate('HTTP@elsewhere.example'))
    alice[Symbol.dispose]()
    await failing(() => initiate('HTTP@localhost'))
    verdict()
  })

  test('when a service refuses, or its answer is not what it should be', async () => {
    const { realm, kerberos, failing, verdict } = await scene()
    await using _ = realm
    using alice = await kerberos.login('alice', { password: passwords.alice })
    const initiator = () =>
      new SecurityContext({ usage: 'initiate', name, creds: alice.credentials, mech: kerberos.krb5 })
    const acceptor = async (service = 'HTTP/localhost') =>
      new SecurityContext({
        usage: 'accept',
        creds: await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab(service) } }),
        mech: kerberos.krb5,
      })
    const flipped = (octets: Uint8Array, at: number) => octets.map((octet, i) => (i === at ? octet ^ 1 : octet))
    const token = (await initiator().step())!
    for (let at = 0; at < token.length; at += 7)
      await failing(async () => {
        await (await acceptor()).step(flipped(token, at))
        // The clear part of a ticket may be changed: then the token is a good one, and this its replay.
        await (await acceptor()).step(token)
      })
    for (let size = 0; size < token.length; size += 11)
      await failing(async () => (await acceptor()).step(token.slice(0, size)))
    await failing(async () => (await acceptor('echo/localhost')).step(token))
    realm.database.add('HTTP/localhost', { kvno: 2 })
    await failing(async () => (await acceptor()).step(token))
    realm.database.add('HTTP/localhost')
    await failing(async () => (await acceptor()).step(token))
    verdict()
  })

  test('when messages are not what they were', async () => {
    const { realm, kerberos, failing, verdict } = await scene()
    await using _ = realm
    using alice = await kerberos.login('alice', { password: passwords.alice })
    const creds = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
    const established = async (change: (reply: Uint8Array) => Uint8Array = (reply) => reply) => {
      const client = new SecurityContext({ usage: 'initiate', name, creds: alice.credentials, mech: kerberos.krb5 })
      const server = new SecurityContext({ usage: 'accept', creds, mech: kerberos.krb5 })
      await client.step(change((await server.step(await client.step()))!))
      return { client, server }
    }
    await failing(() => established((reply) => reply.map((octet, i) => (i === reply.length - 3 ? octet ^ 1 : octet))))
    await failing(() => established((reply) => reply.slice(0, -1)))
    const { client, server } = await established()
    const { message } = client.wrap(new Uint8Array(50), true)
    for (let at = 0; at < message.length; at += 5)
      await failing(() => server.unwrap(message.map((octet, i) => (i === at ? octet ^ 1 : octet))))
    const signature = client.sign(new Uint8Array(9))
    await failing(() => server.verify(new Uint8Array(8), signature))
    client[Symbol.dispose]()
    await failing(() => client.wrap(new Uint8Array(5), true))
    verdict()
  })
})
