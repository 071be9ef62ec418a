/** What krb5.conf says of logins, delegation and acceptors, acted on: each option's meaning is that of MIT's krb5.conf(5). */

import { Kerberos } from 'kerb'
import { Name, SecurityContext } from 'kerb/gss'
import { type Realm, type RealmOptions, startRealm } from 'kerb/kdc'
import { encryptedTimestampKdc, type KdcPreauth, type TraceEvent } from 'kerb/krb5'
import type { KrbConfig } from 'kerb/store'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let realm: Realm
const start = (more: Partial<RealmOptions> = {}) =>
  startRealm({
    users: { alice: 'alice-pw' },
    services: { 'HTTP/www.lab.test': {}, 'HTTP/web.lab.test': {}, 'ldap/www.lab.test': { okAsDelegate: true } },
    ...more,
  })
beforeAll(async () => {
  realm = await start()
})
afterAll(() => realm[Symbol.asyncDispose]())

const kerberos = (config: Partial<KrbConfig>, given = realm, trace?: (event: TraceEvent) => void) =>
  new Kerberos({ config: { ...given.config, ...config }, environment: { configPaths: [] }, trace })
/** How alice logs in under this configuration. */
async function mechanisms(config: Partial<KrbConfig>, given = realm): Promise<readonly string[]> {
  const seen: string[] = []
  const host = kerberos(config, given, (event) => void (event.kind === 'preauth' && seen.push(event.mechanism)))
  using _login = await host.login('alice', { password: 'alice-pw' })
  return seen
}

describe('ways to log in', () => {
  test('disable_encrypted_timestamp: none is sent, where the KDC offers nothing else either', async () => {
    const preauth: readonly KdcPreauth[] = [encryptedTimestampKdc]
    await using old = await start({ preauth })
    expect(await mechanisms({}, old)).toEqual(['encrypted timestamp'])
    await expect(mechanisms({ disableEncryptedTimestamp: true }, old)).rejects.toMatchObject({ name: 'KrbError' })
    expect(await mechanisms({ disableEncryptedTimestamp: true })).toEqual(['SPAKE'])
  })

  test('preferred_preauth_types: the ways of these numbers come first', async () => {
    expect(await mechanisms({})).toEqual(['SPAKE'])
    expect(await mechanisms({ preferredPreauthTypes: [2] })).toEqual(['encrypted timestamp'])
    expect(await mechanisms({ preferredPreauthTypes: [151, 2] })).toEqual(['SPAKE'])
  })

  test('spake_preauth_groups: no others are offered; without one that is known there is no SPAKE', async () => {
    expect(await mechanisms({ spakeGroups: ['P-384'] })).toEqual(['SPAKE'])
    expect(await mechanisms({ spakeGroups: ['curve-of-tomorrow'] })).toEqual(['encrypted timestamp'])
  })
})

/** A context of alice with `service`, accepted with the keys of `keys`. */
async function context(
  config: Partial<KrbConfig>,
  {
    service,
    as,
    keys,
    flags = [],
  }: { service: string; as?: string; keys: string; flags?: readonly 'delegateToPeer'[] },
) {
  const host = kerberos(config)
  using alice = await host.login('alice', { password: 'alice-pw', forwardable: true })
  const initiator = new SecurityContext({
    usage: 'initiate',
    name: Name.hostbased(service),
    creds: alice.credentials,
    flags,
    mech: host.krb5,
  })
  using creds = await host.acquire({
    usage: 'accept',
    store: { keytab: realm.keytab(...keys.split(' ')) },
    ...(as ? { name: Name.hostbased(as) } : {}),
  })
  const acceptor = new SecurityContext({ usage: 'accept', creds, mech: host.krb5 })
  await acceptor.step(await initiator.step())
  return acceptor
}

describe('contexts', () => {
  test.each([
    [false, 'HTTP@www.lab.test', true],
    [true, 'HTTP@www.lab.test', false],
    [true, 'ldap@www.lab.test', true],
  ])(
    'enforce_ok_as_delegate %s: a ticket goes with the context to %s: %s',
    async (enforceOkAsDelegate, service, given) => {
      const keys = service.replace('@', '/')
      const acceptor = await context({ enforceOkAsDelegate }, { service, keys, flags: ['delegateToPeer'] })
      expect(acceptor.delegatedCredentials !== undefined).toBe(given)
    },
  )

  test('ignore_acceptor_hostname: any host’s key of the service will do, another service’s will not', async () => {
    const keys = 'HTTP/www.lab.test HTTP/web.lab.test ldap/www.lab.test'
    const asked = { service: 'HTTP@web.lab.test', as: 'HTTP@www.lab.test', keys }
    await expect(context({}, asked)).rejects.toMatchObject({ name: 'GssError' })
    const acceptor = await context({ ignoreAcceptorHostname: true }, asked)
    expect(acceptor.targetName.text).toBe('HTTP/web.lab.test@LAB.TEST')
    await expect(
      context({ ignoreAcceptorHostname: true }, { ...asked, service: 'ldap@www.lab.test' }),
    ).rejects.toMatchObject({ name: 'GssError' })
  })
})
