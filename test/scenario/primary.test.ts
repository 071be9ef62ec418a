/** A password that was changed a moment ago, and a replica that does not know yet: once more at the primary KDC. */
import { Kerberos, startRealm } from 'kerb'
import { krbConfig } from 'kerb/store'
import { expect, test } from 'vitest'
import type { TraceEvent } from '../../src/krb5/trace.ts'

const start = (password: string) => startRealm({ users: { alice: password }, services: ['HTTP/localhost'] })
const login = (kdc: number, primaryKdc: readonly number[], password: string) => {
  const at = (port: number) => `127.0.0.1:${port}`
  const config = krbConfig({
    defaultRealm: 'LAB.TEST',
    realms: { 'LAB.TEST': { kdc: [at(kdc)], primaryKdc: primaryKdc.map(at) } },
  })
  const events: TraceEvent[] = []
  const trace = (event: TraceEvent) => void events.push(event)
  const kerberos = new Kerberos({ config, environment: { configPaths: [] }, trace, attemptTimeout: 1000 })
  const prompts: string[] = []
  const prompt = (text: string) => {
    prompts.push(text)
    return password
  }
  const asking = new Kerberos({ config, environment: { configPaths: [] }, trace, prompt })
  return { events, prompts, login: kerberos.login('alice', { password }), asking }
}

test('logs in at the primary with the password that the replica refuses, and asks the user once', async () => {
  await using replica = await start('old')
  await using primary = await start('new')
  const { asking, prompts, login: first } = login(replica.port, [primary.port], 'new')
  using alice = await first
  expect(alice.kdc).toContain(`:${primary.port} `)
  using again = await asking.login('alice')
  expect([again.kdc, prompts.length]).toEqual([alice.kdc, 1])
})

test('is refused as the replica had it where the primary is not known, not reached, or the same', async () => {
  await using replica = await start('old')
  for (const primary of [[], [9], [replica.port]]) {
    const { login: refused, events } = login(replica.port, primary, 'new')
    await expect(refused).rejects.toMatchObject({
      code: 'KDC_ERR_PREAUTH_FAILED',
      kdc: expect.stringContaining(`:${replica.port} `),
    })
    expect(events.filter(({ kind }) => kind === 'error').length).toBeLessThanOrEqual(3)
  }
})

test('is refused as the primary has it where that refuses, too', async () => {
  await using replica = await start('old')
  await using primary = await start('old')
  await expect(login(replica.port, [primary.port], 'wrong').login).rejects.toMatchObject({
    code: 'KDC_ERR_PREAUTH_FAILED',
    kdc: expect.stringContaining(`:${primary.port} `),
  })
})
