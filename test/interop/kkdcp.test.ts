/** KDCs behind an HTTPS proxy ([MS-KKDCP]): python3-kdcproxy for our client, MIT's kinit for our proxy. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kerberos, startRealm } from 'kerb'
import { expect, test } from 'vitest'
import { lab, peer, run, scratch } from '../lab/index.ts'
import { behindTheirProxy, startOurProxy } from './matrix/proxies.ts'

peer(['mit', 'kkdcp'], 'a KDC proxy', () => {
  test("python3-kdcproxy in front of MIT's KDC carries our logins", async () => {
    const { url, config } = await behindTheirProxy(lab.mit)
    const kerberos = new Kerberos({ config, environment: { configPaths: [] } })
    using alice = await kerberos.login('alice', { password: 'alice-pw' })
    expect(alice.kdc).toBe(url)
    await expect(kerberos.login('alice', { password: 'wrong' })).rejects.toMatchObject({
      code: 'KDC_ERR_PREAUTH_FAILED',
    })
  })

  test("our proxy carries what MIT's kinit and kvno ask our KDC", async () => {
    await using realm = await startRealm({ users: { alice: 'alice-pw' }, services: ['HTTP/localhost'] })
    await using proxy = await startOurProxy(realm)
    const folder = scratch()
    const config = join(folder, 'krb5.conf')
    writeFileSync(config, proxy.instead(realm.configText))
    const env = { KRB5_CONFIG: config, KRB5CCNAME: `FILE:${join(folder, 'cc')}` }
    expect(await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).toMatchObject({ code: 0, stderr: '' })
    expect((await run('kvno', ['HTTP/localhost'], { env })).stdout).toBe('HTTP/localhost@LAB.TEST: kvno = 1\n')
    expect(proxy.asked).toEqual(Array.from({ length: proxy.asked.length }, () => 'POST /KdcProxy'))
    expect(proxy.asked.length).toBeGreaterThanOrEqual(3)
  })
})
