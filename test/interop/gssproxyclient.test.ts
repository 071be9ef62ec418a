/** Our mechanism without keys: the daemon that has them is gssproxy 0.9.1. */
import { join } from 'node:path'
import { SecurityContext } from 'kerb/gss'
import { ProxyCredential } from 'kerb/gssproxy'
import { GssProxyConnection, type Kerberos } from 'kerb/node'
import { beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes/index.ts'
import { Name } from '../../src/gss/name.ts'
import { keytab, lab, peer, run, startGssProxy } from '../lab/index.ts'
import { kerberosOf } from '../support/contexts.ts'
import { keyFolder, NOBODY } from '../support/gssproxy.ts'
import { freshEnv, nodeDaemon } from '../support/kerb.ts'

peer(['mit', 'gssproxy', 'curl', 'apache'], 'contexts by way of gssproxy', () => {
  let keys: ReturnType<typeof keyFolder>
  let kerberos: Kerberos
  const socket = (name: string) => keys.path(`${name}.sock`)

  beforeAll(async () => {
    keys = keyFolder()
    kerberos = kerberosOf(lab.mit.env)
    const [http, alice] = [keys.keytab('HTTP'), keys.keytab('users', 'alice')]
    const svc1 = keys.keytab('svc1')
    const acting = [`cred_store = keytab:${svc1}`, `cred_store = client_keytab:${svc1}`, 'euid = 0']
    const config = keys.config({
      both: [
        ...[`socket = ${socket('both')}`, `cred_store = keytab:${http}`, `cred_store = client_keytab:${alice}`],
        ...['cred_store = ccache:MEMORY:both', 'filter_flags = -DELEGATE', 'euid = 0'],
      ],
      site: [
        `socket = ${socket('site')}`,
        `cred_store = keytab:${http}`,
        'filter_flags = -DELEGATE',
        `euid = ${NOBODY}`,
      ],
      acting: [
        ...[`socket = ${socket('acting')}`, 'allow_protocol_transition = yes', 'cred_store = ccache:MEMORY:acting'],
        ...[...acting, 'allow_constrained_delegation = yes'],
      ],
      seeing: [
        ...[`socket = ${socket('seeing')}`, 'allow_protocol_transition = yes', 'cred_store = ccache:MEMORY:seeing'],
        ...acting,
      ],
    })
    await startGssProxy(config)
  })

  const target = Name.hostbased('HTTP@localhost')
  /** Both sides to their end; gives the acceptor. */
  async function handshake(client: SecurityContext, acceptor: SecurityContext) {
    let token = await client.step()
    while (!(client.complete && acceptor.complete)) {
      const reply = await acceptor.step(token)
      if (!reply) break
      token = await client.step(reply)
    }
    return acceptor
  }
  /** An acceptor with keys of its own, for the services behind. */
  const behind = async (name: string) =>
    new SecurityContext({
      ...{ usage: 'accept', mech: kerberos.krb5 },
      creds: await kerberos.acquire({ usage: 'accept', store: { keytab: keytab(name) } }),
    })

  describe.each(['krb5', 'SPNEGO'] as const)('of %s', (kind) => {
    const mechanismOf = (connection: GssProxyConnection) =>
      kind === 'krb5' ? connection.mechanism(kerberos.krb5) : connection.spnego(kerberos.krb5)

    test('are those of alice and HTTP/localhost, and protect messages here', async () => {
      using connection = new GssProxyConnection({ path: socket('both') })
      const [mech, creds] = [mechanismOf(connection), ProxyCredential.credentials()]
      using client = new SecurityContext({ usage: 'initiate', name: target, creds, mech })
      using acceptor = await handshake(client, new SecurityContext({ usage: 'accept', creds, mech }))
      expect(acceptor.initiatorName.text).toBe('alice@LAB.TEST')
      expect(client.targetName.text).toBe('HTTP/localhost@LAB.TEST')
      const { message } = client.wrap(utf8('hello'), true)
      expect(acceptor.unwrap(message)).toMatchObject({ message: utf8('hello'), encrypted: true })
      client.verify(utf8('bye'), acceptor.sign(utf8('bye')))
    })

    test('are bound to their channel', async () => {
      using connection = new GssProxyConnection({ path: socket('both') })
      const [mech, creds] = [mechanismOf(connection), ProxyCredential.credentials()]
      const both = (theirs: string) => {
        const [mine, other] = ['tls', theirs].map((text) => ({ applicationData: utf8(text) }))
        const client = new SecurityContext({ usage: 'initiate', name: target, creds, mech, channelBindings: mine })
        return handshake(client, new SecurityContext({ usage: 'accept', creds, mech, channelBindings: other }))
      }
      expect((await both('tls')).actualFlags).toContain('channelBound')
      await expect(both('other')).rejects.toMatchObject({ major: 'GSS_S_BAD_BINDINGS' })
    })

    test('carry tickets, which the daemon keeps sealed and initiates with', async () => {
      using connection = new GssProxyConnection({ path: socket('both') })
      const [mech, creds] = [mechanismOf(connection), ProxyCredential.credentials()]
      const client = new SecurityContext({ usage: 'initiate', name: target, creds, mech, flags: ['delegateToPeer'] })
      const { delegatedCredentials } = await handshake(client, new SecurityContext({ usage: 'accept', creds, mech }))
      expect(delegatedCredentials!.name!.text).toBe('alice@LAB.TEST')
      const name = Name.hostbased('ldap@localhost')
      const onward = new SecurityContext({ usage: 'initiate', name, creds: delegatedCredentials!, mech })
      expect((await handshake(onward, await acceptorOf('ldap'))).initiatorName.text).toBe('alice@LAB.TEST')
    })
    const acceptorOf = async (name: string) => {
      if (kind === 'krb5') return behind(name)
      const creds = await kerberos.acquire({ usage: 'accept', store: { keytab: keytab(name) } })
      return new SecurityContext({ usage: 'accept', mech: kerberos.spnego, creds })
    }
  })

  describe('in the name of bob, who is not there', () => {
    const asBob = async (connection: GssProxyConnection) => {
      const impersonator = await connection.acquire({ usage: 'both' })
      return connection.acquire({ usage: 'initiate', impersonator, name: Name.principal('bob@LAB.TEST') })
    }
    const initiate = async (connection: GssProxyConnection, service: string) => {
      const [creds, mech] = [await asBob(connection), connection.mechanism(kerberos.krb5)]
      return new SecurityContext({ usage: 'initiate', name: Name.hostbased(`${service}@localhost`), creds, mech })
    }

    test('reach the services that the KDC allows (S4U2Self, S4U2Proxy)', async () => {
      using connection = new GssProxyConnection({ path: socket('acting') })
      for (const service of ['svc2', 'echo']) {
        const name = service === 'echo' ? 'all' : service
        expect((await handshake(await initiate(connection, service), await behind(name))).initiatorName.text).toBe(
          'bob@LAB.TEST',
        )
      }
      await expect((await initiate(connection, 'ldap')).step()).rejects.toMatchObject({ name: 'GssError' })
    })

    test('go as far as gssproxy’s switches do', async () => {
      using seeing = new GssProxyConnection({ path: socket('seeing') })
      await expect((await initiate(seeing, 'svc2')).step()).rejects.toMatchObject({ major: 'GSS_S_UNAUTHORIZED' })
      using both = new GssProxyConnection({ path: socket('both') })
      await expect(asBob(both)).rejects.toMatchObject({ major: 'GSS_S_NO_CRED' })
    })
  })

  test('are none for a user of whom no service is, who is told so', async () => {
    using connection = new GssProxyConnection({ path: socket('site') })
    const mech = connection.mechanism(kerberos.krb5)
    const client = new SecurityContext({ usage: 'initiate', name: target, creds: ProxyCredential.credentials(), mech })
    await expect(client.step()).rejects.toThrow(/no service is for the user of this process/)
  })

  describe('a web site of nobody’s', () => {
    let url: string
    beforeAll(async () => {
      const file = join(import.meta.dirname, '../support/proxiedsite.mjs')
      const ready = /Ready: (.*)\n/
      const env = { KRB5_CONFIG: lab.mit.env['KRB5_CONFIG']! }
      const site = await nodeDaemon(file, [socket('site'), keys.path('HTTP.keytab')], ready, env)
      const [port, readable] = JSON.parse(ready.exec(site.output)![1]!)
      expect(readable).toBe('EACCES')
      url = `http://localhost:${port}/`
      return () => site[Symbol.asyncDispose]()
    })
    const get = async (page: string, ...args: readonly string[]) => {
      const env = freshEnv()
      await run('kinit', ['-f', 'bob'], { env, input: 'bob-pw\n' })
      return (await run('curl', ['-sSi', '--negotiate', '-u', ':', ...args, `${url}${page}`], { env })).stdout
    }

    test('authenticates users by keys that it cannot read, and proves itself to them', async () =>
      expect(await get('')).toMatch(
        /HTTP\/1\.1 200 OK\r\n[\s\S]*www-authenticate: Negotiate \S{20,}\r\n[\s\S]*bob@LAB\.TEST\n$/i,
      ))

    test('goes on to the site behind it with what the user hands over', async () =>
      expect(await get(`?onward=${encodeURIComponent(`${lab.apache.url}/krb5`)}`, '--delegation', 'always')).toMatch(
        /bob@LAB\.TEST\n[\s\S]*REMOTE_USER=bob@LAB\.TEST\n/,
      ))
  })
})
