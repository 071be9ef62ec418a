/** Half-open contexts, exported and gone on with: MIT's form (vectors/gssproxy/tok_initiator_partial.bin, of krb5 1.20.1), our realm. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../../src/bytes/index.ts'
import { GssError, type GssFlag, inquireContext, mechanismOids, Name, SecurityContext } from '../../../src/gss/index.ts'
import { formatContext, parseContext } from '../../../src/gss/krb5/exported.ts'
import type { Kerberos } from '../../../src/node/kerberos.ts'
import { type Realm, startRealm } from '../../../src/node/realm.ts'

const name = Name.principal('HTTP/www.lab.test@LAB.TEST')
let realm: Realm
let kerberos: Kerberos
let creds: Awaited<ReturnType<Kerberos['acquire']>>
let keys: Awaited<ReturnType<Kerberos['acquire']>>

beforeAll(async () => {
  realm = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/www.lab.test'] })
  kerberos = realm.kerberos()
  creds = (await kerberos.login('alice', { password: 'alice-pw', forwardable: true })).credentials
  keys = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/www.lab.test') } })
})
afterAll(() => realm[Symbol.asyncDispose]())

const initiator = (flags: readonly GssFlag[], mech = kerberos.krb5) =>
  new SecurityContext({ usage: 'initiate', name, creds, flags, mech })
const acceptor = (mech = kerberos.krb5) => new SecurityContext({ usage: 'accept', creds: keys, mech })
const resumed = (token: Uint8Array) => SecurityContext.import(token, { mech: kerberos.krb5 })
const mutual: readonly GssFlag[] = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection']

/** Messages go both ways. */
function expectAgreed(one: SecurityContext, other: SecurityContext): void {
  for (const [from, to] of [[one, other] as const, [other, one] as const]) {
    expect(to.unwrap(from.wrap(utf8('sealed')).message)).toMatchObject({ message: utf8('sealed'), encrypted: true })
    to.verify(utf8('signed'), from.sign(utf8('signed')))
  }
}

describe.each([{ flags: mutual }, { flags: ['dceStyle'] as const }])('an initiator with $flags', ({ flags }) => {
  test('goes on elsewhere, and is over here', async () => {
    const first = initiator(flags)
    const [request, accepting] = [await first.step(), acceptor()]
    const there = resumed(first.export())
    expect(() => first.export()).toThrow('GSS_S_NO_CONTEXT')
    await expect(first.step(new Uint8Array(1))).rejects.toThrow('GSS_S_NO_CONTEXT')
    expect(inquireContext(there)).toMatchObject({ established: false, locallyInitiated: true })
    // and elsewhere again
    const last = await resumed(there.export())
      .step(await accepting.step(request))
      .catch((error) => error)
    expect(last).not.toBeInstanceOf(Error)
  })

  test('agrees with the acceptor in the end', async () => {
    const first = initiator(flags)
    const accepting = acceptor()
    const reply = await accepting.step(await first.step())
    const there = resumed(first.export())
    const last = await there.step(reply)
    if (last) await accepting.step(last)
    expectAgreed(there, accepting)
    expect([there.initiatorName.text, there.targetName.text]).toEqual(['alice@LAB.TEST', name.text])
    for (const flag of flags) expect([...there.actualFlags]).toContain(flag)
  })

  test('takes no reply of another handshake', async () => {
    const [first, second] = [initiator(flags), initiator(flags)]
    await first.step()
    const reply = await acceptor().step(await second.step())
    const there = resumed(first.export())
    await expect(there.step(reply)).rejects.toMatchObject({ minor: 'KRB_AP_ERR_MUT_FAIL' })
    await expect(there.step(reply)).rejects.toThrow('GSS_S_NO_CONTEXT')
  })
})

describe('an acceptor in DCE style', () => {
  test('goes on elsewhere; what was handed over stays behind', async () => {
    const client = initiator(['dceStyle', 'delegateToPeer'])
    const first = acceptor()
    const last = await client.step(await first.step(await client.step()))
    const there = resumed(first.export())
    expect([there.usage, there.complete]).toEqual(['accept', false])
    expect(await there.step(last)).toBeUndefined()
    expectAgreed(client, there)
    expect(there.delegatedCredentials).toBeUndefined()
  })

  test('does not take its own AP-REP for the initiator’s', async () => {
    const first = acceptor()
    const reply = await first.step(await initiator(['dceStyle']).step())
    await expect(resumed(first.export()).step(reply)).rejects.toMatchObject({ minor: 'KRB_AP_ERR_MUT_FAIL' })
  })

  test('takes the last token of no other handshake, and nothing but an AP-REP', async () => {
    const exported = async () => {
      const first = acceptor()
      await first.step(await initiator(['dceStyle']).step())
      return resumed(first.export())
    }
    const other = initiator(['dceStyle'])
    const last = await other.step(await acceptor().step(await other.step()))
    const request = await initiator(['dceStyle']).step()
    await expect((await exported()).step(last)).rejects.toMatchObject({ minor: 'KRB_AP_ERR_MUT_FAIL' })
    for (const token of [request, undefined])
      await expect((await exported()).step(token)).rejects.toThrow('GSS_S_DEFECTIVE_TOKEN')
  })
})

test('before its first token there is no context; SPNEGO and IAKERB export none that is half-open, and go on', async () => {
  expect(() => initiator(mutual).export()).toThrow('GSS_S_NO_CONTEXT')
  expect(() => acceptor().export()).toThrow('GSS_S_NO_CONTEXT')
  const negotiating = initiator(mutual, kerberos.spnego)
  const accepting = acceptor(kerberos.spnego)
  const request = await negotiating.step()
  expect(() => negotiating.export()).toThrow('GSS_S_UNAVAILABLE')
  await negotiating.step(await accepting.step(request))
  expectAgreed(negotiating, accepting)
  const password = { name: Name.user('alice'), mechs: [mechanismOids.iakerb], store: { password: 'alice-pw' } }
  using later = await kerberos.acquire({ usage: 'initiate', ...password })
  const carried = new SecurityContext({ usage: 'initiate', name, creds: later, mech: kerberos.iakerb })
  await carried.step()
  expect(() => carried.export()).toThrow('GSS_S_UNAVAILABLE')
})

describe('the token', () => {
  const mits = new Uint8Array(
    readFileSync(new URL('../../../vectors/gssproxy/tok_initiator_partial.bin', import.meta.url)),
  )

  test('of MIT tells what its AP-REP is verified with, and is written again without loss', () => {
    const state = parseContext(mits)
    expect(state).toMatchObject({ locallyInitiated: true, tokens: 'rfc4121', acceptorSubkey: undefined })
    expect(state.awaiting?.sessionKey).toMatchObject({ keytype: state.initiatorKey.keytype })
    expect(state.awaiting?.time).toBeGreaterThanOrEqual(state.ticket.authtime)
    expect(state.awaiting?.micros).toBeLessThan(1_000_000)
    expect(parseContext(formatContext(state))).toEqual(state)
    expect(resumed(mits)).toMatchObject({ usage: 'initiate', complete: false })
  })

  test('without its AP exchange is malformed', () => {
    const { awaiting: _, ...state } = parseContext(mits)
    const established = formatContext(state)
    established[24] = 0 // the mark of established contexts, behind OID, number and side
    expect(() => resumed(established)).toThrow(/GSS_S_DEFECTIVE_TOKEN: .*without its AP exchange/)
  })

  test('cut short or with any octet changed is refused in so many words, or goes on to no context', async () => {
    const accepting = acceptor()
    await accepting.step(await initiator(['dceStyle']).step())
    for (const whole of [mits, accepting.export()]) {
      for (let size = 0; size < whole.length - 4; size++)
        expect(() => resumed(whole.subarray(0, size)), `${size} octets`).toThrow(GssError)
      for (let at = 0; at < whole.length; at++)
        for (const bits of [0xff, 0x80, 1]) {
          const changed = whole.slice()
          changed[at]! ^= bits
          try {
            using context = resumed(changed)
            expect(context.usage).toMatch(/^(initiate|accept)$/)
          } catch (error) {
            expect(error, `octet ${at}`).toMatchObject({ name: 'GssError' })
          }
        }
    }
  })
})
