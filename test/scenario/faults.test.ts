/** The faults of the embedded KDC, and what our own client says of each. */
import { Kerberos, KrbError, type Login, TransportError } from 'kerb'
import { Name, SecurityContext } from 'kerb/gss'
import { type Faults, type Realm, startRealm } from 'kerb/kdc'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const PASSWORD = 'alice-pw'
let realm: Realm
beforeAll(async () => {
  realm = await startRealm({ users: { alice: PASSWORD, bob: PASSWORD }, services: ['HTTP/localhost'] })
})
afterAll(() => realm[Symbol.asyncDispose]())

/** Little patience, so that silence is noticed soon. */
const kerberos = (given: Realm, more = {}) =>
  new Kerberos({
    ...{ config: { ...given.config, ...more }, environment: { configPaths: [] } },
    ...{ attemptTimeout: 300, headStart: 60, deadline: 500 },
  })
const login = (given = realm, more = {}): Promise<Login> => kerberos(given, more).login('alice', { password: PASSWORD })
const name = Name.hostbased('HTTP@localhost')
const buy = ({ credentials: creds }: Login) =>
  new SecurityContext({ usage: 'initiate', name, creds, mech: kerberos(realm).krb5 }).step()

/** What a login, or the purchase of a ticket, comes to under these faults. */
async function under(faults: Faults, act: () => Promise<unknown> = login): Promise<unknown> {
  using _ = realm.faults.set(faults)
  return await act().then(
    () => undefined,
    (error: unknown) => error,
  )
}

describe('each fault', () => {
  test('skew: the client follows the clock of the KDC, or says how far it is ahead', async () => {
    using _ = realm.faults.set({ skew: 3600 })
    using alice = await login()
    expect(Math.round(alice.clockOffset / 1e6)).toBeGreaterThanOrEqual(3599)
    await expect(login(realm, { followClock: false })).rejects.toMatchObject({ code: 'KRB_AP_ERR_SKEW' })
  })

  test('nonce', async () => {
    const error = await under({ nonce: true })
    expect(error).toBeInstanceOf(KrbError)
    expect(error).toMatchObject({ code: 'REPLY_MODIFIED', message: expect.stringMatching(/nonce/) })
  })

  test('drop', async () => {
    const error = await under({ drop: true })
    expect(error).toBeInstanceOf(TransportError)
    expect(error).toMatchObject({ realm: 'LAB.TEST' })
  })

  test('drop, once: the request is sent again', async () => {
    expect(await under({ drop: true, times: 1 })).toBeUndefined()
  })

  test('delay: within the patience of the client it does not matter, beyond it is silence', async () => {
    expect(await under({ delay: 20 })).toBeUndefined()
    expect(await under({ delay: 2000 })).toBeInstanceOf(TransportError)
  })

  test('truncate', async () => {
    expect(await under({ truncate: 40 })).toMatchObject({
      ...{ name: 'KrbError', code: 'REPLY_MALFORMED', step: 'AS-REQ' },
      message: expect.stringMatching(/runs past its container: it claims \d+ octets, 36 are left/),
    })
  })

  test('tooBig: the client comes by TCP', async () => {
    expect(await under({ tooBig: true })).toBeUndefined()
  })

  test('etype', async () => {
    expect(await under({ etype: 23 })).toMatchObject({
      ...{ name: 'KrbError', code: 'KRB_AP_ERR_BAD_INTEGRITY' },
      message: expect.stringMatching(/is sealed with rc4-hmac, the key at hand is aes256/),
    })
  })

  test('error', async () => {
    const error = await under({ error: 'KDC_ERR_CLIENT_REVOKED' })
    expect(error).toMatchObject({ code: 'KDC_ERR_CLIENT_REVOKED', origin: 'peer', realm: 'LAB.TEST' })
  })
})

describe('inside FAST (RFC 6113 §5.4)', () => {
  const armored = async () => {
    const client = kerberos(realm)
    using armor = await client.login('alice', { password: PASSWORD })
    await armor.save('MEMORY:armor')
    return () => client.login('alice', { password: PASSWORD, armor: 'MEMORY:armor' })
  }

  test('nonce: the reply to FAST itself is to another request', async () => {
    const act = await armored()
    expect(await under({ nonce: true }, act)).toMatchObject({ code: 'REPLY_MODIFIED' })
  })

  test('error: sealed, so that the client may go by it; in the clear it ends the login, and steers nothing', async () => {
    const act = await armored()
    const error = 'KDC_ERR_WRONG_REALM'
    for (const clear of [false, true])
      expect(await under({ error, clear }, act)).toMatchObject({ code: error, origin: 'peer' })
    const again = { error: 'KDC_ERR_PREAUTH_REQUIRED', times: 1 } as const
    expect(await under({ ...again, clear: true }, act)).toMatchObject({ code: 'KDC_ERR_PREAUTH_REQUIRED' })
    expect(await under(again, act)).toBeUndefined()
  })
})

describe('of the password server', () => {
  const change = () => kerberos(realm).changePassword('bob', { password: PASSWORD, newPassword: 'another' })

  test('result: what it answers in place of changing the password', async () => {
    const result = { code: 4, text: 'too short' }
    const error = await under({ kind: 'kpasswd', result }, async () => {
      const said = await change()
      expect(said).toMatchObject(result)
    })
    if (error) expect(error).toMatchObject({ result, message: expect.stringContaining('too short') })
    using still = await kerberos(realm).login('bob', { password: PASSWORD })
    expect(still.credentials).toBeDefined()
  })

  test('error, drop and truncate', async () => {
    const kind = 'kpasswd'
    expect(await under({ kind, error: 'KRB_AP_ERR_SKEW' }, change)).toMatchObject({ name: 'KrbError', origin: 'peer' })
    expect(await under({ kind, drop: true }, change)).toBeInstanceOf(TransportError)
    expect(await under({ kind, truncate: 20 }, change)).toBeInstanceOf(TransportError)
  })

  test('are none unless it is named', async () => {
    using _ = realm.faults.set({ drop: true })
    expect(realm.faults.next(new Uint8Array(1), 'kpasswd')).toBeUndefined()
  })
})

describe('faults', () => {
  test('can be there from the beginning, and go', async () => {
    await using broken = await startRealm({ users: { alice: PASSWORD }, faults: { error: 'KDC_ERR_POLICY' } })
    await expect(login(broken)).rejects.toMatchObject({ code: 'KDC_ERR_POLICY' })
    broken.faults.clear()
    using alice = await login(broken)
    expect(alice.credentials).toBeDefined()
  })

  test('meet requests of one kind alone', async () => {
    using alice = await login()
    const faults = { error: 'KDC_ERR_SVC_UNAVAILABLE', kind: 'TGS-REQ' } as const
    expect(await under(faults)).toBeUndefined()
    expect(await under(faults, () => buy(alice))).toMatchObject({
      name: 'GssError',
      minor: 'KDC_ERR_SVC_UNAVAILABLE',
    })
  })

  test('end with the scope they were set in, and leave the others', async () => {
    using _ = realm.faults.set({ delay: 1 })
    {
      using _inner = realm.faults.set({ error: 'KDC_ERR_POLICY' })
      await expect(login()).rejects.toMatchObject({ code: 'KDC_ERR_POLICY' })
    }
    expect(realm.faults.next(new Uint8Array(1))).toEqual({ delay: 1 })
  })
})
