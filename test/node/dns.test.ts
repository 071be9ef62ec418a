/** Finding KDCs in the DNS, against a name server on loopback. RFC 2782, RFC 7553, RFC 1035 §4.2. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { dnsWorld } from '../../src/node/dns.ts'
import { Kerberos } from '../../src/node/kerberos.ts'
import { startRealm } from '../../src/node/realm.ts'
import { krbConfig } from '../../src/store/config.ts'
import { startDns } from '../support/dns.ts'

const environment = { configPaths: [] }
const config = krbConfig({ defaultRealm: 'LAB.TEST', dnsLookupKdc: true, dnsLookupRealm: true })
const world = (servers: readonly string[], timeout = 2000) => {
  const failures: string[] = []
  const onFailure = (name: string, reason: string) => void failures.push(`${name}: ${reason}`)
  return { ...dnsWorld({ servers, timeout, onFailure }), failures }
}

test('a login finds its KDC by SRV records, and does not ask again for a minute', async () => {
  await using realm = await startRealm({ users: { alice: 'secret' }, services: ['HTTP/localhost'] })
  await using dns = await startDns({ '_kerberos._tcp.LAB.TEST': { srv: [`0 0 ${realm.port} localhost`] } })
  const kerberos = new Kerberos({ config, environment, dnsServers: [dns.address] })
  using alice = await kerberos.login('alice', { password: 'secret' })
  expect(alice.kdc).toMatch(new RegExp(`^localhost:${realm.port}.* \\(TCP\\)$`))
  expect(dns.asked.map((name) => name.replace('lab.test', 'LAB.TEST'))).toEqual([
    'URI _kerberos.LAB.TEST',
    'SRV _kerberos._udp.LAB.TEST',
    'SRV _kerberos._tcp.LAB.TEST',
  ])
})

test('a login finds its KDC by URI records, by TCP where they do not fit a datagram', async () => {
  await using realm = await startRealm({ users: { alice: 'secret' } })
  const uri = [`0 0 krb5srv:m:udp:127.0.0.1:${realm.port}`]
  for (const truncate of [false, true]) {
    await using dns = await startDns({ '_kerberos.LAB.TEST': { uri } }, { truncate })
    const kerberos = new Kerberos({ config, environment, dnsServers: [dns.address] })
    using alice = await kerberos.login('alice', { password: 'secret' })
    expect(alice.kdc).toBe(`127.0.0.1:${realm.port} (UDP)`)
  }
})

test('where the DNS knows none, the error says what was asked in vain', async () => {
  await using dns = await startDns({})
  const login = (dnsServers: readonly string[]) =>
    new Kerberos({ config, environment, dnsServers, dnsTimeout: 1500 }).login('alice', { password: 'x' })
  await expect(login([dns.address])).rejects.toMatchObject({
    name: 'TransportError',
    attempts: [],
    message: expect.stringMatching(
      /no KDC is known; name one as kdc = host:port .* or publish SRV records of _kerberos\._udp\.LAB\.TEST/,
    ),
  })
  await using broken = await startDns({}, { rcode: 2 })
  const attempts = [
    { kdc: 'DNS URI _kerberos.LAB.TEST', reason: 'the resolver answered with code 2' },
    { kdc: 'DNS SRV _kerberos._udp.LAB.TEST', reason: 'the resolver failed' },
    { kdc: 'DNS SRV _kerberos._tcp.LAB.TEST', reason: 'the resolver failed' },
  ]
  await expect(login([broken.address])).rejects.toMatchObject({ attempts })
})

test('the realm of a host by TXT records', async () => {
  await using dns = await startDns({ '_kerberos.lab.test': { txt: ['LAB.TEST'] } })
  const kerberos = new Kerberos({ config, environment, dnsServers: [dns.address] })
  expect(await kerberos.realmOf('www.lab.test')).toBe('LAB.TEST')
  expect(await kerberos.realmOf('elsewhere.test')).toBe('')
})

test('answers to another question, of another number, or that are noise are passed over; a silent resolver is told', async () => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  socket.on('message', (query, { port, address }) => {
    const answer = Buffer.from(query)
    answer[2] = 0x80
    const other = (at: number) => answer.map((octet, i) => (i === at ? octet ^ 1 : octet))
    for (const octets of [query, Buffer.from('noise'), Buffer.alloc(0), other(0), other(13)])
      socket.send(octets, port, address)
  })
  const { uri, failures } = world([`127.0.0.1:${socket.address().port}`], 300)
  expect(await uri({ name: '_kerberos.lab.test' })).toEqual([])
  expect(failures).toEqual(['URI _kerberos.lab.test: the resolver did not answer'])
  socket.close()
})

test('the next resolver is asked where one does not answer', async () => {
  await using dns = await startDns({ '_kerberos.lab.test': { uri: ['1 2 krb5srv:m:udp:a'] } })
  const { uri, failures } = world(['127.0.0.1:9', dns.address])
  expect(await uri({ name: '_kerberos.lab.test' })).toEqual([{ priority: 1, weight: 2, target: 'krb5srv:m:udp:a' }])
  expect(failures).toEqual([])
})
