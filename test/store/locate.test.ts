/** Which servers a realm has, and in which order: krb5.conf, DNS URI, DNS SRV. RFC 2782, RFC 4120 §7.2.3, MIT krb5's admin guide. */
import { describe, expect, test } from 'vitest'
import { run } from '../../src/effects/index.ts'
import { krbConfig, type RealmServers } from '../../src/store/config.ts'
import { inOrder, type SrvRecord, serversOfUri, type UriRecord } from '../../src/store/dnsrecords.ts'
import { type DnsQuestions, locateRealm, locateServers, type ServerKind } from '../../src/store/locate.ts'
import { defaultRealmConfig, type KrbConfig } from '../../src/store/options.ts'
import { formatKdcAddress, type KdcAddress } from '../../src/store/servers.ts'
import { fixedEnv } from '../support/env.ts'

/** Draws these numbers of 32 bits, one after the other, and 0 from then on. */
function draws(...numbers: readonly number[]) {
  const left = [...numbers]
  return () => {
    const octets = new Uint8Array(4)
    new DataView(octets.buffer).setUint32(0, left.shift() ?? 0)
    return octets
  }
}
const srv = (priority: number, weight: number, target: string, port = 88): SrvRecord => ({
  priority,
  weight,
  target,
  port,
})

describe('records of one name (RFC 2782)', () => {
  test('go by priority, whatever their order', () => {
    const records = [srv(20, 0, 'c'), srv(0, 0, 'a'), srv(10, 5, 'b')]
    expect(inOrder(records, draws()).map(({ target }) => target)).toEqual(['a', 'b', 'c'])
  })

  test('of one priority go by weight and chance: the first whose sum is not below the number drawn', () => {
    const records = [srv(0, 1, 'light'), srv(0, 3, 'heavy'), srv(0, 0, 'never')]
    const order = (draw: number) => inOrder(records, draws(draw * 2 ** 32)).map(({ target }) => target)
    // Of 0 to 4: 0 is the weightless, 1 the light one, 2 to 4 the heavy one.
    expect([0, 0.21, 0.41, 0.61, 0.99].map((draw) => order(draw)[0])).toEqual([
      'never',
      'light',
      'heavy',
      'heavy',
      'heavy',
    ])
  })

  test('share the load as their weights have it', () => {
    const { random } = fixedEnv()
    const first = Array.from({ length: 2000 }, () => inOrder([srv(0, 10, 'a'), srv(0, 30, 'b')], random)[0]!.target)
    const share = first.filter((target) => target === 'b').length / first.length
    expect(share).toBeGreaterThan(0.7)
    expect(share).toBeLessThan(0.8)
  })

  test('are no more than 64', () =>
    expect(
      inOrder(
        Array.from({ length: 5000 }, (_, i) => srv(i, 0, `${i}`)),
        draws(),
      ),
    ).toHaveLength(64))
})

test('URI records name servers by transport and flags; what is not understood is let be', () => {
  const targets = [
    'krb5srv:m:udp:kdc1.lab.test',
    'krb5srv::tcp:kdc2.lab.test.:750',
    'KRB5SRV:MX:KKDCP:https://proxy.lab.test/KdcProxy',
    'krb5srv:m:kkdcp:http://plain.lab.test/',
    'krb5srv:m:carrier-pigeon:coop',
    'krb5srv:m:udp:https://x/',
    'https://elsewhere.test/',
    'krb5srv:m:udp:',
    'krb5srv:m:udp:[::1]:89',
  ]
  const records: UriRecord[] = targets.map((target, priority) => ({ priority, weight: 0, target }))
  expect(serversOfUri(records, 88, draws())).toEqual([
    { server: { host: 'kdc1.lab.test', port: 88, transport: 'udp' }, primary: true },
    { server: { host: 'kdc2.lab.test', port: 750, transport: 'tcp' }, primary: false },
    { server: { host: 'proxy.lab.test', port: 443, transport: 'https', path: '/KdcProxy' }, primary: true },
    { server: { host: '::1', port: 89, transport: 'udp' }, primary: true },
  ])
})

describe('the servers of a realm', () => {
  type Zone = Record<string, readonly (SrvRecord | UriRecord | string)[]>
  const find = async (
    kind: ServerKind,
    zone: Zone,
    more: Partial<Omit<KrbConfig, 'domainRealm'>> = {},
    servers?: RealmServers,
    realm = 'LAB.TEST',
  ) => {
    const asked: string[] = []
    const answer =
      (type: string) =>
      ({ name }: { name: string }) => {
        asked.push(`${type} ${name}`)
        return (zone[`${type} ${name}`] ?? []) as never
      }
    const config = krbConfig({ dnsLookupKdc: true, ...more, realms: servers ? { [realm]: servers } : {} })
    const site = more.realms?.get(realm)
    const found = await run<DnsQuestions, readonly KdcAddress[]>(
      locateServers(site ? { ...config, realms: more.realms! } : config, { realm, kind }, draws()),
      { srv: answer('SRV'), uri: answer('URI'), txt: answer('TXT') },
    )
    return { found: found.map(formatKdcAddress), asked }
  }
  const kdcs: Zone = {
    'SRV _kerberos._udp.LAB.TEST': [srv(0, 0, 'kdc1.lab.test.'), srv(1, 0, 'kdc2.lab.test')],
    'SRV _kerberos._tcp.LAB.TEST': [srv(0, 0, 'KDC1.lab.test'), srv(0, 0, 'kdc3.lab.test', 750)],
  }

  test('are those of krb5.conf, and the DNS is not asked', async () =>
    expect(await find('kdc', kdcs, {}, { kdc: ['a', 'https://p/x'] })).toEqual({
      found: ['a:88', 'https://p:443/x'],
      asked: [],
    }))

  test('are those of SRV records where there are no URI records, each by the transports it is named for', async () =>
    expect(await find('kdc', kdcs)).toEqual({
      found: ['kdc1.lab.test:88', 'udp/kdc2.lab.test:88', 'tcp/kdc3.lab.test:750'],
      asked: ['URI _kerberos.LAB.TEST', 'SRV _kerberos._udp.LAB.TEST', 'SRV _kerberos._tcp.LAB.TEST'],
    }))

  test('are those of URI records where there are any', async () => {
    const zone: Zone = { ...kdcs, 'URI _kerberos.LAB.TEST': [{ priority: 1, weight: 1, target: 'krb5srv::tcp:u' }] }
    expect(await find('kdc', zone)).toEqual({ found: ['tcp/u:88'], asked: ['URI _kerberos.LAB.TEST'] })
    expect((await find('kdc', zone, { dnsUriLookup: false })).found).toHaveLength(3)
  })

  test('are none where the DNS says so, or must not be asked, or cannot have the name', async () => {
    const refusal: Zone = {
      'SRV _kpasswd._udp.LAB.TEST': [srv(0, 0, '.', 0)],
      'SRV _kpasswd._tcp.LAB.TEST': [srv(0, 0, '.', 0)],
    }
    expect((await find('kpasswd', refusal)).found).toEqual([])
    expect(await find('kdc', kdcs, { dnsLookupKdc: false })).toEqual({ found: [], asked: [] })
    for (const realm of ['with space', 'a..b', '.', `${'x'.repeat(64)}.TEST`, `${'x.'.repeat(130)}TEST`, 'Ü.TEST'])
      expect([realm, await find('kdc', kdcs, {}, undefined, realm)]).toEqual([realm, { found: [], asked: [] }])
  })

  test('that know changed passwords are named so by krb5.conf, by a flag, or by a name of their own', async () => {
    const uri: Zone = {
      'URI _kerberos.LAB.TEST': [
        { priority: 1, weight: 1, target: 'krb5srv::udp:replica' },
        { priority: 2, weight: 1, target: 'krb5srv:m:udp:primary' },
      ],
    }
    expect((await find('primary', uri)).found).toEqual(['udp/primary:88'])
    const old: Zone = { 'SRV _kerberos-master._tcp.LAB.TEST': [srv(0, 0, 'm')] }
    expect((await find('primary', old)).found).toEqual(['tcp/m:88'])
    expect((await find('primary', { ...old, 'SRV _kerberos-primary._udp.LAB.TEST': [srv(0, 0, 'p')] })).found).toEqual([
      'udp/p:88',
    ])
    expect((await find('primary', {}, {}, { kdc: ['a'], primaryKdc: ['b'] })).found).toEqual(['b:88'])
    expect(await find('primary', old, {}, { kdc: ['a'] })).toEqual({ found: [], asked: [] })
  })

  test('that change passwords are at port 464 of the admin server where nothing else is known', async () => {
    expect((await find('kpasswd', {}, {}, { kdc: ['a'], kpasswdServer: ['b'] })).found).toEqual(['b:464'])
    const admin: Zone = { 'SRV _kerberos-adm._tcp.LAB.TEST': [srv(0, 0, 'adm', 749)] }
    expect((await find('kpasswd', admin)).found).toEqual(['adm:464'])
    const own: Zone = { 'SRV _kpasswd._udp.LAB.TEST': [srv(0, 0, 'pw', 464)] }
    expect((await find('kpasswd', { ...admin, ...own })).found).toEqual(['udp/pw:464'])
  })

  test('of a site of Active Directory come first', async () => {
    const zone: Zone = { ...kdcs, 'SRV _kerberos._tcp.Oslo._sites.dc._msdcs.LAB.TEST': [srv(0, 0, 'kdc2.lab.test')] }
    const realms = new Map([['LAB.TEST', { ...defaultRealmConfig, siteName: 'Oslo' }]])
    expect((await find('kdc', zone, { realms, dnsUriLookup: false })).found).toEqual([
      'kdc2.lab.test:88',
      'kdc1.lab.test:88',
      'tcp/kdc3.lab.test:750',
    ])
  })
})

describe('the realm of a host', () => {
  const realmOf = async (
    host: string,
    more: Partial<Omit<KrbConfig, 'realms' | 'domainRealm'>>,
    zone: Record<string, readonly string[]> = {},
  ) => {
    const asked: string[] = []
    const config = krbConfig({
      ...more,
      realms: { 'SUB.LAB.TEST': { kdc: ['a'] } },
      domainRealm: { '.known.test': 'KNOWN' },
    })
    const realm = await run<DnsQuestions, string>(locateRealm(config, host, draws()), {
      srv: () => [],
      uri: () => [],
      txt: ({ name }) => {
        asked.push(name)
        return zone[name] ?? []
      },
    })
    return { realm, asked }
  }

  test('is what [domain_realm] says, and nobody is asked', async () =>
    expect(await realmOf('www.known.test', { dnsLookupRealm: true })).toEqual({ realm: 'KNOWN', asked: [] }))

  test('is what TXT records of the host or its domains say, where that is allowed', async () => {
    const zone = { '_kerberos.lab.test': ['LAB.TEST'] }
    expect(await realmOf('www.sub.lab.test', { dnsLookupRealm: true }, zone)).toEqual({
      realm: 'LAB.TEST',
      asked: ['_kerberos.www.sub.lab.test', '_kerberos.sub.lab.test', '_kerberos.lab.test'],
    })
    expect(await realmOf('www.sub.lab.test', {}, zone)).toEqual({ realm: '', asked: [] })
    expect(await realmOf('192.0.2.1', { dnsLookupRealm: true }, zone)).toEqual({ realm: '', asked: [] })
  })

  test('is the nearest domain that has a KDC, as realm_try_domains has it', async () => {
    expect((await realmOf('www.sub.lab.test', { realmTryDomains: 1 })).realm).toBe('SUB.LAB.TEST')
    expect((await realmOf('www.sub.lab.test', { realmTryDomains: 0 })).realm).toBe('')
  })
})
