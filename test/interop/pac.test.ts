/** PACs that Samba's domain controller puts into tickets of ours, and what Samba and libkrb5 make of PACs of our own. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { toHex } from '../../src/bytes/index.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { Name, type NameAttribute, SecurityContext } from '../../src/gss/index.ts'
import { initiatorAttributes } from '../../src/gss/krb5/attributes.ts'
import { authenticationIndicators } from '../../src/krb5/cammac.ts'
import { acceptAp } from '../../src/krb5/exchanges/accept.ts'
import { initiateAp } from '../../src/krb5/exchanges/ap.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { authorizationOf } from '../../src/krb5/pac/authorization.ts'
import { decodePac, type Pac, type PacContent } from '../../src/krb5/pac/pac.ts'
import { buildPac } from '../../src/krb5/pac/sign.ts'
import { type PacVerdict, verifyTicketPac } from '../../src/krb5/pac/verify.ts'
import { loadConfig } from '../../src/node/environment.ts'
import { Kerberos } from '../../src/node/kerberos.ts'
import { startRealm } from '../../src/node/realm.ts'
import { keysOf, parseKeytab } from '../../src/store/keytab.ts'
import { keytab, lab, peer, program, run, scratch } from '../lab/index.ts'
import { fixedEnv } from '../support/env.ts'
import { freshEnv } from '../support/kerb.ts'

const kerberosOf = (env: Readonly<Record<string, string>>) =>
  new Kerberos({ config: loadConfig([env['KRB5_CONFIG']!]), environment: { configPaths: [] } })
const keys = (path: string) => keysOf(parseKeytab(readFileSync(path)), enctypes)

/** What Samba's NDR reads in `pacs`. */
async function readBySamba(...pacs: readonly Uint8Array[]): Promise<readonly PacContent[]> {
  const input = `${pacs.map(toHex).join('\n')}\n`
  const { code, stdout, stderr } = await run('/usr/bin/python3', [program('samba_pac.py')], { input })
  expect(code, stderr).toBe(0)
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as PacContent)
}

/** The verdict about the PAC in a ticket that `user` buys and shows to the service. */
async function verdictOf(user: string, service: string, kdc = lab.samba): Promise<PacVerdict> {
  const kerberos = kerberosOf(freshEnv(kdc.env))
  using login = await kerberos.login(user, { password: `${user}-pw` })
  const request = {
    tgt: login.ticket,
    service: parsePrincipal(service, { realm: kdc.realm }),
    clockOffset: login.clockOffset,
  }
  const { credential } = await kerberos.run(tgsExchange(request, kerberos.env))
  using initiator = initiateAp({ credential, mutual: false }, kerberos.env)
  using accepted = await kerberos.run(acceptAp(initiator.message, { keys: keys(keytab('all', kdc)) }, kerberos.env))
  const kdcKeys = keys(keytab('krbtgt', kdc)).map(({ key }) => key)
  return verifyTicketPac(accepted.ticket, { serverKey: accepted.serverKey, kdcKeys })
}

const sent = ({ pac }: { readonly pac: Pac }) => {
  // What Samba's bindings do not show, and what JSON has another word for.
  const { signatures, buffers, octets, clientClaims, ...content } = pac
  const { lastSuccessfulLogon, lastFailedLogon, resourceGroupDomainSid = null, ...logonInfo } = content.logonInfo!
  return { ...content, logonInfo: { ...logonInfo, resourceGroupDomainSid } }
}

peer('samba', 'PACs of Samba', () => {
  test('are verified with the key of krbtgt, and say what Samba reads in them', async () => {
    const verdict = await verdictOf('alice', 'HTTP/localhost')
    if (verdict.state !== 'verified') expect.fail(`the PAC is ${verdict.state}: ${JSON.stringify(verdict)}`)
    expect(Object.keys(verdict.pac.signatures).sort()).toEqual(['full', 'kdc', 'server', 'ticket'])
    const [read] = await readBySamba(verdict.pac.octets)
    expect(sent(verdict)).toEqual(read)
    const { user, groups } = authorizationOf(verdict)
    expect(user).toBe(verdict.pac.upnDns?.sid)
    expect(groups[0]).toBe(`${verdict.pac.logonInfo?.logonDomainId}-513`)
  })

  test('tell users apart', async () => {
    const [alice, bob] = [await verdictOf('alice', 'HTTP/localhost'), await verdictOf('bob', 'HTTP/localhost')]
    expect(authorizationOf(bob).user).not.toBe(authorizationOf(alice).user)
  })
})

peer('samba', 'PACs of ours', () => {
  test('say to Samba what they were told to say', async () => {
    const { random } = fixedEnv()
    const signers = { serverKey: Key.generate(enctypes[0]!, random), kdcKey: Key.generate(enctypes[1]!, random) }
    const content: PacContent = {
      logonInfo: {
        ...{ logonTime: 1_800_000_000, logoffTime: 'never', kickOffTime: 'never', passwordLastSet: 'unset' },
        ...{ passwordCanChange: 1_700_000_000, passwordMustChange: 'never' },
        ...{ effectiveName: 'jörg', fullName: 'Jörg €', logonScript: '', profilePath: 'x'.repeat(255) },
        ...{ homeDirectory: '\\\\srv\\home', homeDirectoryDrive: 'H:', logonCount: 65_535, badPasswordCount: 1 },
        ...{ userId: 1103, primaryGroupId: 513, userFlags: 0x220, logonServer: 'DC1', logonDomainName: 'DOM' },
        groupIds: [1200, 513, 1300].map((rid) => ({ rid, attributes: 7 })),
        logonDomainId: 'S-1-5-21-1-2-3',
        ...{ userAccountControl: 0x10, subAuthStatus: 0, failedLogonCount: 4_294_967_295 },
        ...{ lastSuccessfulLogon: 'unset', lastFailedLogon: 'unset' },
        extraSids: ['S-1-18-1', 'S-1-5-21-9-9-9-1'].map((sid) => ({ sid, attributes: 7 })),
        resourceGroupDomainSid: 'S-1-5-21-9-9-9',
        resourceGroupIds: [{ rid: 7, attributes: 0x2000_0007 }],
      },
      clientInfo: { name: 'jörg', authtime: 1_800_000_000 },
      delegation: { target: 'svc2/localhost', transited: ['svc1@A.TEST', 'svc0'] },
      upnDns: {
        upn: 'jörg@a.test',
        dnsDomainName: 'A.TEST',
        constructed: true,
        samName: 'jörg',
        sid: 'S-1-5-21-1-2-3-1103',
      },
      attributes: { requested: true, implicit: false },
      requestor: 'S-1-5-21-1-2-3-1103',
    }
    const { logonInfo, ...less } = content
    const little: PacContent = {
      logonInfo: {
        ...logonInfo!,
        groupIds: [],
        extraSids: [],
        resourceGroupIds: [],
        resourceGroupDomainSid: undefined,
      },
      upnDns: { upn: '', dnsDomainName: '', constructed: false },
    }
    const pacs = [content, less, little].map((told) => decodePac(buildPac(told, signers)))
    const [all, unnamed, few] = await readBySamba(...pacs.map(({ octets }) => octets))
    expect(all).toEqual(sent({ pac: pacs[0]! }))
    expect(unnamed).toEqual(less)
    expect(few).toMatchObject({ logonInfo: { groupIds: [], extraSids: [], resourceGroupDomainSid: null } })
  })
})

type Attributes = Readonly<
  Record<
    string,
    {
      readonly authenticated: boolean
      readonly complete: boolean
      readonly values: string[]
      readonly display: string[]
    }
  >
>

/** What our acceptor has of the user's name, as gss_pac.py prints it. */
async function attributesHere(realm: Awaited<ReturnType<typeof startRealm>>, user: string): Promise<Attributes> {
  const kerberos = realm.kerberos()
  using login = await kerberos.login(user, { password: `${user}-pw` })
  using creds = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
  const name = Name.principal('HTTP/localhost@LAB.TEST')
  const { krb5 } = kerberos
  using client = new SecurityContext({ usage: 'initiate', name, creds: login.credentials, mech: krb5, flags: [] })
  using server = new SecurityContext({ usage: 'accept', creds, mech: krb5 })
  await server.step(await client.step())
  const named = initiatorAttributes(server.established)?.named ?? new Map<string, NameAttribute>()
  return Object.fromEntries(
    [...named].map(([name, { values, ...marks }]) => [
      name,
      {
        ...marks,
        values: values.map(({ octets }) => toHex(octets)),
        display: values.map(({ display = '' }) => display),
      },
    ]),
  )
}

peer(['mit', 'gssapi'], 'PACs of the embedded KDC', () => {
  const identity = { sid: 'S-1-5-21-1-2-3-1103', groups: [513, 1200] }

  test.each([
    { user: 'alice', types: [1, 10, 12, 6, 7, 16, 19], verified: true },
    { user: 'bob', types: [10, 6, 7, 16, 19], verified: true },
  ])('libkrb5 verifies that of $user', async ({ user, types, verified }) => {
    await using realm = await startRealm({
      users: { alice: { password: 'alice-pw', identity }, bob: 'bob-pw' },
      services: ['HTTP/localhost'],
    })
    const folder = scratch()
    const env = {
      KRB5_CONFIG: join(folder, 'krb5.conf'),
      KRB5_KTNAME: join(folder, 'keytab'),
      KRB5CCNAME: `FILE:${join(folder, 'cc')}`,
      KRB5RCACHENAME: 'none:',
    }
    writeFileSync(env.KRB5_CONFIG, realm.configText)
    writeFileSync(env.KRB5_KTNAME, realm.keytab('HTTP/localhost'))
    expect(await run('kinit', [user], { env, input: `${user}-pw\n` })).toMatchObject({ code: 0, stderr: '' })
    const { stdout, stderr } = await run('/usr/bin/python3', [program('gss_pac.py'), 'HTTP/localhost'], { env })
    expect(stderr).toBe('')
    const indicators: string[] = []
    const { attributes, ...said } = JSON.parse(stdout) as Record<string, unknown> & { attributes: Attributes }
    expect(said).toEqual({ client: `${user}@LAB.TEST`, types, verified, indicators })
    const marks = (from: Attributes) =>
      Object.fromEntries(
        Object.entries(from).map(([name, { authenticated, complete }]) => [name, { authenticated, complete }]),
      )
    expect(marks(await attributesHere(realm, user))).toEqual(marks(attributes))
  })

  test('authentication indicators are believed by libkrb5, and asked for by services', async () => {
    await using realm = await startRealm({
      users: { alice: 'alice-pw' },
      services: {
        'HTTP/localhost': { requireAuth: ['spake'] },
        'vault/localhost': { requireAuth: ['pkinit'] },
      },
      indicators: { SPAKE: ['spake', 'password'] },
    })
    const folder = scratch()
    const env = {
      KRB5_CONFIG: join(folder, 'krb5.conf'),
      KRB5_KTNAME: join(folder, 'keytab'),
      KRB5CCNAME: `FILE:${join(folder, 'cc')}`,
      KRB5RCACHENAME: 'none:',
    }
    writeFileSync(env.KRB5_CONFIG, realm.configText)
    writeFileSync(env.KRB5_KTNAME, realm.keytab('HTTP/localhost'))
    expect(await run('kinit', ['alice'], { env, input: 'alice-pw\n' })).toMatchObject({ code: 0, stderr: '' })
    const { stdout } = await run('/usr/bin/python3', [program('gss_pac.py'), 'HTTP/localhost'], { env })
    const { attributes, ...said } = JSON.parse(stdout) as Record<string, unknown> & { attributes: Attributes }
    expect(said).toMatchObject({ verified: true, indicators: ['spake', 'password'] })
    // MIT's library has no values for people
    const expected = { ...attributes['auth-indicators'], display: ['spake', 'password'] }
    expect((await attributesHere(realm, 'alice'))['auth-indicators']).toEqual(expected)
    const refused = await run('kvno', ['vault/localhost'], { env })
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('KDC policy rejects request') })
  })
})

peer('mit', 'authentication indicators of MIT’s KDC', () => {
  test('are asked for there: a password is not enough where PKINIT is', async () => {
    const kerberos = kerberosOf(freshEnv())
    using login = await kerberos.login('alice', { password: 'alice-pw' })
    const service = parsePrincipal('pkonly/localhost@LAB.TEST')
    const bought = kerberos.run(tgsExchange({ tgt: login.ticket, service }, kerberos.env))
    await expect(bought).rejects.toMatchObject({ code: 'KDC_ERR_POLICY', origin: 'peer' })
  })

  test('are read by our acceptor', async () => {
    const kerberos = kerberosOf(freshEnv())
    const pki = join(lab.mit.dir, 'pki')
    const certificate = `FILE:${join(pki, 'pkuser.pem')},${join(pki, 'pkuser.key')}`
    using login = await kerberos.login('pkuser', { certificate, anchors: [`FILE:${join(pki, 'ca.pem')}`] })
    const service = parsePrincipal('pkonly/localhost@LAB.TEST')
    const { credential } = await kerberos.run(tgsExchange({ tgt: login.ticket, service }, kerberos.env))
    using initiator = initiateAp({ credential, mutual: false }, kerberos.env)
    using accepted = await kerberos.run(acceptAp(initiator.message, { keys: keys(keytab('all')) }, kerberos.env))
    const { ticket, serverKey } = accepted
    expect(authenticationIndicators(ticket, { serverKey })).toEqual(['pkinit'])
  })
})
