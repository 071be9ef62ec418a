/** Tickets across realms and in the names of users: our client at Heimdal's KDC, and Heimdal's kgetcred at ours. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { s4u2self } from '../../src/krb5/exchanges/s4u.ts'
import { tgsExchange } from '../../src/krb5/exchanges/tgs.ts'
import { nameTypes } from '../../src/krb5/messages/codes.ts'
import { formatPrincipal, type Principal, parsePrincipal } from '../../src/krb5/names.ts'
import { loadConfig } from '../../src/node/environment.ts'
import { Kerberos } from '../../src/node/kerberos.ts'
import { startRealm } from '../../src/node/realm.ts'
import { heimdalProgram, keytab, lab, peer, run, scratch } from '../lab/index.ts'

const kerberosOf = () =>
  new Kerberos({ config: loadConfig([lab.heimdal.env['KRB5_CONFIG']!]), environment: { configPaths: [] } })
const shown = ({ client, server }: { readonly client: Principal; readonly server: Principal }) =>
  `${formatPrincipal(client)} -> ${formatPrincipal(server)}`
const bought = async (user: string, service: Principal) => {
  const kerberos = kerberosOf()
  using login = await kerberos.login(user, { password: `${user.replace(/@.*/, '')}-pw` })
  const { credential, path } = await kerberos.run(tgsExchange({ tgt: login.ticket, service }, kerberos.env))
  return [...path, credential].map(shown)
}

peer('heimdal', "Heimdal's KDC", () => {
  test('sells tickets of another realm, both ways', async () => {
    expect(await bought('alice', parsePrincipal('echo/svc.other.test@OTHER.TEST'))).toEqual([
      'alice@H5L.TEST -> krbtgt/OTHER.TEST@H5L.TEST',
      'alice@H5L.TEST -> echo/svc.other.test@OTHER.TEST',
    ])
    expect(await bought('otto@OTHER.TEST', parsePrincipal('HTTP/localhost@H5L.TEST'))).toEqual([
      'otto@OTHER.TEST -> krbtgt/H5L.TEST@OTHER.TEST',
      'otto@OTHER.TEST -> HTTP/localhost@H5L.TEST',
    ])
  })
  test('refers to the realm of a host', async () => {
    const service = { type: nameTypes.serviceHost, components: ['echo', 'svc.other.test'], realm: '' }
    expect((await bought('alice', service)).at(-1)).toBe('alice@H5L.TEST -> echo/svc.other.test@OTHER.TEST')
  })

  /** What svc1 gets in the name of a user. */
  const inTheNameOf = async (user: Principal) => {
    const kerberos = kerberosOf()
    using login = await kerberos.login('svc1/localhost', { keytab: keytab('all', lab.heimdal), forwardable: true })
    return shown((await kerberos.run(s4u2self({ tgt: login.ticket, user }, kerberos.env))).credential)
  }
  test('gives a service a ticket of a user by the enterprise name, also of the other realm that it serves', async () => {
    const user = { type: nameTypes.enterprise, components: ['otto@OTHER.TEST'], realm: 'H5L.TEST' }
    expect(await inTheNameOf(user)).toMatch(/^otto.*@.* -> svc1\/localhost@H5L\.TEST$/)
  })
  // The user's KDC is asked for the service by its enterprise name (MS-SFU §3.1.5.1.1.2), and Heimdal 7.8 knows none of services.
  test('gives none where the KDC of another realm has to be asked', () =>
    expect(inTheNameOf(parsePrincipal('otto@OTHER.TEST'))).rejects.toMatchObject({
      code: 'KRB_AP_ERR_NOT_US',
      origin: 'peer',
    }))
})

peer(['heimdal', 'mit'], "Heimdal's kgetcred at our KDC", () => {
  const start = async () => {
    const realm = await startRealm({
      users: {
        alice: 'alice-pw',
        vip: { password: 'vip-pw', notDelegated: true },
        'HTTP/www': { okToAuthAsDelegate: true, allowedToDelegateTo: ['db/host'] },
      },
      services: { 'db/host': {}, 'files/host': {} },
    })
    const folder = scratch()
    const [config, ktab] = [join(folder, 'krb5.conf'), join(folder, 'keytab')]
    writeFileSync(config, realm.configText)
    writeFileSync(ktab, realm.keytab('HTTP/www'))
    const env = { KRB5_CONFIG: config, KRB5CCNAME: `FILE:${join(folder, 'cc')}`, KRB5_KTNAME: `FILE:${ktab}` }
    const theirs = (name: string, ...args: string[]) => run(heimdalProgram(name), args, { env })
    expect(await theirs('kinit', '-f', '-k', '-t', ktab, 'HTTP/www')).toMatchObject({ code: 0 })
    const cache = (name: string) => `FILE:${join(folder, name)}`
    const listed = async (name: string) => (await run('klist', ['-f', '-c', cache(name)], { env })).stdout
    return { theirs, cache, listed, [Symbol.asyncDispose]: () => realm[Symbol.asyncDispose]() }
  }

  test('gets a ticket for a service', async () => {
    await using realm = await start()
    expect(await realm.theirs('kgetcred', 'db/host@LAB.TEST')).toMatchObject({ code: 0, stderr: '' })
  })

  test('--impersonate and --delegation-credential-cache: in the name of a user, to itself and where it may go', async () => {
    await using realm = await start()
    const { theirs, cache, listed } = realm
    const self = ['--forwardable', '--impersonate=alice@LAB.TEST', `--out-cache=${cache('self')}`, 'HTTP/www@LAB.TEST']
    expect(await theirs('kgetcred', ...self)).toMatchObject({ code: 0, stderr: '' })
    expect(await listed('self')).toMatch(/Default principal: alice@LAB\.TEST[\s\S]*HTTP\/www@LAB\.TEST\n\tFlags: F/)
    const proxy = (service: string) =>
      theirs('kgetcred', `--delegation-credential-cache=${cache('self')}`, `--out-cache=${cache('proxy')}`, service)
    expect(await proxy('db/host@LAB.TEST')).toMatchObject({ code: 0, stderr: '' })
    expect(await listed('proxy')).toContain('db/host@LAB.TEST')
    expect(await proxy('files/host@LAB.TEST')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('KDC_ERR_BADOPTION'),
    })
  })

  test('--impersonate of nobody, and delegation of who must not be delegated, are refused', async () => {
    await using realm = await start()
    const { theirs, cache } = realm
    const self = (user: string) =>
      theirs(
        'kgetcred',
        '--forwardable',
        `--impersonate=${user}@LAB.TEST`,
        `--out-cache=${cache(user)}`,
        'HTTP/www@LAB.TEST',
      )
    expect(await self('nobody')).toMatchObject({ code: 1 })
    expect(await self('vip')).toMatchObject({ code: 0 })
    const proxy = await theirs('kgetcred', `--delegation-credential-cache=${cache('vip')}`, 'db/host@LAB.TEST')
    expect(proxy.code).toBe(1)
  })
})
