/** `kerb ping` against our own KDC: every transport, and what it offers to strangers. RFC 4120 §3.1.1, §5.9.1. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRealm } from 'kerb'
import { nodeEnv } from 'kerb/node'
import { krbConfig } from 'kerb/store'
import { expect, test } from 'vitest'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { pingRealm } from '../../src/node/ping.ts'
import { kerb } from '../support/kerb.ts'

test('every KDC is asked by every transport; the clock, the enctypes and the ways to prove oneself are told', async () => {
  const ahead = (Date.now() + 100_000) * 1000 - Math.round(performance.now() * 1000)
  await using realm = await startRealm({
    users: { alice: 'secret' },
    env: { now: () => ahead + Math.round(performance.now() * 1000) },
  })
  const kdc = [`127.0.0.1:${realm.port}`, 'tcp/127.0.0.1:9']
  const config = krbConfig({ defaultRealm: 'LAB.TEST', realms: { 'LAB.TEST': { kdc } } })
  const client = parsePrincipal('alice@LAB.TEST')
  const seen: number[] = []
  const onResult = (_: unknown, done: number, of: number) => void seen.push(done / of)
  const pings = await pingRealm({ config, env: nodeEnv(config), client, attemptTimeout: 2000, onResult })
  expect(pings.map(({ kdc, transport, answer, failure }) => [kdc, transport, answer ?? failure])).toEqual([
    [kdc[0], 'udp', 'KDC_ERR_PREAUTH_REQUIRED'],
    [kdc[0], 'tcp', 'KDC_ERR_PREAUTH_REQUIRED'],
    ['tcp/127.0.0.1:9', 'tcp', 'connection refused'],
  ])
  expect(Math.abs(pings[0]!.clockOffset! - 100)).toBeLessThanOrEqual(1)
  expect(pings[0]!.enctypes[0]).toBe('aes256-cts-hmac-sha1-96')
  expect(pings[0]!.preauth).toContain('enc-timestamp')
  expect(seen).toEqual([1 / 3, 2 / 3, 1])
  const nobody = krbConfig({ defaultRealm: 'LAB.TEST' })
  await expect(pingRealm({ config: nobody, env: nodeEnv(config), client, attemptTimeout: 100 })).rejects.toThrow(
    /no KDC is known/,
  )
})

test('the command draws a table, or prints JSON', async () => {
  await using realm = await startRealm({ users: { alice: 'secret' } })
  const { mkdtempSync, rmSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const folder = mkdtempSync(join(tmpdir(), 'kerb-ping-'))
  const config = join(folder, 'krb5.conf')
  writeFileSync(config, realm.configText)
  const env = { KRB5_CONFIG: config }
  const { code, stdout } = await kerb(['ping', '-p', 'alice', 'LAB.TEST'], { env })
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^KDC +address +by +time +answer +clock +enctypes +preauth\n-/),
  ])
  expect(stdout).toMatch(
    /127\.0\.0\.1:\d+ +127\.0\.0\.1 IPv4 +UDP +[\d.]+ m?s +KDC_ERR_PREAUTH_REQUIRED +[+-]\d+ s +aes256/,
  )
  const said = JSON.parse((await kerb(['ping', '--json', '-p', 'nobody'], { env })).stdout) as readonly object[]
  expect(said).toMatchObject([{ transport: 'udp', answer: 'KDC_ERR_C_PRINCIPAL_UNKNOWN' }, { transport: 'tcp' }])
  rmSync(folder, { recursive: true })
})
