/** What runs where: the portable tests in every runtime, against a KDC, a proxy and a server of this process. */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { delimiter } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createNegotiateAcceptor, negotiateListener } from '../../src/http/index.ts'
import { createKdcProxy } from '../../src/kdc/proxy.ts'
import { kdcProxyListener, startRealm } from '../../src/node/index.ts'
import { kdcTransport } from '../../src/node/transport.ts'
import { run } from '../lab/process.ts'
import type { Place, Told } from './place.ts'
import { installRuntimes, nodeFolder, pageScript, runtimes } from './runtimes.ts'

const HTML = '<!doctype html><title>kerb</title><script type="module" src="/page.mjs"></script>'

/** Fewer would mean that the vectors were left out. */
const VECTORS = 200

let place: Place
let tell: (told: Told) => void
const stops: (() => unknown)[] = []

beforeAll(async () => {
  await installRuntimes()
  const realm = await startRealm({ users: { alice: 'secret' }, services: ['HTTP/www.lab.test'] })
  stops.push(() => realm[Symbol.asyncDispose]())
  const kerberos = realm.kerberos()
  const credentials = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/www.lab.test') } })
  const send = kdcTransport({ config: realm.config })
  const proxy = kdcProxyListener(createKdcProxy(async (message) => (await send(message)).message))
  const protectedPage = negotiateListener<IncomingMessage, ServerResponse>(
    createNegotiateAcceptor({ mech: kerberos.spnego, credentials }),
    (_, response, { initiator }) => response.end(`Hello, ${initiator}!`),
  )
  const server = createServer(async (request, response) => {
    if (request.url === '/KdcProxy') return proxy(request, response)
    if (request.url === '/page') return protectedPage(request, response)
    if (request.url === '/page.mjs') response.setHeader('content-type', 'text/javascript').end(pageScript())
    else if (request.url === '/told') {
      tell(JSON.parse(Buffer.concat(await request.toArray()).toString()) as Told)
      response.end()
    } else response.setHeader('content-type', 'text/html').end(HTML)
  }).listen(0, '127.0.0.1')
  stops.push(
    () => server.closeAllConnections(),
    () => server.close(),
  )
  await once(server, 'listening')
  place = { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, kdc: `${realm.host}:${realm.port}` }
})
afterAll(() => Promise.all(stops.map((stop) => stop())))

describe('What runs where', () => {
  const rows: string[] = []
  test.each(Object.entries(runtimes))('everything portable runs in %s', async (name, { by, run }) => {
    const telling = new Promise<Told>((resolve) => (tell = resolve))
    const { stdout, ...more } = await run(place, telling)
    if (stdout.startsWith('{')) tell(JSON.parse(stdout) as Told)
    const told = await Promise.race([telling, stopped(stdout, more)])
    expect(told.failures).toEqual([])
    expect(told.tests).toBeGreaterThan(VECTORS)
    if (/\d$/.test(name)) expect(told.version.startsWith(`${name}.`), told.version).toBe(true)
    rows.push(`| ${name} | ${told.providers} | ${by} | ${told.tests} |`)
  })
  test('the README has the table of this run', () => {
    const head = '| runtime | primitives | reaches KDCs by | tests |\n|---|---|---|---|\n'
    const table = `<!-- runtimes -->\n${head}${rows.join('\n')}\n<!-- /runtimes -->`
    const readme = readFileSync('README.md', 'utf8')
    const written = readme.replace(/<!-- runtimes -->[\s\S]*<!-- \/runtimes -->/, table)
    if (process.env['KERB_WRITE_TABLES']) writeFileSync('README.md', written)
    else expect(readme).toBe(written)
  })
})

test.each([
  [24, 'as it is', 'node', ['examples/delegation/main.ts']],
  [22, 'by npm run example', 'npm', ['run', '--silent', 'example']],
  [20, 'by npm run example', 'npm', ['run', '--silent', 'example']],
] as const)('Node %i runs examples/delegation %s', async (version, _, command, args) => {
  const PATH = `${nodeFolder(version)}${delimiter}${process.env['PATH']}`
  const { code, stdout } = await run(command, args, { env: { PATH }, timeout: 60_000 })
  expect([code, stdout]).toEqual([0, expect.stringContaining('  200 The papers of bob@LAB.TEST\n')])
})

/** Fails when a runtime has ended and not told within a second what came of it. */
const stopped = (stdout: string, more: object) =>
  new Promise<never>((_, reject) =>
    setTimeout(() => reject(new TypeError(`it told nothing: ${stdout} ${JSON.stringify(more)}`)), 1_000),
  )
