/** Active Directory beyond one domain, as Samba 4.22 has it: forests that trust each other, and resource-based delegation. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import { acceptAp } from '../../src/krb5/exchanges/accept.ts'
import { initiateAp } from '../../src/krb5/exchanges/ap.ts'
import { s4u2proxy, s4u2self } from '../../src/krb5/exchanges/s4u.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { nameTypes } from '../../src/krb5/messages/codes.ts'
import { formatPrincipal, type Principal, parsePrincipal } from '../../src/krb5/names.ts'
import { authorizationOf } from '../../src/krb5/pac/authorization.ts'
import { type PacVerdict, verifyTicketPac } from '../../src/krb5/pac/verify.ts'
import { loadConfig } from '../../src/node/environment.ts'
import { Kerberos } from '../../src/node/kerberos.ts'
import { keysOf, parseKeytab } from '../../src/store/keytab.ts'
import { keytab, lab, peer, run } from '../lab/index.ts'
import type { Kdc } from '../lab/start.ts'
import { changedConfig, freshEnv } from '../support/kerb.ts'

const kerberosOf = (env: Readonly<Record<string, string>> = freshEnv(lab.forests.ad.env)) =>
  new Kerberos({ config: loadConfig([env['KRB5_CONFIG']!]), environment: { configPaths: [] } })
const shown = ({ client, server }: { readonly client: Principal; readonly server: Principal }) =>
  `${formatPrincipal(client)} -> ${formatPrincipal(server)}`
const keys = (path: string) => keysOf(parseKeytab(readFileSync(path)), enctypes)
const login = (kerberos: Kerberos, name: string) =>
  kerberos.login(name, { password: `${name.replace(/@.*/, '')}-pw`, forwardable: true })

/** A ticket that a user buys. */
async function bought(user: string, service: string, kerberos = kerberosOf()): Promise<Credential> {
  using own = await login(kerberos, user)
  const request = { tgt: own.ticket, clockOffset: own.clockOffset, service: parsePrincipal(service) }
  return (await kerberos.run(tgsExchange({ ...request, options: ['forwardable'] }, kerberos.env))).credential
}

/** The verdict about a ticket's PAC of a service in the realm of `kdc`, which has the key of its krbtgt as well. */
async function verdictOf(credential: Credential, kdc: Kdc): Promise<PacVerdict> {
  const kerberos = kerberosOf()
  using initiator = initiateAp({ credential, mutual: false }, kerberos.env)
  using accepted = await kerberos.run(acceptAp(initiator.message, { keys: keys(keytab('all', kdc)) }, kerberos.env))
  const kdcKeys = keys(keytab('krbtgt', kdc)).map(({ key }) => key)
  return verifyTicketPac(accepted.ticket, { serverKey: accepted.serverKey, kdcKeys })
}
function verified(verdict: PacVerdict) {
  if (verdict.state !== 'verified') expect.fail(`the PAC is ${verdict.state}: ${JSON.stringify(verdict)}`)
  return { ...verdict.pac, ...authorizationOf(verdict) }
}

peer('forest', 'two forests that trust each other', () => {
  test("give each other's users tickets, in which the PAC is verified and tells of both domains", async () => {
    const { forest } = lab.forests
    const credential = await bought('alice@AD.TEST', 'echo/svc.forest.test@FOREST.TEST')
    expect(shown(credential)).toBe('alice@AD.TEST -> echo/svc.forest.test@FOREST.TEST')
    const { logonInfo, signatures, groups, user } = verified(await verdictOf(credential, forest))
    expect(Object.keys(signatures).sort()).toEqual(['full', 'kdc', 'server', 'ticket'])
    const { logonDomainId, resourceGroupDomainSid, resourceGroupIds, extraSids, logonDomainName } = logonInfo!
    expect(logonDomainName).toBe('ADDOM')
    expect(user?.startsWith(`${logonDomainId}-`)).toBe(true)
    // Authentication Authority Asserted Identity, and Claims Valid (MS-DTYP §2.4.2.4).
    expect(extraSids.map(({ sid }) => sid)).toEqual(['S-1-18-1', 'S-1-5-21-0-0-0-497'])
    // A group of the domain that the service is in, which the user's own domain knows nothing of.
    expect(resourceGroupDomainSid).not.toBe(logonDomainId)
    expect(resourceGroupIds).toHaveLength(1)
    expect(groups).toEqual(
      expect.arrayContaining(['S-1-18-1', `${resourceGroupDomainSid}-${resourceGroupIds[0]!.rid}`]),
    )
  })

  test('do so both ways, and by referral alone', async () => {
    const { forest } = lab.forests
    const back = await bought('bob@FOREST.TEST', 'echo/svc.ad.test@AD.TEST', kerberosOf(freshEnv(forest.env)))
    expect(shown(back)).toBe('bob@FOREST.TEST -> echo/svc.ad.test@AD.TEST')
    const told = changedConfig((text) => text.replace(/^\[domain_realm\][\s\S]*/m, ''), lab.forests.ad.env)
    const kerberos = kerberosOf(told)
    using alice = await login(kerberos, 'alice')
    const service = { type: nameTypes.serviceHost, components: ['echo', 'svc.forest.test'], realm: '' }
    const { credential, path } = await kerberos.run(tgsExchange({ tgt: alice.ticket, service }, kerberos.env))
    expect([...path, credential].map(shown)).toEqual([
      'alice@AD.TEST -> krbtgt/FOREST.TEST@AD.TEST',
      'alice@AD.TEST -> echo/svc.forest.test@FOREST.TEST',
    ])
  })

  test("log in each other's users by their enterprise names", async () => {
    const kerberos = kerberosOf()
    for (const [name, principal] of [
      ['carol@corp.example', 'carol@AD.TEST'],
      ['bob@forest.test', 'bob@FOREST.TEST'],
    ] as const) {
      using own = await kerberos.login(name, { password: `${name.replace(/@.*/, '')}-pw`, enterprise: true })
      expect(formatPrincipal(own.principal)).toBe(principal)
    }
  })
})

peer(['forest', 'mit'], 'tickets in the name of a user of the other forest', () => {
  // Samba looks for the user in its own domain alone, whoever asks: MIT's kvno is told the same.
  test("are refused to a service itself, as they are to MIT's kvno", async () => {
    const kerberos = kerberosOf()
    using service = await login(kerberos, 'svc-svc2')
    const asked = { tgt: service.ticket, user: parsePrincipal('bob@FOREST.TEST') }
    await expect(kerberos.run(s4u2self(asked, kerberos.env))).rejects.toMatchObject({
      code: 'KDC_ERR_C_PRINCIPAL_UNKNOWN',
    })
    const env = freshEnv(lab.forests.ad.env)
    expect(await run('kinit', ['svc-svc2'], { env, input: 'svc-svc2-pw\n' })).toMatchObject({ code: 0 })
    expect((await run('kvno', ['-U', 'bob@FOREST.TEST', 'svc-svc2'], { env })).stderr).toContain('Client not found')
  })
})

peer('forest', 'resource-based delegation', () => {
  /** svc2 goes to svc3, which lets it, with the ticket that a user showed. */
  const delegated = async (user: string, by = 'svc2') => {
    const kerberos = kerberosOf()
    const evidence = await bought(user, `${by}/localhost@AD.TEST`, kerberos)
    using own = await login(kerberos, `svc-${by}`)
    const request = { tgt: own.ticket, evidence, service: parsePrincipal('svc3/localhost@AD.TEST') }
    return (await kerberos.run(s4u2proxy(request, kerberos.env))).credential
  }

  describe.each(['alice@AD.TEST', 'bob@FOREST.TEST'])('of %s', (user) => {
    test('gives a ticket whose PAC says who delegated', async () => {
      const credential = await delegated(user)
      expect(shown(credential)).toBe(`${user} -> svc3/localhost@AD.TEST`)
      const { delegation } = verified(await verdictOf(credential, lab.forests.ad))
      expect(delegation).toEqual({ target: 'svc3/localhost', transited: ['svc2/localhost@AD.TEST'] })
    })
  })

  test('is refused to a service that the other does not name', () =>
    expect(delegated('alice@AD.TEST', 'echo')).rejects.toMatchObject({ code: 'KDC_ERR_BADOPTION' }))

  // Windows takes it (MS-SFU §3.2.5.2.2); Samba's KDC wants to see it forwardable: "Missing forwardable flag on ticket".
  test('is refused with a ticket that the service had itself given in the name of a user', async () => {
    const kerberos = kerberosOf()
    using own = await login(kerberos, 'svc-svc2')
    const asked = { tgt: own.ticket, user: parsePrincipal('alice@AD.TEST'), options: ['forwardable'] as const }
    const { credential: evidence } = await kerberos.run(s4u2self(asked, kerberos.env))
    expect(evidence.flags.has('forwardable')).toBe(false)
    const request = { tgt: own.ticket, evidence, service: parsePrincipal('svc3/localhost@AD.TEST') }
    await expect(kerberos.run(s4u2proxy(request, kerberos.env))).rejects.toMatchObject({ code: 'KDC_ERR_BADOPTION' })
  })
})
