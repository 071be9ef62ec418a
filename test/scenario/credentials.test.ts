/** Credentials as python-gssapi's users acquire and store them: by mechanism, replay cache and enctypes (RFC 2743 §2.1, RFC 5588). */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { enctypes } from 'kerb/crypto'
import { type BoundMechanism, type Credentials, mechanismOids, Name, SecurityContext } from 'kerb/gss'
import { Krb5Credential } from 'kerb/gss/krb5'
import { Kerberos, type Realm, startRealm } from 'kerb/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes/index.ts'

let realm: Realm
let kerberos: Kerberos
const folder = mkdtempSync(join(tmpdir(), 'kerb-credentials-'))
const service = Name.principal('HTTP/www.lab.test@LAB.TEST')

beforeAll(async () => {
  realm = await startRealm({
    users: { alice: 'alice-pw', bob: 'bob-pw' },
    services: ['HTTP/www.lab.test', 'HTTP/next.lab.test'],
  })
  kerberos = realm.kerberos()
})
afterAll(async () => {
  await realm[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

const by = (user: string, mechs?: readonly string[]) =>
  kerberos.acquire({ usage: 'initiate', name: Name.user(user), mechs, store: { password: `${user}-pw` } })
const keys = (rcache?: string) =>
  kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/www.lab.test'), rcache } })

/** Both ends of a context. */
async function pair(creds: Credentials, acceptor: Credentials, mech: BoundMechanism = kerberos.krb5) {
  const client = new SecurityContext({ usage: 'initiate', name: service, creds, mech })
  const server = new SecurityContext({ usage: 'accept', creds: acceptor, mech })
  for (let token = await client.step(); token; ) {
    const answer = server.complete ? undefined : await server.step(token)
    token = answer && !client.complete ? await client.step(answer) : undefined
  }
  return { client, server }
}

describe('mechanisms (GSS_Acquire_cred, RFC 2743 §2.1.1)', () => {
  test('krb5 is the one unless said, SPNEGO negotiates it', async () => {
    for (const mechs of [undefined, [mechanismOids.krb5], [mechanismOids.spnego, mechanismOids.krb5]]) {
      using creds = await by('alice', mechs)
      expect(creds.mechs).toEqual([mechanismOids.krb5])
    }
    await expect(by('alice', [mechanismOids.ntlmssp])).rejects.toMatchObject({ major: 'GSS_S_BAD_MECH' })
    await expect(by('alice', [])).rejects.toMatchObject({ major: 'GSS_S_NO_CRED' })
  })

  test('IAKERB asks no KDC for its credentials: the acceptor of the context does', async () => {
    using creds = await by('alice', [mechanismOids.iakerb])
    expect([creds.mechs, creds.endtime]).toEqual([[mechanismOids.iakerb], undefined])
    const { client, server } = await pair(creds, await keys(), kerberos.iakerb)
    expect(server.initiatorName.text).toBe('alice@LAB.TEST')
    expect(server.decrypt(client.encrypt(utf8('by the acceptor')))).toEqual(utf8('by the acceptor'))
    const nobody = kerberos.acquire({ usage: 'initiate', mechs: [mechanismOids.iakerb] })
    await expect(nobody).rejects.toMatchObject({ major: 'GSS_S_NO_CRED' })
  })

  test('an acceptor of IAKERB has the keys of krb5', async () => {
    const store = { keytab: realm.keytab('HTTP/www.lab.test') }
    using creds = await kerberos.acquire({ usage: 'accept', mechs: [mechanismOids.krb5], store })
    using client = await by('bob', [mechanismOids.iakerb])
    expect((await pair(client, creds, kerberos.iakerb)).server.initiatorName.text).toBe('bob@LAB.TEST')
  })
})

describe('a replay cache of the credentials’ own (store.rcache)', () => {
  test('is shared by those who name the same file, and by nobody else', async () => {
    const rcache = `file2:${join(folder, 'rcache')}`
    using creds = await by('alice')
    const initiator = new SecurityContext({ usage: 'initiate', name: service, creds, mech: kerberos.krb5 })
    const token = (await initiator.step())!
    const accept = async (name: string | undefined, by = kerberos) => {
      const acceptor = new SecurityContext({ usage: 'accept', creds: await keys(name), mech: by.krb5 })
      return acceptor.step(token).then(
        () => 'accepted',
        (error) => error.major,
      )
    }
    expect(await accept(rcache)).toBe('accepted')
    expect(await accept(rcache)).toBe('GSS_S_DUPLICATE_TOKEN')
    expect(await accept(rcache, realm.kerberos())).toBe('GSS_S_DUPLICATE_TOKEN')
    expect(await accept(undefined)).toBe('accepted')
    expect(await accept(undefined)).toBe('GSS_S_DUPLICATE_TOKEN')
    expect(await accept('none:')).toBe('accepted')
    expect(await accept('none:')).toBe('accepted')
    await expect(keys('sqlite:/tmp/x')).rejects.toMatchObject({ code: 'REPLAY_CACHE_UNUSABLE' })
  })
})

describe('enctypes (gss_krb5_set_allowable_enctypes)', () => {
  test.each([17, 18])('tickets and subkeys have the only one that is said: %i', async (id) => {
    const only = enctypes.filter((enctype) => enctype.id === id)
    const name = Name.user('alice')
    const store = { password: 'alice-pw' }
    using creds = await kerberos.acquire({ usage: 'initiate', name, store, enctypes: only })
    const { client } = await pair(creds, await keys())
    expect(client.sessionKey().type).toBe(id)
  })
})

describe('confidentiality and integrity (GSS_KRB5_CRED_NO_CI_FLAGS_X)', () => {
  test.each([
    [false, undefined, ['confidentiality', 'integrity']],
    [true, undefined, []],
    [true, ['integrity'], ['integrity']],
  ] as const)('with noCiFlags %s, and asked for %s: %s', async (noCiFlags, flags, has) => {
    const store = { password: 'alice-pw' }
    using creds = await kerberos.acquire({ usage: 'initiate', name: Name.user('alice'), store, noCiFlags })
    using client = new SecurityContext({
      usage: 'initiate',
      name: service,
      creds,
      flags: flags ?? [],
      mech: kerberos.krb5,
    })
    using server = new SecurityContext({ usage: 'accept', creds: await keys(), mech: kerberos.krb5 })
    await server.step((await client.step())!)
    expect(['confidentiality', 'integrity'].filter((flag) => client.actualFlags.has(flag as 'integrity'))).toEqual(has)
    // messages are no worse for it, as with MIT's library
    expect(server.unwrap(client.wrap(utf8('text'), true).message)).toMatchObject({
      message: utf8('text'),
      encrypted: true,
    })
  })
})

describe('storing (GSS_Store_cred, RFC 5588)', () => {
  const at = (name: string) =>
    new Kerberos({ config: kerberos.config, environment: { configPaths: [], ccacheName: name } })

  test('tickets that are good give way only where that is said', async () => {
    using alice = await by('alice')
    using bob = await by('bob')
    const ccache = `FILE:${join(folder, 'cc')}`
    expect(await kerberos.store(alice, { ccache })).toEqual({ mechs: [mechanismOids.krb5], usage: 'initiate', ccache })
    await expect(kerberos.store(bob, { ccache })).rejects.toMatchObject({ major: 'GSS_S_DUPLICATE_ELEMENT' })
    await kerberos.store(bob, { ccache, overwrite: true, setDefault: true })
    using login = await kerberos.resume(ccache)
    expect(login.principal.components).toEqual(['bob'])
  })

  test('each client has its cache in a collection, and one is the default where that is said', async () => {
    const there = at(`DIR:${mkdtempSync(join(folder, 'caches-'))}`)
    using alice = await by('alice')
    using bob = await by('bob')
    const first = await there.store(alice)
    const second = await there.store(bob)
    expect(second.ccache).not.toBe(first.ccache)
    expect(await there.ccacheName()).toBe(first.ccache)
    await there.store(bob, { overwrite: true, setDefault: true })
    expect(await there.ccacheName()).toBe(second.ccache)
  })

  test('keys of services, and tickets that have expired, are not stored', async () => {
    await expect(kerberos.store(await keys(), { ccache: 'MEMORY:keys' })).rejects.toMatchObject({
      major: 'GSS_S_NO_CRED',
    })
    using login = await kerberos.login('alice', { password: 'alice-pw' })
    const tickets = [{ ...login.ticket, endtime: Math.floor(Date.now() / 1000) - 1 }]
    const old = Krb5Credential.credentials({ initiate: { client: login.principal, tickets } })
    await expect(kerberos.store(old, { ccache: 'MEMORY:old' })).rejects.toMatchObject({
      major: 'GSS_S_CREDENTIALS_EXPIRED',
    })
  })
})

describe('exported and imported (gss_export_cred, gss_import_cred)', () => {
  test('tickets that are in no file go along, and what was bought with them', async () => {
    using creds = await by('alice')
    await pair(creds, await keys())
    using again = await realm.kerberos().importCredentials(creds.export())
    expect([again.name!.text, again.usage, again.endtime]).toEqual(['alice@LAB.TEST', 'initiate', creds.endtime])
    expect((await pair(again, await keys())).server.initiatorName.text).toBe('alice@LAB.TEST')
  })

  test('credentials of IAKERB are a password, and are not exported', async () => {
    using creds = await by('alice', [mechanismOids.iakerb])
    expect(() => creds.export()).toThrow('GSS_S_UNAVAILABLE')
  })

  test('a token of another mechanism, or of none, is refused', async () => {
    const ntlm = Uint8Array.of(0, 0, 0, 10, 43, 6, 1, 4, 1, 130, 55, 2, 2, 10, 0, 0, 0, 0)
    await expect(kerberos.importCredentials(ntlm)).rejects.toMatchObject({ major: 'GSS_S_BAD_MECH' })
    await expect(kerberos.importCredentials(new Uint8Array())).rejects.toMatchObject({ major: 'GSS_S_NO_CRED' })
  })
})
