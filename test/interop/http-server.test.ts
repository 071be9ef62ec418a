/** Our Negotiate server, and other people's clients: curl, and Python's requests-kerberos, kerberos and gssapi. */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type ChannelBindings, tlsServerEndPoint } from 'kerb/gss'
import { createNegotiateAcceptor, type FailureReason, negotiateListener } from 'kerb/http'
import { expect, test } from 'vitest'
import { keytab, lab, peer, program, run, scratch } from '../lab/index.ts'
import { curlBackports } from '../lab/peers.ts'
import { kerberosOf } from '../support/contexts.ts'
import { freshEnv } from '../support/kerb.ts'
import { certificate, privateKey } from '../support/tls.ts'

/** What the server knew of a request. */
interface Seen {
  readonly method: string | undefined
  readonly octets: number
  readonly delegated: string | undefined
  readonly bound: boolean
}

interface Served {
  readonly keys?: string
  readonly tls?: boolean
  /** Those of the certificate unless said. */
  readonly bindings?: ChannelBindings
}

async function serve({ keys = keytab('HTTP'), tls = false, bindings }: Served = {}) {
  const kerberos = kerberosOf(lab.mit.env)
  const credentials = await kerberos.acquire({ usage: 'accept', store: { keytab: keys } })
  const channelBindings = bindings ?? (tls ? tlsServerEndPoint(new X509Certificate(certificate).raw) : undefined)
  const failures: unknown[] = []
  const reasons: FailureReason[] = []
  const seen: Seen[] = []
  const listener = negotiateListener<IncomingMessage, ServerResponse>(
    createNegotiateAcceptor({ mech: kerberos.spnego, credentials, channelBindings }),
    async (request, response, { initiator, context }) => {
      using delegated = context!.delegatedCredentials
      let octets = 0
      for await (const chunk of request) octets += (chunk as Buffer).length
      const bound = context!.actualFlags.has('channelBound')
      seen.push({ method: request.method, octets, delegated: delegated?.name?.text, bound })
      if (request.url === '/missing') response.statusCode = 404
      response.end(`Hello, ${initiator}\n`)
    },
    {
      onFailure(error, reason) {
        failures.push(error)
        reasons.push(reason)
      },
    },
  )
  const settings = { maxHeaderSize: 65_536, key: privateKey, cert: certificate }
  const server = tls ? createTlsServer(settings, listener) : createServer(settings, listener)
  let connections = 0
  let requests = 0
  server.on(tls ? 'secureConnection' : 'connection', () => connections++)
  server.on('request', () => requests++)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    ...{ url: `${tls ? 'https' : 'http'}://localhost:${port}/`, port, failures, reasons, seen },
    counted: () => ({ connections, requests }),
    [Symbol.dispose]: () => void server.close(),
  }
}

/** An environment of alice's, logged in by MIT's kinit. */
async function alice(): Promise<Record<string, string>> {
  const env = freshEnv()
  expect((await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).code).toBe(0)
  return env
}

const hello = 'Hello, alice@LAB.TEST\n'

peer(['mit', 'curl'], 'curl --negotiate at our server', () => {
  const curl = (args: readonly string[], env: Record<string, string>, input = '') =>
    run('curl', ['-s', '--negotiate', '-u', ':', ...args], { env, input })

  test('is let in as alice, with the token that proves the server', async () => {
    using site = await serve()
    const { stdout } = await curl(['-i', site.url], await alice())
    expect(stdout).toMatch(
      /HTTP\/1\.1 200 OK\r\n[\s\S]*www-authenticate: Negotiate \S{20,}\r\n[\s\S]*Hello, alice@LAB\.TEST\n/i,
    )
    expect(site.failures).toEqual([])
  })

  test.each([
    ['localhost', 'none', undefined],
    ['localhost', 'policy', 'alice@LAB.TEST'],
    ['localhost', 'always', 'alice@LAB.TEST'],
    ['svc.lab.test', 'policy', undefined],
    ['svc.lab.test', 'always', 'alice@LAB.TEST'],
  ])('hands over to %s by --delegation %s: %s', async (host, policy, delegated) => {
    using site = await serve()
    const to = ['--resolve', `svc.lab.test:${site.port}:127.0.0.1`, `http://${host}:${site.port}/`]
    expect((await curl(['--delegation', policy, ...to], await alice())).stdout).toBe(hello)
    expect(site.seen).toEqual([{ method: 'GET', octets: 0, delegated, bound: false }])
  })

  test('gets several pages over one connection, each as alice', async () => {
    using site = await serve()
    const { stdout } = await curl([site.url, site.url, site.url], await alice())
    expect(stdout).toBe(hello.repeat(3))
    expect(site.seen).toHaveLength(3)
    expect(site.counted().connections).toBe(1)
    expect(site.failures).toEqual([])
  })

  test('has its body sent once the server knows who is there', async () => {
    using site = await serve()
    const file = join(scratch(), 'body')
    writeFileSync(file, 'x'.repeat(100_000))
    expect((await curl(['--data-binary', `@${file}`, site.url], await alice())).stdout).toBe(hello)
    expect(site.seen).toEqual([{ method: 'POST', octets: 100_000, delegated: undefined, bound: false }])
  })

  test('with the wrong keys is refused, the log is told why, and the client nothing', async () => {
    using site = await serve({ keys: keytab('wrong') })
    const { stdout } = await curl(['-i', site.url], await alice())
    expect(stdout).not.toContain('200 OK')
    expect(stdout).not.toMatch(/KRB_AP_ERR|keytab|key version/)
    expect(String(site.failures[0])).toMatch(/KRB_AP_ERR_MODIFIED: .*HTTP\/localhost@LAB\.TEST.*export its keytab anew/)
  })

  test('has a token of it refused that was sent before', async () => {
    using site = await serve()
    const env = await alice()
    const trace = join(scratch(), 'replayed')
    await curl(['--trace-ascii', trace, site.url], env)
    const sent = readFileSync(trace, 'latin1')
      .split('\n')
      .flatMap((line) => /^[0-9a-f]{4}: (.*)$/.exec(line)?.[1] ?? [])
      .join('')
    const [, token] = /Authorization: Negotiate ([A-Za-z0-9+/=]+?)(?=User-Agent|Accept|$)/.exec(sent) ?? []
    const again = await fetch(site.url, { headers: { authorization: `Negotiate ${token}` } })
    expect(again.status).toBe(401)
    expect(String(site.failures.at(-1))).toContain('KRB_AP_ERR_REPEAT')
  })
})

peer(['mit', 'newcurl'], 'curl 8.14 --negotiate at our server', () => {
  async function curl(url: string) {
    const [folder, usr] = [scratch(), join(curlBackports, 'usr')]
    const ca = join(folder, 'ca.pem')
    writeFileSync(ca, certificate)
    const libraries = readdirSync(join(usr, 'lib')).map((name) => join(usr, 'lib', name))
    const env = { ...(await alice()), LD_LIBRARY_PATH: libraries.join(':') }
    const args = ['-s', '--negotiate', '-u', ':', '--cacert', ca, '-w', '%{http_code}']
    return (await run(join(usr, 'bin/curl'), [...args, url], { env })).stdout
  }

  test('binds its token to the certificate', async () => {
    using site = await serve({ tls: true })
    expect(await curl(site.url)).toBe(`${hello}200`)
    expect(site.seen).toMatchObject([{ bound: true }])
  })

  test('is refused where another certificate is bound to', async () => {
    const another = { applicationData: new TextEncoder().encode(`tls-server-end-point:${'?'.repeat(32)}`) }
    using site = await serve({ tls: true, bindings: another })
    expect(await curl(site.url)).toBe('401')
    expect(site.reasons).toEqual(['channel-bindings'])
  })
})

peer(['mit', 'requests', 'gssapi'], 'Python at our server', () => {
  /** What http_client.py says of the pages that it got, or how it failed. */
  async function get(how: 'requests' | 'kerberos' | 'gssapi', url: string, options: object = {}) {
    const ca = join(scratch(), 'ca.pem')
    writeFileSync(ca, certificate)
    const env = { ...(await alice()), REQUESTS_CA_BUNDLE: ca }
    const args = [program('http_client.py'), how, url, JSON.stringify(options)]
    const { code, stdout, stderr } = await run('/usr/bin/python3', args, { env })
    return code === 0 ? (JSON.parse(stdout) as readonly object[]) : stderr.trim().split('\n').at(-1)
  }
  const page = { status: 200, body: hello, proven: true, sent: 2 }

  test.each([
    ['kerberos', 'krb5'],
    ['kerberos', 'spnego'],
    ['gssapi', 'krb5'],
    ['gssapi', 'spnego'],
  ] as const)(
    'the module %s by %s: several pages over one connection, the server proved at each',
    async (how, mech) => {
      using site = await serve()
      expect(await get(how, site.url, { mech, times: 3 })).toEqual([page, page, page])
      expect(site.counted()).toEqual({ connections: 1, requests: 6 })
      expect(site.failures).toEqual([])
    },
  )

  test.each(['REQUIRED', 'OPTIONAL', 'DISABLED'])('requests-kerberos, mutual authentication %s', async (mutual) => {
    using site = await serve()
    expect(await get('requests', site.url, { mutual, times: 2 })).toEqual([page, page])
    expect(site.failures).toEqual([])
  })

  test('requests-kerberos, preemptive: no request without a token', async () => {
    using site = await serve()
    expect(await get('requests', site.url, { preemptive: true })).toEqual([{ ...page, sent: 1 }])
    expect(site.counted().requests).toBe(1)
  })

  test('requests-kerberos believes our errors, too, as they are proved', async () => {
    using site = await serve()
    expect(await get('requests', `${site.url}missing`)).toEqual([{ ...page, status: 404 }])
  })

  test.each(['requests', 'kerberos', 'gssapi'] as const)('%s hands a ticket over', async (how) => {
    using site = await serve()
    expect(await get(how, site.url, { delegate: true })).toEqual([page])
    expect(site.seen).toEqual([{ method: 'GET', octets: 0, delegated: 'alice@LAB.TEST', bound: false }])
  })

  test.each([
    ['krb5', true],
    ['spnego', true],
    ['krb5', undefined],
    ['spnego', undefined],
  ])('gssapi by %s over TLS, bound to the certificate: %s', async (mech, bind) => {
    using site = await serve({ tls: true })
    expect(await get('gssapi', site.url, { mech, bind })).toEqual([page])
    expect(site.seen).toEqual([{ method: 'GET', octets: 0, delegated: undefined, bound: bind === true }])
  })

  test('gssapi bound to another certificate is refused', async () => {
    using site = await serve({ tls: true })
    const bind = `tls-server-end-point:${'?'.repeat(32)}`
    expect(await get('gssapi', site.url, { bind })).toEqual([{ status: 401, body: '', proven: false, sent: 2 }])
    expect(site.reasons).toEqual(['channel-bindings'])
  })
})
