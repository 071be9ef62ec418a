/** Logging in by every way of the facade, against the embedded KDC over sockets. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import type { TraceEvent } from '../../src/krb5/trace.ts'
import type { KerberosOptions } from '../../src/node/kerberos.ts'
import { type Realm, startRealm } from '../../src/node/realm.ts'
import { nodeEnv } from '../../src/node/world.ts'
import { formatKeytab, keysOf, parseKeytab } from '../../src/store/keytab.ts'
import { defaultConfig } from '../../src/store/options.ts'

const few = { enctypes: [enctypes[0]!] }
let realm: Realm
let folder: string
let ahead = 0
const real = nodeEnv(defaultConfig)
const asked: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kerb-login-'))
  realm = await startRealm({
    users: {
      alice: { password: 'alice-pw', ...few },
      'carol@corp.example': { password: 'carol-pw', ...few },
      'root/admin': { password: 'root-pw', ...few },
      robot: { password: 'robot-pw', ...few },
    },
    services: { 'host/www': few, 'host/elsewhere': few },
    passwords: {
      quality: ({ newPassword }) => (newPassword.length < 6 ? 'Six characters, please.' : undefined),
      maySet: ({ components }) => components[1] === 'admin',
    },
    env: { now: () => real.now() + ahead * 1e6 },
  })
})
afterAll(async () => {
  await realm[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

/** Kerberos whose user types `answers`, one after the other. */
const kerberos = (answers: readonly string[] = [], more: Partial<KerberosOptions> = {}) => {
  const left = [...answers]
  const prompt = (text: string, kind: string) => {
    asked.push(`${kind}: ${text}`)
    return left.shift() ?? expect.unreachable()
  }
  return realm.kerberos({ prompt, ...more })
}
const refused = (promise: Promise<unknown>, code: string) => expect(promise).rejects.toMatchObject({ code })
let users = 0
/** Somebody whose password has expired. */
const late = () => {
  const name = `late${users++}`
  realm.database.add(name, { password: 'old-pw', passwordExpires: 1, ...few })
  return name
}

describe('with a password', () => {
  test('that is given, made by a callback, or asked for', async () => {
    using given = await kerberos().login('alice', { password: 'alice-pw' })
    using made = await kerberos().login('alice', { password: async () => 'alice-pw' })
    using typed = await kerberos(['alice-pw']).login('alice')
    for (const { principal } of [given, made, typed]) expect(principal.components).toEqual(['alice'])
    expect(asked.at(-1)).toBe('password: Password for alice@LAB.TEST: ')
  })

  test('for a ticket as it is wanted', async () => {
    using login = await kerberos().login('alice', {
      ...{ password: 'alice-pw', lifetime: 600, renewLifetime: 3600, forwardable: true, proxiable: true },
      addresses: [{ addrType: 2, address: Uint8Array.of(127, 0, 0, 1) }],
    })
    const { ticket } = login
    expect([...ticket.flags]).toEqual(expect.arrayContaining(['forwardable', 'proxiable', 'renewable', 'initial']))
    expect(ticket.renewTill! - ticket.endtime).toBe(3000)
    const life = ticket.endtime - ticket.starttime // a second less, when one began on the way
    expect(life === 600 || life === 599).toBe(true)
    expect(ticket.addresses).toEqual([{ addrType: 2, address: Uint8Array.of(127, 0, 0, 1) }])
    using own = await kerberos().login('alice', { password: 'alice-pw', addresses: 'none', service: 'host/www' })
    expect([own.ticket.addresses, own.ticket.server.components]).toEqual([undefined, ['host', 'www']])
  })

  test('under an enterprise name', async () => {
    realm.database.add('carol', { password: 'LAB', aliases: ['carol\\@corp.example'], ...few })
    using login = await kerberos().login('carol@corp.example', { password: 'LAB', enterprise: true })
    expect(login.principal).toMatchObject({ components: ['carol'], realm: 'LAB.TEST' })
  })
})

describe('with a keytab', () => {
  test('whose newest key the KDC does not know yet', async () => {
    const known = parseKeytab(realm.keytab('robot')).entries
    const newer = known.map((entry) => ({ ...entry, kvno: 9 }))
    const other = parseKeytab(realm.keytab('host/www')).entries.map(({ key }, i) => ({ ...newer[i]!, key }))
    using login = await kerberos().login('robot', { keytab: formatKeytab([...other, ...known]) })
    expect(login.principal.components).toEqual(['robot'])
    await refused(kerberos().login('robot', { keytab: formatKeytab(other) }), 'KDC_ERR_PREAUTH_FAILED')
    expect(keysOf(parseKeytab(formatKeytab([...other, ...known])), enctypes).length).toBe(2)
  })

  test('that has no key of the user', () =>
    refused(kerberos().login('alice', { keytab: realm.keytab('robot') }), 'NO_KEY'))
})

describe('where the password has expired', () => {
  test('a new one is asked for until it is good enough, and logged in with', async () => {
    const name = late()
    asked.length = 0
    using login = await kerberos([
      'old-pw',
      'short',
      'short',
      'better-pw',
      'bitter-pw',
      'better-pw',
      'better-pw',
    ]).login(name)
    expect(login.principal.components).toEqual([name])
    expect(asked).toEqual([
      `password: Password for ${name}@LAB.TEST: `,
      `newPassword: The password of ${name}@LAB.TEST has expired.\nEnter new password: `,
      'newPassword: Enter it again: ',
      'newPassword: Six characters, please.\nEnter new password: ',
      'newPassword: Enter it again: ',
      'newPassword: The two new passwords differ.\nEnter new password: ',
      'newPassword: Enter it again: ',
    ])
    await kerberos().login(name, { password: 'better-pw' })
  })

  test('a callback may give the new one', async () => {
    const reasons: string[] = []
    using login = await kerberos().login(late(), {
      password: 'old-pw',
      newPassword: (why) => (reasons.push(why) === 1 ? 'short' : 'long enough'),
    })
    expect(login.ticket.flags.has('initial')).toBe(true)
    expect(reasons).toEqual([expect.stringContaining('has expired'), 'Six characters, please.'])
  })

  test('a program that gave a password is told, and nobody asked', () =>
    refused(kerberos().login(late(), { password: 'old-pw' }), 'KDC_ERR_KEY_EXPIRED'))

  test('three new ones that will not do are enough', () =>
    refused(kerberos(['old-pw', 'a', 'a', 'b', 'b', 'c', 'c']).login(late()), 'KRB5_KPASSWD_SOFTERROR'))

  test('the old one must be right', () => refused(kerberos(['wrong']).login(late()), 'KDC_ERR_PREAUTH_FAILED'))
})

describe('a ticket that is there', () => {
  const cache = () => `FILE:${join(folder, `cc${users++}`)}`

  test('is taken up again, renewed and saved', async () => {
    const name = cache()
    {
      using login = await kerberos().login('alice', { password: 'alice-pw', lifetime: 600, renewLifetime: 3600 })
      await login.save(name)
    }
    using resumed = await kerberos().resume(name)
    expect(resumed.principal.components).toEqual(['alice'])
    ahead = 60
    using renewed = await kerberos().renew(name)
    expect(renewed.ticket.endtime).toBeGreaterThanOrEqual(resumed.ticket.endtime + 60)
    using again = await kerberos().renew(renewed)
    await again.save(name)
    ahead = 0
    await refused(kerberos().resume(cache()), 'NO_TICKET')
  })

  test('that begins later is validated when its time has come', async () => {
    const startTime = Math.floor(Date.now() / 1000) + 3600
    using login = await kerberos().login('alice', { password: 'alice-pw', startTime, lifetime: 600 })
    expect(login.ticket.flags.has('invalid')).toBe(true)
    await refused(kerberos().validate(login), 'KRB_AP_ERR_TKT_NYV')
    ahead = 3700
    using valid = await realm.kerberos().validate(login)
    expect(valid.ticket.flags.has('invalid')).toBe(false)
    ahead = 0
  })
})

describe('a password is checked', () => {
  test('with a key that the KDC must share', async () => {
    using login = await kerberos().checkPassword('alice', 'alice-pw', { keytab: realm.keytab('host/www') })
    expect(login.principal.components).toEqual(['alice'])
    await refused(
      kerberos().checkPassword('alice', 'wrong', { keytab: realm.keytab('host/www') }),
      'KDC_ERR_PREAUTH_FAILED',
    )
  })

  test('against a KDC that has another key of the service, an impostor: refused', async () => {
    const [mine] = parseKeytab(realm.keytab('host/www')).entries
    const [other] = parseKeytab(realm.keytab('host/elsewhere')).entries
    const keytab = formatKeytab([{ ...mine!, key: other!.key }])
    await refused(kerberos().checkPassword('alice', 'alice-pw', { keytab }), 'KRB_AP_ERR_MODIFIED')
  })

  test('where there is no key to prove it: refused unless that is allowed', async () => {
    const [entry] = parseKeytab(realm.keytab('host/www')).entries
    const unknown = formatKeytab([{ ...entry!, principal: { ...entry!.principal, components: ['host', 'nowhere'] } }])
    const none = join(folder, 'none')
    for (const keytab of [unknown, none]) {
      await refused(kerberos().checkPassword('alice', 'alice-pw', { keytab }), 'NO_KEY')
      using login = await kerberos().checkPassword('alice', 'alice-pw', { keytab, unverified: 'without-keys' })
      expect(login.ticket.flags.has('initial')).toBe(true)
    }
    await writeFile(none, 'rubbish')
    await expect(
      kerberos().checkPassword('alice', 'alice-pw', { keytab: none, unverified: 'without-keys' }),
    ).rejects.toThrow(/keytab/)
  })
})

describe('a password is changed', () => {
  test('by its user', async () => {
    realm.database.add('dave', { password: 'dave-pw', ...few })
    const events: TraceEvent[] = []
    const traced = kerberos(['dave-pw', 'second-pw', 'second-pw'], { trace: (event) => void events.push(event) })
    expect(await traced.changePassword('dave')).toEqual({ code: 0, text: 'Password changed' })
    expect(events).toContainEqual(
      expect.objectContaining({ kind: 'password', code: 0, kdc: expect.stringMatching(/TCP/) }),
    )
    await kerberos().changePassword('dave', { password: 'second-pw', newPassword: 'third-pw' })
    using login = await kerberos().login('dave', { password: 'third-pw' })
    expect(login.principal.components).toEqual(['dave'])
    await refused(kerberos(['third-pw', 'one', 'two']).changePassword('dave'), 'KRB5_KPASSWD_SOFTERROR')
  })

  test('by an administrator, for somebody else', async () => {
    realm.database.add('erin', { password: 'erin-pw', ...few })
    using root = await kerberos().login('root/admin', { password: 'root-pw' })
    await kerberos().setPassword('erin', 'fresh-pw', root)
    using erin = await kerberos().login('erin', { password: 'fresh-pw' })
    await refused(kerberos().setPassword('alice', 'stolen-pw', erin), 'KRB5_KPASSWD_ACCESSDENIED')
  })
})
