/** Tickets that come by themselves out of the client keytab, as with MIT's gss_acquire_cred (krb5.conf(5), default_client_keytab_name). */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { Name } from '../../src/gss/name.ts'
import type { TraceEvent } from '../../src/krb5/trace.ts'
import { Kerberos } from '../../src/node/kerberos.ts'
import { type Realm, startRealm } from '../../src/node/realm.ts'
import { cacheConfig, configEntry } from '../../src/store/cacheconfig.ts'
import { parseKeytab } from '../../src/store/keytab.ts'

const few = { enctypes: [enctypes[0]!] }
let realm: Realm

beforeAll(async () => {
  realm = await startRealm({
    users: { robot: { password: 'r2d2', ...few }, other: { password: 'c3po', ...few } },
    services: { 'host/www': few },
  })
})
afterAll(() => realm[Symbol.asyncDispose]())

/** Kerberos with robot's keys for a client keytab and a ccache of its own, and how often it has logged in. */
async function client() {
  const events: TraceEvent[] = []
  const environment = { configPaths: [], ccacheName: 'MEMORY:robot', clientKeytabName: 'MEMORY:client' }
  const kerberos = new Kerberos({ environment, config: realm.config, trace: (event) => events.push(event) })
  await kerberos.keytabs.resolve('MEMORY:client').add(...parseKeytab(realm.keytab('robot', 'other')).entries)
  const acquire = (name?: string) =>
    kerberos.acquire({ usage: 'initiate', name: name === undefined ? undefined : Name.user(name) })
  const logins = () => events.filter(({ kind }) => kind === 'ticket').length
  const cache = await kerberos.caches.resolve('MEMORY:robot')
  return { acquire, logins, cache, kerberos }
}

test('there are no tickets: the first client of the keytab logs in, once', async () => {
  const { acquire, logins, cache } = await client()
  expect((await acquire()).name?.text).toBe('robot@LAB.TEST')
  expect((await acquire()).name?.text).toBe('robot@LAB.TEST')
  expect(logins()).toBe(1)
  const contents = await cache.read()
  const { starttime, endtime } = contents.entries.find(({ server }) => server.components[0] === 'krbtgt')!
  expect(Number(cacheConfig(contents, 'refresh_time'))).toBe(Math.floor((starttime + endtime) / 2))
})

test('a client is named: its key is looked for, and nobody else logs in', async () => {
  expect((await (await client()).acquire('other')).name?.text).toBe('other@LAB.TEST')
  await expect((await client()).acquire('alice')).rejects.toMatchObject({ code: 'NO_TICKET' })
})

test('the time has come to refresh them: new ones are got, unless that fails', async () => {
  const { acquire, logins, cache, kerberos } = await client()
  await acquire()
  const { principal } = await cache.read()
  const overdue = async () => {
    await cache.remove(({ server }) => server.components[1] === 'refresh_time')
    await cache.add(configEntry(principal, 'refresh_time', '1'))
  }
  await overdue()
  await acquire()
  expect(logins()).toBe(2)
  await overdue()
  realm.database.add('robot', { password: 'another', ...few })
  await acquire()
  expect(logins()).toBe(2)
  await cache.destroy()
  await expect(acquire()).rejects.toMatchObject({ code: 'KDC_ERR_PREAUTH_FAILED' })
  await kerberos.keytabs.resolve('MEMORY:client').remove(() => true)
  await expect(acquire()).rejects.toMatchObject({ code: 'NO_TICKET' })
})
