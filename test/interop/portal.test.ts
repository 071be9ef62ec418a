/** `examples/delegation` in other people's realms: curl, our portal, and Apache as the archive, with MIT's KDC; all ours with Samba's. */
import { createNegotiateFetch, Name } from 'kerb'
import { SecurityContext } from 'kerb/gss'
import { createNegotiateAcceptor, temporaryCcache } from 'kerb/http'
import { expect, test } from 'vitest'
import { createArchive } from '../../examples/delegation/archive.ts'
import { createPortal } from '../../examples/delegation/portal.ts'
import { toBase64 } from '../../src/bytes/index.ts'
import { keytab, lab, peer, run } from '../lab/index.ts'
import type { Kdc } from '../lab/start.ts'
import { kerberosOf } from '../support/contexts.ts'
import { isWiped, watchingDelegation } from '../support/delegated.ts'
import { freshEnv } from '../support/kerb.ts'
import { listening } from '../support/listening.ts'

/** The portal as `service`, in front of the archive `name` at `url`; nothing of it is ever in a file. */
async function portalAs(service: string, keys: string, { env }: Kdc, archive: { url: string; name: string }) {
  const kerberos = kerberosOf(env)
  const { mech, delegated } = watchingDelegation(kerberos.spnego)
  const credentials = await kerberos.acquire({
    ...{ usage: 'both', name: Name.principal(service) },
    store: { keytab: keys, clientKeytab: keys, ccache: 'MEMORY:portal' },
  })
  const log: string[] = []
  const { url, ...server } = await listening(
    createPortal({ mech, credentials, archive, log: (error) => log.push(String(error)) }),
  )
  return { url, log, delegated, ...server }
}

peer(['mit', 'apache', 'curl'], 'the portal between curl and Apache, with MIT’s KDC', () => {
  const portalTo = (name: string) =>
    portalAs('HTTP/localhost', keytab('HTTP'), lab.mit, { url: `${lab.apache.url}/krb5`, name })
  async function curl(url: string, user: string, ...args: readonly string[]) {
    const env = freshEnv()
    expect((await run('kinit', [user], { env, input: `${user}-pw\n` })).code).toBe(0)
    const { stdout } = await run('curl', ['-s', '-w', '%{http_code}', '--negotiate', '-u', ':', ...args, url], { env })
    return stdout
  }

  test.each([
    ['nothing', [], 2],
    ['a ticket where the realm trusts the server', ['--delegation', 'policy'], 1],
    ['a ticket always', ['--delegation', 'always'], 1],
  ])('goes on as alice, whose curl hands over %s', async (_, args, tickets) => {
    await using portal = await portalTo('HTTP/svc.lab.test')
    const page = await curl(portal.url, 'alice', ...args)
    expect(portal.log).toEqual([])
    expect(page).toMatch(/REMOTE_USER=alice@LAB\.TEST\n[\s\S]*200$/)
    // the evidence and the portal's own ticket for S4U2Proxy, or the one that was handed over
    expect(portal.delegated.map(({ keys }) => keys.length)).toEqual([tickets])
    await portal[Symbol.asyncDispose]()
    expect(portal.delegated.flatMap(({ keys }) => keys).every(isWiped)).toBe(true)
    expect(portal.delegated.flatMap((seen) => seen.tickets())).toEqual([])
  })

  test.each([
    ['to a server that is not on the portal’s list', 'alice', 'imap/localhost'],
    ['as one whose tickets are not forwardable', 'nofwd', 'HTTP/svc.lab.test'],
  ])('does not go on %s', async (_, user, name) => {
    await using portal = await portalTo(name)
    expect(await curl(portal.url, user)).toBe('you are not to be delegated\n403')
    expect(portal.log).toEqual([expect.stringContaining('KDC_ERR_BADOPTION')])
  })
})

peer(['mit', 'apache', 'curl'], 'a ccache of what a server does in a user’s name (MIT’s proxy_impersonator)', () => {
  async function aliceAt(service: string) {
    const kerberos = kerberosOf(lab.mit.env)
    const { credentials: creds } = await kerberos.login('alice', { password: 'alice-pw', forwardable: true })
    const context = new SecurityContext({
      usage: 'initiate',
      mech: kerberos.spnego,
      creds,
      name: Name.principal(service),
    })
    return `Negotiate ${toBase64((await context.step())!)}`
  }

  test('of ours lets C programs go on as the user where the KDC allows it, and is gone afterwards', async () => {
    const kerberos = kerberosOf(lab.mit.env)
    const keys = keytab('HTTP')
    const store = { keytab: keys, clientKeytab: keys, ccache: 'MEMORY:written' }
    const acceptor = createNegotiateAcceptor({ kerberos, store, acceptorName: 'HTTP@localhost', s4u2proxy: true })
    const result = await acceptor.authenticate({ authorization: await aliceAt('HTTP/localhost@LAB.TEST') })
    if (result.kind !== 'success') throw expect.unreachable()
    using peer = result.peer
    const ccache = await temporaryCcache(peer.credentials!, { kerberos })
    const env = { ...lab.mit.env, KRB5CCNAME: ccache.name }
    expect((await run('klist', ['-C'], { env })).stdout).toMatch(
      /Default principal: alice@LAB\.TEST\n[\s\S]*config: proxy_impersonator = HTTP\/localhost@LAB\.TEST/,
    )
    const { port } = new URL(lab.apache.url)
    const curl = (host: string) => {
      const way = ['--resolve', `${host}:${port}:127.0.0.1`, `http://${host}:${port}/any`]
      return run('curl', ['-s', '--negotiate', '-u', ':', ...way], { env })
    }
    expect((await curl('svc.lab.test')).stdout).toContain('REMOTE_USER=alice@LAB.TEST')
    expect((await curl('webalias.lab.test')).stdout).not.toContain('REMOTE_USER')
    await ccache[Symbol.asyncDispose]()
    expect((await run('klist', [], { env })).code).not.toBe(0)
  })

  test('of mod_auth_gssapi’s is one that we go on with as the user, where the KDC allows it', async () => {
    const kerberos = kerberosOf(lab.mit.env)
    const headers = { authorization: await aliceAt('HTTP/localhost@LAB.TEST') }
    const page = await (await fetch(`${lab.apache.url}/s4u`, { headers })).text()
    const [, ccache] = /^KRB5CCNAME=(FILE:.+)$/m.exec(page) ?? []
    using creds = await kerberos.acquire({ usage: 'initiate', store: { ccache } })
    expect(creds.name?.text).toBe('alice@LAB.TEST')
    const to = (service: string) =>
      new SecurityContext({ usage: 'initiate', mech: kerberos.krb5, creds, name: Name.principal(service) }).step()
    using acceptor = new SecurityContext({
      ...{ usage: 'accept', mech: kerberos.krb5 },
      creds: await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('all') } }),
    })
    await acceptor.step(await to('ldap/localhost@LAB.TEST'))
    expect(acceptor.initiatorName.text).toBe('alice@LAB.TEST')
    await expect(to('imap/localhost@LAB.TEST')).rejects.toMatchObject({ minor: 'KDC_ERR_BADOPTION' })
  })
})

peer('samba', 'the portal in a realm of Samba’s', () => {
  test.each([
    ['S4U2Proxy', false],
    ['a forwarded ticket', true],
  ])('goes on as alice by %s', async (_, delegate) => {
    const kerberos = kerberosOf(lab.samba.env)
    const keys = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab('svc2', lab.samba) } })
    await using archive = await listening(createArchive(kerberos.spnego, keys))
    // In a domain the account logs in, whose key is that of all its services.
    await using portal = await portalAs('svc-svc1', keytab('users', lab.samba), lab.samba, {
      ...{ url: archive.url, name: 'svc2/localhost' },
    })
    using alice = await kerberos.login('alice', { password: 'alice-pw', forwardable: true })
    const fetch = createNegotiateFetch({
      ...{ mech: kerberos.spnego, credentials: alice.credentials, targetName: 'svc1/localhost', delegate },
    })
    expect(await (await fetch(portal.url)).text()).toBe('The papers of alice@AD.TEST\n')
    expect(portal.log).toEqual([])
  })
})
