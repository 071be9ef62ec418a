/** `kerb klist` of tickets that MIT krb5 and Samba issued, opened with keytabs that those wrote: what is in them, PACs as well. */
import { expect, test } from 'vitest'
import { CredentialCaches } from '../../src/node/caches/caches.ts'
import { keytab, lab, peer, run } from '../lab/index.ts'
import type { Kdc } from '../lab/start.ts'
import { freshEnv, kerb } from '../support/kerb.ts'

/** A cache that MIT's tools filled with the tickets of `user`. */
async function filled(kdc: Kdc, user: string, ...services: string[]) {
  const env = freshEnv(kdc.env)
  expect(await run('kinit', ['-f', user], { env, input: `${user}-pw\n` })).toMatchObject({ code: 0 })
  expect(await run('kvno', services, { env })).toMatchObject({ code: 0, stderr: '' })
  return env
}
async function listed(env: Readonly<Record<string, string>>, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await kerb(['klist', ...args], { env })
  expect([code, stderr]).toEqual([0, ''])
  return stdout
}
/** The lines about one ticket. */
const ticketFor = (server: string, listing: string) =>
  listing.split(/^(?=\d\d\/)/m).find((lines) => lines.split('\n')[0]!.includes(`  ${server}`)) ?? ''

peer('mit', 'kerb klist --open, of tickets of MIT', () => {
  test("shows what the service's key opens, and says what it does not", async () => {
    const env = await filled(lab.mit, 'alice', 'HTTP/localhost')
    const listing = await listed(env, '-ef', '--open', keytab('HTTP'))
    const ticket = ticketFor('HTTP/localhost@LAB.TEST', listing)
    expect(ticket).toMatch(
      /, Flags: F\w*A\w*\n\tEtype \(skey, tkt\): aes256-cts-hmac-sha1-96, aes256-cts-hmac-sha384-192/,
    )
    expect(ticket).toMatch(
      /^\tOpened with: the aes256-cts-hmac-sha384-192 key of HTTP\/localhost@LAB.TEST, version \d+$/m,
    )
    expect(ticket).toMatch(/^\t {2}Client: alice@LAB.TEST, Flags: F\w*A\w*, Session key: aes256-cts-hmac-sha1-96$/m)
    expect(ticket).toContain(
      '\t  Authorization data: 1 (ifRelevant) of 128 (win2kPac), 1 (ifRelevant) of 96 (cammac)\n',
    )
    expect(ticket).toContain('\t  Authentication indicators: spake\n')
    expect(ticket).toContain(
      '\t  PAC: partial: server signature verified; kdc, ticket signatures not checked, for want of',
    )
    expect(ticketFor('krbtgt/LAB.TEST', listing)).toContain('\tOpened with: no key at hand\n')
  })

  test('verifies the signatures of the KDC with its key', async () => {
    const env = await filled(lab.mit, 'alice', 'HTTP/localhost')
    const listing = await listed(env, '--open', keytab('HTTP'), '--open', keytab('krbtgt'))
    const [granting, service] = ['krbtgt/LAB.TEST', 'HTTP/localhost'].map((server) => ticketFor(server, listing))
    expect(granting).toContain('\t  PAC: verified: server, kdc signatures verified; no ticket, full signatures\n')
    expect(service).toContain('\t  PAC: verified: server, kdc, ticket signatures verified; no full signature\n')
  })

  test('opens nothing with keys of the same name that are others', async () => {
    const env = await filled(lab.mit, 'alice', 'HTTP/localhost')
    const ticket = ticketFor('HTTP/localhost', await listed(env, '--open', keytab('wrong')))
    expect(ticket).toContain('\tOpened with: no key at hand\n')
    expect(ticket).not.toContain('Client:')
  })
})

peer('mit', 'kerb klist -d', () => {
  test('prints the types of authorization data as MIT does', async () => {
    const env = await filled(lab.mit, 'alice', 'HTTP/localhost')
    const cache = await new CredentialCaches({ defaultName: env['KRB5CCNAME']! }).resolve()
    const { entries, ...contents } = await cache.read()
    const authorizationData = [1, 128, -7].map((adType) => ({ adType, adData: Uint8Array.of(0x30, 0) }))
    await cache.replace({
      ...contents,
      entries: entries.map((entry, i) => (i > 1 ? { ...entry, authorizationData } : entry)),
    })
    for (const args of [['-d'], ['-dfe'], ['-dan']])
      expect(await listed(env, ...args)).toBe((await run('klist', args, { env })).stdout)
    expect(await listed(env, '-d')).toContain('128')
  })
})

peer(['mit', 'samba'], 'kerb klist --open, of tickets of Samba', () => {
  test('shows the logon name, the SIDs, and which signatures were verified', async () => {
    const env = await filled(lab.samba, 'alice', 'HTTP/localhost')
    const alone = ticketFor('HTTP/localhost', await listed(env, '--open', keytab('all', lab.samba)))
    expect(alone).toMatch(/^\t {4}Logon name: \w+\\alice$/m)
    expect(alone).toMatch(/^\t {4}UPN: alice@/m)
    const [, domain] = /^\t {4}SID: (S-1-5-21-\d+-\d+-\d+)-\d+$/m.exec(alone) ?? []
    expect(alone).toContain(`\t    Group: ${domain}-513 (Domain Users)\n`)
    expect(alone).toContain(
      '\t  PAC: partial: server signature verified; kdc, ticket, full signatures not checked, for want of the key of the ticket-granting service\n',
    )
    const both = ['--open', keytab('all', lab.samba), '--open', keytab('krbtgt', lab.samba)]
    expect(ticketFor('HTTP/localhost', await listed(env, ...both))).toContain(
      '\t  PAC: verified: server, kdc, ticket, full signatures verified\n',
    )
  })
})
