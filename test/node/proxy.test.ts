/** KDCs behind an HTTPS proxy, ours and hostile ones: [MS-KKDCP]. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../src/bytes/index.ts'
import { createKdcProxy, MAX_PROXY_REQUEST, type ProxiedMessage } from '../../src/kdc/proxy.ts'
import { openEnvelope, sealEnvelope } from '../../src/krb5/proxy.ts'
import { readAnchors } from '../../src/node/anchors.ts'
import { kdcProxyListener } from '../../src/node/kdcproxy.ts'
import { Kerberos, type KerberosOptions } from '../../src/node/kerberos.ts'
import { startRealm } from '../../src/node/realm.ts'
import { kdcTransport } from '../../src/node/transport.ts'
import { krbConfig } from '../../src/store/config.ts'
import { certificate, privateKey } from '../support/tls.ts'

const folder = mkdtempSync(join(tmpdir(), 'kerb-proxy-'))
afterAll(() => rmSync(folder, { recursive: true }))
const anchors = join(folder, 'ca.pem')
writeFileSync(anchors, certificate)

async function listening(listener: RequestListener) {
  const server = createServer({ cert: certificate, key: privateKey }, listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `https://localhost:${(server.address() as AddressInfo).port}/KdcProxy`, [Symbol.dispose]: stop }
}
const configFor = (url: string, httpAnchors: readonly string[] = [`FILE:${anchors}`]) =>
  krbConfig({ defaultRealm: 'LAB.TEST', realms: { 'LAB.TEST': { kdc: [url], httpAnchors } } })
const kerberosFor = (url: string, more: KerberosOptions = {}) =>
  new Kerberos({ config: configFor(url), environment: { configPaths: [] }, attemptTimeout: 2000, ...more })

test('the envelope is python3-kdcproxy 1.0.0’s, octet for octet', () => {
  expect(toHex(sealEnvelope(utf8('abc')))).toBe('300ba009040700000003616263')
  const told = '301fa009040700000003616263a10a1b084c41422e54455354a206020440000000'
  expect(openEnvelope(fromHex(told))).toEqual({ message: utf8('abc'), realm: 'LAB.TEST' })
})

test.each([
  '',
  '3000',
  '300ba009040700000004616263',
  '3009a007040500000003 61'.replace(' ', ''),
  '300ba00904070000000361626300',
  '6b00',
])('the envelope %j is none', (hex) =>
  expect(() => openEnvelope(fromHex(hex))).toThrow(expect.objectContaining({ code: 'REPLY_MALFORMED' })),
)

describe('our proxy', () => {
  const request = sealEnvelope(fromHex('6a00'), 'LAB.TEST')
  const seen: ProxiedMessage[] = []
  const proxy = createKdcProxy((message) => {
    seen.push(message)
    return message.realm === 'LAB.TEST' ? fromHex('6b00') : undefined
  })

  test('passes a message on to the realm it names, requests to change passwords to who changes them', async () => {
    const { status, headers, body } = await proxy({ method: 'POST', body: request })
    expect([status, headers, toHex(openEnvelope(body).message)]).toEqual([
      200,
      { 'content-type': 'application/kerberos' },
      '6b00',
    ])
    await proxy({ method: 'POST', body: sealEnvelope(fromHex('00060001'), 'LAB.TEST') })
    expect(seen.map(({ realm, service }) => [realm, service])).toEqual([
      ['LAB.TEST', 'kdc'],
      ['LAB.TEST', 'kpasswd'],
    ])
  })

  test.each<[number, string, string, Uint8Array]>([
    [405, 'another method', 'GET', new Uint8Array(0)],
    [413, 'too long a request', 'POST', new Uint8Array(MAX_PROXY_REQUEST + 1)],
    [400, 'noise', 'POST', utf8('hello')],
    [400, 'a message for nobody', 'POST', sealEnvelope(fromHex('6a00'))],
    [400, 'no message', 'POST', sealEnvelope(new Uint8Array(0), 'LAB.TEST')],
    [503, 'a realm without a KDC', 'POST', sealEnvelope(fromHex('6a00'), 'ELSEWHERE.TEST')],
  ])('answers %i to %s', async (status, _, method, body) => expect((await proxy({ method, body })).status).toBe(status))
})

describe('a login through a proxy', () => {
  test('by node:https, whose CA is named by http_anchors', async () => {
    await using realm = await startRealm({ users: { alice: 'secret' }, services: ['HTTP/localhost'] })
    const kdc = kdcTransport({ config: realm.config })
    using site = await listening(kdcProxyListener(createKdcProxy(async (message) => (await kdc(message)).message)))
    using alice = await kerberosFor(site.url).login('alice', { password: 'secret' })
    expect(alice.kdc).toBe(site.url)
  })

  test('by a fetch of the caller’s own', async () => {
    await using realm = await startRealm({ users: { alice: 'secret' } })
    const kdc = kdcTransport({ config: realm.config })
    const proxy = createKdcProxy(async (message) => (await kdc(message)).message)
    const asked: string[] = []
    const fetch = async (url: unknown, init: RequestInit = {}) => {
      asked.push(`${init.method} ${url} ${new Headers(init.headers).get('content-type')} ${init.redirect}`)
      const { status, headers, body } = await proxy({ method: 'POST', body: init.body as Uint8Array })
      return new Response(new Uint8Array(body), { status, headers })
    }
    using alice = await kerberosFor('https://proxy.example/KdcProxy', { fetch }).login('alice', { password: 'secret' })
    expect(alice.kdc).toBe('https://proxy.example:443/KdcProxy')
    expect(asked[0]).toBe('POST https://proxy.example:443/KdcProxy application/kerberos manual')
  })

  test.each<[string, RequestListener, RegExp]>([
    ['an error', (_, response) => response.writeHead(503).end(), /answered with status 503/],
    [
      'a redirection',
      (_, response) => response.writeHead(307, { location: 'https://localhost:1/' }).end(),
      /answered with status 307/,
    ],
    [
      'a page',
      (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
      /with text\/html, not with application\/kerberos/,
    ],
    ['noise', (_, response) => response.end('noise'), /no KDC-PROXY-MESSAGE/],
    [
      'another length',
      (_, response) => response.end(fromHex('300ba009040700000004616263')),
      /3 octets after a length of 4/,
    ],
    [
      'no answer of a KDC',
      (_, response) => response.end(sealEnvelope(utf8('abc'))),
      /3 octets came that are no reply of a KDC/,
    ],
    ['silence', () => undefined, /no answer in 0\.3 s/],
    [
      'a stream without end',
      (_, response) => {
        response.on('error', () => undefined)
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
          if (!response.destroyed) response.once('drain', more)
        }
        more()
      },
      /more than 8388608 octets/,
    ],
  ])('that answers with %s says so', async (kind, listener, reason) => {
    using site = await listening(listener)
    const login = kerberosFor(site.url, { attemptTimeout: kind === 'silence' ? 300 : 5000 }).login('alice', {
      password: 'x',
    })
    await expect(login).rejects.toMatchObject({
      name: 'TransportError',
      attempts: [{ kdc: site.url, reason: expect.stringMatching(reason) }],
    })
  })

  test('whose certificate is of nobody we trust is refused, and so is an anchor that is none', async () => {
    using site = await listening((_, response) => void response.end())
    const attempt = (httpAnchors: readonly string[]) =>
      kerberosFor(site.url, { config: configFor(site.url, httpAnchors) }).login('alice', { password: 'x' })
    await expect(attempt([])).rejects.toThrow(/of no CA that is trusted here; name its CA as http_anchors/)
    await expect(attempt(['FILE:/nowhere'])).rejects.toThrow(/FILE:\/nowhere: cannot be read \(ENOENT\)/)
  })
})

test('anchors are files, folders of files, and variables that name them (krb5.conf(5), http_anchors)', () => {
  process.env['KERB_TEST_ANCHORS'] = `FILE:${anchors}`
  for (const place of [`FILE:${anchors}`, `DIR:${folder}`, 'ENV:KERB_TEST_ANCHORS', anchors])
    expect(readAnchors([place])).toBe(certificate)
  expect(readAnchors([])).toBeUndefined()
  process.env['KERB_TEST_ANCHORS'] = 'ENV:KERB_TEST_ANCHORS'
  expect(() => readAnchors(['ENV:KERB_TEST_ANCHORS'])).toThrow(/the variable names no place/)
  delete process.env['KERB_TEST_ANCHORS']
  expect(() => readAnchors(['FILE:/etc/hostname'])).toThrow(/there is no certificate in PEM/)
})
