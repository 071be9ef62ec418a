/** Every kind of trace event: it comes about in a run, and docs/trace.md shows how its line reads. */

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { enctypes } from 'kerb/crypto'
import { Name, SecurityContext } from 'kerb/gss'
import { Kerberos, nodeEnv, startRealm, traceTo } from 'kerb/node'
import { defaultConfig } from 'kerb/store'
import { expect, test } from 'vitest'
import { formatTraceEvent, type TraceEvent } from '../../src/krb5/trace.ts'

/** One event of each kind and when it is told: the compiler wants a row for a new kind. */
const examples: { readonly [K in TraceEvent['kind']]: readonly [when: string, Extract<TraceEvent, { kind: K }>] } = {
  send: ['a message is about to be sent', { kind: 'send', realm: 'LAB.TEST', message: 'AS-REQ', size: 151 }],
  attempt: [
    'one address of one server is tried',
    { kind: 'attempt', realm: 'LAB.TEST', kdc: 'kdc1:88 (UDP)', size: 151 },
  ],
  'attempt-failed': [
    'it gave no answer',
    { kind: 'attempt-failed', realm: 'LAB.TEST', kdc: 'kdc1:88 (UDP)', reason: 'connection refused' },
  ],
  reply: ['a KDC replied', { kind: 'reply', realm: 'LAB.TEST', kdc: 'kdc2:88 (TCP)', message: 'AS-REP', size: 640 }],
  error: [
    'a KDC refused',
    { kind: 'error', realm: 'LAB.TEST', kdc: 'kdc2:88 (TCP)', code: 'KDC_ERR_PREAUTH_REQUIRED', text: '' },
  ],
  preauth: [
    'a way to pre-authenticate was chosen',
    { kind: 'preauth', mechanism: 'encrypted timestamp', offered: [19, 2] },
  ],
  armor: [
    'the exchange goes through FAST',
    {
      ...{ kind: 'armor', client: 'host/www@LAB.TEST', server: 'krbtgt/LAB.TEST@LAB.TEST' },
      enctype: 'aes256-cts-hmac-sha1-96',
    },
  ],
  key: [
    'a long-term key was made or found',
    { kind: 'key', principal: 'alice@LAB.TEST', enctype: 'aes256-cts-hmac-sha1-96', salt: 'LAB.TESTalice' },
  ],
  clock: ["the KDC's clock is followed", { kind: 'clock', offset: 4_000_000_000 }],
  ticket: [
    'a ticket came',
    {
      ...{ kind: 'ticket', client: 'alice@LAB.TEST', server: 'krbtgt/LAB.TEST@LAB.TEST' },
      ...{ enctype: 'aes256-cts-hmac-sha1-96', endtime: 1_800_000_000 },
    },
  ],
  cached: ['a ticket at hand will do', { kind: 'cached', client: 'alice@LAB.TEST', server: 'HTTP/www@LAB.TEST' }],
  referral: ['a KDC sent us to another realm', { kind: 'referral', realm: 'MID.TEST', server: 'HTTP/www@LAB.TEST' }],
  password: [
    'a password server answered',
    { kind: 'password', principal: 'alice@LAB.TEST', kdc: 'kdc1:464 (TCP)', code: 4, text: 'too short' },
  ],
  accept: [
    'a client proved itself to us',
    { kind: 'accept', client: 'alice@LAB.TEST', server: 'HTTP/www@LAB.TEST', enctype: 'aes256-cts-hmac-sha1-96' },
  ],
}

test('docs/trace.md shows each', async () => {
  const rows = Object.entries(examples).map(([kind, [when, event]]) => {
    const fields = Object.keys(event).filter((field) => field !== 'kind')
    return `| \`${kind}\` | ${when} | ${fields.map((field) => `\`${field}\``).join(', ')} | \`${formatTraceEvent(event)}\` |`
  })
  const page = [
    '# Trace',
    '',
    '`KRB5_TRACE=/dev/stderr` (or a file) prints a line for every step; `new Kerberos({ trace: (event) => … })` gives the steps as',
    'values. No event holds a key or a password. This table is written by `test/scenario/trace.test.ts`.',
    '',
    '| kind | when | fields | as a line |',
    '|---|---|---|---|',
    ...rows,
    '',
  ]
  await expect(page.join('\n')).toMatchFileSnapshot('../../docs/trace.md')
})

test('runs tell of each', async () => {
  const real = nodeEnv(defaultConfig)
  const events: TraceEvent[] = []
  const trace = (event: TraceEvent) => void events.push(event)
  const realms = {
    users: { alice: { password: 'alice-pw', enctypes: [enctypes[0]!] } },
    services: { 'HTTP/localhost': { enctypes: [enctypes[0]!] } },
  }
  {
    await using realm = await startRealm({ ...realms, env: { now: () => real.now() + 3_600e6 } })
    // a KDC that is not there comes first
    const server = realm.config.realms.get(realm.name)!
    const kdcs = [{ host: '127.0.0.1', port: 9 }, ...server.kdcs]
    const config = { ...realm.config, realms: new Map([[realm.name, { ...server, kdcs }]]) }
    const kerberos = new Kerberos({ config, environment: { configPaths: [] }, trace })
    await kerberos.changePassword('alice', { password: 'alice-pw', newPassword: 'newer-pw' })
  }
  await using realm = await startRealm(realms)
  const kerberos = realm.kerberos({ trace })
  using host = await kerberos.login('HTTP/localhost', { keytab: realm.keytab('HTTP/localhost') })
  await host.save('MEMORY:host')
  using alice = await kerberos.login('alice', { password: 'alice-pw', armor: 'MEMORY:host' })
  const keys = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
  for (let i = 0; i < 2; i++) {
    const name = Name.hostbased('HTTP@localhost')
    using client = new SecurityContext({ usage: 'initiate', name, creds: alice.credentials, mech: kerberos.krb5 })
    using acceptor = new SecurityContext({ usage: 'accept', creds: keys, mech: kerberos.krb5 })
    await acceptor.step((await client.step())!)
  }
  const told = new Set(events.map(({ kind }) => kind))
  // Referrals need a second realm: the tests of the TGS exchange have them.
  expect([...told].sort()).toEqual(
    Object.keys(examples)
      .filter((kind) => kind !== 'referral')
      .sort(),
  )
  expect(JSON.stringify(events)).not.toMatch(/-pw/)
})

test('KRB5_TRACE writes a line for each to a file, for its owner alone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'kerb-trace-'))
  const path = join(folder, 'trace')
  for (const [, event] of Object.values(examples)) traceTo(path)(event)
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
  expect(lines.length).toBe(Object.keys(examples).length)
  for (const line of lines) expect(line).toMatch(/^\[\d+\] \d+\.\d{3}: \S/)
  await rm(folder, { recursive: true })
})
