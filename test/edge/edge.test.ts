/** Kerberos by the web platform alone, against our own KDC. */
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes/index.ts'
import { Name, SecurityContext } from '../../src/gss/index.ts'
import { createNegotiateFetch } from '../../src/http/client.ts'
import { TransportError } from '../../src/krb5/errors.ts'
import { formatPrincipal } from '../../src/krb5/names.ts'
import { greeter, memoryRealm, proxyFetch, streamTo } from './realm.ts'

const PROXY = 'https://proxy.lab.test/KdcProxy'
const www = Name.hostbased('HTTP@www.lab.test')

test('alice logs in through a KDC proxy by fetch, and opens a page with mutual authentication', async () => {
  const realm = memoryRealm()
  const kerberos = realm.kerberos(PROXY, { fetch: proxyFetch(realm.proxy) })
  using alice = await kerberos.login('alice', { password: 'secret' })
  expect(formatPrincipal(alice.principal)).toBe('alice@LAB.TEST')
  const send = greeter(realm.kerberos(PROXY), realm.keytab)
  const negotiate = createNegotiateFetch({ mech: kerberos.spnego, credentials: alice.credentials, fetch: send })
  expect(await (await negotiate('https://www.lab.test/')).text()).toBe('Hello, alice@LAB.TEST!')
})

test('a service logs in by its keytab over a stream, and seals a message', async () => {
  const realm = memoryRealm()
  const kerberos = realm.kerberos('kdc.lab.test', { connect: streamTo(realm.respond) })
  using service = await kerberos.login('HTTP/www.lab.test', { keytab: realm.keytab })
  const client = new SecurityContext({
    ...{ usage: 'initiate', name: www, creds: service.credentials, mech: kerberos.krb5 },
  })
  const server = new SecurityContext({
    ...{ usage: 'accept', creds: kerberos.acceptor(realm.keytab, 'HTTP/www.lab.test'), mech: kerberos.krb5 },
  })
  await client.step(await server.step((await client.step())!))
  expect(server.unwrap(client.wrap(utf8('hello'), true).message).message).toEqual(utf8('hello'))
})

describe('A transport without sockets', () => {
  const failure = async (options: Parameters<ReturnType<typeof memoryRealm>['kerberos']>[1], kdc = PROXY) => {
    const error: unknown = await memoryRealm()
      .kerberos(kdc, options)
      .login('alice', { password: 'secret' })
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(TransportError)
    return (error as TransportError).attempts.map(({ reason }) => reason).join()
  }
  test('says what to do about a KDC that has no proxy', async () =>
    expect(await failure({}, 'kdc.lab.test')).toMatch(/name one as https:\/\/host\/KdcProxy, or pass connect/))
  test.each([
    ['that fails', async () => new Response('no', { status: 503 }), /status 503/],
    ['that sends elsewhere', async () => Response.redirect('https://evil.test/', 307), /status 307/],
    ['that talks of something else', async () => new Response('<html>'), /text\/plain/],
    ['that sends no end of rubbish', async () => new Response(endless(), kerberosType), /more than 8388608 octets/],
    ['that sends nothing', async () => new Response(null, kerberosType), /no KDC-PROXY-MESSAGE/],
  ])('does not take a proxy %s', async (_, fetch, reason) => expect(await failure({ fetch })).toMatch(reason))
  test.each([
    ['silent', streamTo(() => new Promise(() => {})), /timeout/],
    ['curt', streamTo(async () => undefined), /closed after 0 of the 4 octets/],
    ['confused', streamTo(async () => utf8('SSH-2.0')), /7 octets came that are no reply/],
  ])('gives a %s KDC up', async (_, connect, reason) =>
    expect(await failure({ connect, attemptTimeout: 200 }, 'kdc.lab.test')).toMatch(reason),
  )
})

const kerberosType = { headers: { 'content-type': 'application/kerberos' } }
const endless = () =>
  new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(1 << 20)) })

test('nothing that kerb/edge imports is a module of Node', async () => {
  const { metafile } = await build({
    entryPoints: ['src/edge/index.ts'],
    ...{ bundle: true, write: false, metafile: true, format: 'esm', logLevel: 'silent' },
  })
  const inputs = Object.keys(metafile.inputs)
  expect(inputs).toContain('src/edge/kerberos.ts')
  expect(inputs.filter((path) => path.startsWith('node:') || path.startsWith('src/node/'))).toEqual([])
  expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([])
})
