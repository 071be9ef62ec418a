/** KDCs behind an HTTPS proxy ([MS-KKDCP]): python3-kdcproxy for our client, MIT's kinit for our proxy. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Kerberos, startRealm } from 'kerb'
import { createKdcProxy } from 'kerb/kdc'
import { kdcProxyListener, kdcTransport } from 'kerb/node'
import { krbConfig } from 'kerb/store'
import { expect, test } from 'vitest'
import { lab, peer, run, scratch, startKkdcp } from '../lab/index.ts'
import { certificate, privateKey } from '../support/tls.ts'

peer(['mit', 'kkdcp'], 'a KDC proxy', () => {
  test("python3-kdcproxy in front of MIT's KDC carries our logins", async () => {
    const { url, ca } = await startKkdcp()
    const { realm } = lab.mit
    const config = krbConfig({ defaultRealm: realm, realms: { [realm]: { kdc: [url], httpAnchors: [`FILE:${ca}`] } } })
    const kerberos = new Kerberos({ config, environment: { configPaths: [] } })
    using alice = await kerberos.login('alice', { password: 'alice-pw' })
    expect(alice.kdc).toBe(url)
    await expect(kerberos.login('alice', { password: 'wrong' })).rejects.toMatchObject({
      code: 'KDC_ERR_PREAUTH_FAILED',
    })
  })

  test("our proxy carries what MIT's kinit and kvno ask our KDC", async () => {
    await using realm = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/localhost'] })
    const kdc = kdcTransport({ config: realm.config })
    const urls: (string | undefined)[] = []
    const listener = kdcProxyListener(createKdcProxy(async (message) => (await kdc(message)).message))
    const server = createServer({ cert: certificate, key: privateKey }, (request, response) => {
      urls.push(`${request.method} ${request.url}`)
      void listener(request, response)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const folder = scratch()
    const [config, ca] = [join(folder, 'krb5.conf'), join(folder, 'ca.pem')]
    writeFileSync(ca, certificate)
    const url = `https://localhost:${(server.address() as AddressInfo).port}/KdcProxy`
    writeFileSync(
      config,
      `[libdefaults]\n default_realm = LAB.TEST\n rdns = false\n dns_canonicalize_hostname = false\n[realms]\n LAB.TEST = {\n  kdc = ${url}\n  http_anchors = FILE:${ca}\n }\n[domain_realm]\n localhost = LAB.TEST\n`,
    )
    const env = { KRB5_CONFIG: config, KRB5CCNAME: `FILE:${join(folder, 'cc')}` }
    expect(await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).toMatchObject({ code: 0, stderr: '' })
    expect((await run('kvno', ['HTTP/localhost'], { env })).stdout).toBe('HTTP/localhost@LAB.TEST: kvno = 1\n')
    expect(urls).toEqual(Array.from({ length: urls.length }, () => 'POST /KdcProxy'))
    expect(urls.length).toBeGreaterThanOrEqual(3)
    server.close()
    server.closeAllConnections()
  })
})
