/** The GSS-Proxy server against our client, and against records that gssproxy's real clients sent (`vectors/gssproxy`). */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { OctetReader } from '../../src/bytes/cursor.ts'
import { toHex, utf8 } from '../../src/bytes/index.ts'
import type { World } from '../../src/effects/index.ts'
import { SecurityContext } from '../../src/gss/context.ts'
import { GssError } from '../../src/gss/error.ts'
import { Krb5Credential } from '../../src/gss/krb5/credential.ts'
import { bind } from '../../src/gss/mechanism.ts'
import { Name } from '../../src/gss/name.ts'
import { nameTypeOids } from '../../src/gss/oids.ts'
import { gssProxyMechanism, ProxyCredential, type ProxyQuestions } from '../../src/gssproxy/client.ts'
import { type Cred, Cred as WireCred } from '../../src/gssproxy/messages.ts'
import { type Args, type ProcedureName, procedures, type Result } from '../../src/gssproxy/procedures.ts'
import { formatCall, parseReply } from '../../src/gssproxy/rpc.ts'
import { gssProxyServer } from '../../src/gssproxy/server.ts'
import type { ProxyService } from '../../src/gssproxy/service.ts'
import { KRB5, nameToWire, oidOctets, textFrom, withNul } from '../../src/gssproxy/wire.ts'
import { decode, encode, type Xdr } from '../../src/gssproxy/xdr.ts'
import { KerberosService } from '../../src/node/gssproxy/service.ts'
import { MemoryVault } from '../../src/node/gssproxy/vault.ts'
import type { Kerberos } from '../../src/node/kerberos.ts'
import { random } from '../../src/node/random.ts'
import { type Realm, startRealm } from '../../src/node/realm.ts'
import { now } from '../../src/node/world.ts'
import { spnego } from '../../src/spnego/mechanism.ts'
import { recorded } from './recorded.ts'

let realm: Realm
let service: ProxyService
let other: ProxyService
let delegating: ProxyService
let delegatingKerberos: Kerberos
let stores: { readonly keytab: Uint8Array; readonly clientKeytab: Uint8Array }
let acting: ProxyService
let seeing: ProxyService
const unforeseen: unknown[] = []
const server = gssProxyServer({ vault: new MemoryVault(), now, random, onError: (error) => unforeseen.push(error) })

beforeAll(async () => {
  realm = await startRealm({
    users: { alice: 'secret' },
    services: {
      'HTTP/localhost': { okToAuthAsDelegate: true, allowedToDelegateTo: ['ldap/localhost'] },
      ...{ 'ldap/localhost': {}, 'imap/localhost': {} },
    },
  })
  const kerberos = realm.kerberos()
  stores = { keytab: realm.keytab('HTTP/localhost'), clientKeytab: realm.keytab('alice') }
  service = new KerberosService(kerberos, { name: 'both', ...stores })
  delegatingKerberos = realm.kerberos()
  delegating = new KerberosService(delegatingKerberos, { name: 'delegating', ...stores, filterFlags: [] })
  const own = { keytab: stores.keytab, clientKeytab: stores.keytab, protocolTransition: true }
  acting = new KerberosService(kerberos, { name: 'acting', ...own, constrainedDelegation: true })
  seeing = new KerberosService(kerberos, { name: 'seeing', ...own })
  other = new KerberosService(kerberos, { name: 'web', keytab: stores.keytab, usage: 'accept' })
})
afterAll(async () => {
  await realm[Symbol.asyncDispose]()
  expect(unforeseen).toEqual([])
})

async function call<N extends ProcedureName>(name: N, args: Partial<Args<N>>, served = service): Promise<Result<N>> {
  const type = procedures[name].args as unknown as Xdr<Args<N>>
  const octets = encode(type, { ...type.empty, ...args })
  const reply = await server.respond(formatCall(7, procedures[name].number, octets), served)
  return decode(procedures[name].result as unknown as Xdr<Result<N>>, parseReply(reply!, 7), name).value
}

const world = (served: () => ProxyService): World<ProxyQuestions> => ({
  call: async ({ procedure, args }) => parseReply((await server.respond(formatCall(1, procedure, args), served()))!, 1),
})
const target = Name.hostbased('HTTP@localhost')
const creds = ProxyCredential.credentials()

describe('contexts by way of the daemon', () => {
  test.each(['krb5', 'SPNEGO'])('are those of alice and HTTP/localhost, under %s', async (kind) => {
    const plain = gssProxyMechanism(realm.kerberos().krb5)
    const mech = bind(
      kind === 'krb5' ? plain : spnego([plain]),
      world(() => service),
    )
    using client = new SecurityContext({ usage: 'initiate', name: target, creds, mech })
    using acceptor = new SecurityContext({ usage: 'accept', creds, mech })
    let token = await client.step()
    while (!(client.complete && acceptor.complete)) {
      const reply = await acceptor.step(token)
      if (!reply) break
      token = await client.step(reply)
    }
    expect(acceptor.initiatorName.text).toBe('alice@LAB.TEST')
    expect(client.targetName.text).toBe('HTTP/localhost@LAB.TEST')
    const { message } = client.wrap(utf8('hello'))
    expect(acceptor.unwrap(message)).toMatchObject({ message: utf8('hello'), encrypted: true })
    expect(acceptor.verify(utf8('bye'), client.sign(utf8('bye')))).toBeUndefined()
  })

  test('are refused for a token that was seen, for wrong bindings, and by a service that may not initiate', async () => {
    const mech = bind(
      gssProxyMechanism(realm.kerberos().krb5),
      world(() => service),
    )
    const web = bind(
      gssProxyMechanism(realm.kerberos().krb5),
      world(() => other),
    )
    const channelBindings = { applicationData: utf8('tls') }
    using client = new SecurityContext({ usage: 'initiate', name: target, creds, mech, channelBindings })
    const token = await client.step()
    const accept = (bindings?: typeof channelBindings) =>
      new SecurityContext({ usage: 'accept', creds, mech: web, channelBindings: bindings }).step(token)
    await expect(accept({ applicationData: utf8('other') })).rejects.toMatchObject({ major: 'GSS_S_BAD_BINDINGS' })
    await expect(accept()).rejects.toMatchObject({ major: 'GSS_S_FAILURE', message: expect.stringContaining('before') })
    const refused = new SecurityContext({ usage: 'initiate', name: target, creds, mech: web })
    await expect(refused.step()).rejects.toMatchObject({ major: 'GSS_S_NO_CRED' })
  })
})

describe('messages protected by the daemon', () => {
  test('go both ways, and the context goes on from call to call', async () => {
    const begun = await call('INIT_SEC_CONTEXT', { targetName: nameToWire(target), mechType: KRB5, reqFlags: 0x3en })
    expect(begun).toMatchObject({ status: { majorStatus: 1n }, contextHandle: { open: false, locallyInitiated: true } })
    expect(begun.contextHandle!.exportedContextToken).toHaveLength(0)
    const accepted = await call('ACCEPT_SEC_CONTEXT', { inputToken: begun.outputToken! })
    const again = { mechType: KRB5, contextHandle: begun.contextHandle, inputToken: accepted.outputToken }
    const ended = await call('INIT_SEC_CONTEXT', again)
    expect(ended).toMatchObject({ status: { majorStatus: 0n }, contextHandle: { open: true } })
    expect(await call('INIT_SEC_CONTEXT', again)).toMatchObject({ status: { majorStatus: 0x80000n } })

    const wrapped = await call('WRAP', {
      contextHandle: ended.contextHandle!,
      confReq: true,
      messageBuffer: [utf8('hello')],
    })
    const opened = await call('UNWRAP', { contextHandle: accepted.contextHandle!, tokenBuffer: wrapped.tokenBuffer })
    expect(opened).toMatchObject({ messageBuffer: [utf8('hello')], confState: true })
    const twice = await call('UNWRAP', { contextHandle: opened.contextHandle!, tokenBuffer: wrapped.tokenBuffer })
    expect(twice).toMatchObject({ status: { majorStatus: 2n }, contextHandle: undefined })
    const mic = await call('GET_MIC', { contextHandle: wrapped.contextHandle!, messageBuffer: utf8('bye') })
    const check = { contextHandle: opened.contextHandle!, tokenBuffer: mic.tokenBuffer }
    expect(await call('VERIFY', { ...check, messageBuffer: utf8('bye') })).toMatchObject({
      status: { majorStatus: 0n },
    })
    expect(await call('VERIFY', { ...check, messageBuffer: utf8('by') })).toMatchObject({
      status: { majorStatus: 0x60000n },
    })
    // as gssproxy had it for aes256-cts-hmac-sha1-96
    const limit = { contextHandle: opened.contextHandle!, reqOutputSize: 1000n }
    expect((await call('WRAP_SIZE_LIMIT', { ...limit, confReq: true })).maxInputSize).toBe(940n)
    expect((await call('WRAP_SIZE_LIMIT', { ...limit, confReq: false })).maxInputSize).toBe(972n)
  })
})

describe('credentials', () => {
  const acquire = (args: Partial<Args<'ACQUIRE_CRED'>>, served = service) =>
    call('ACQUIRE_CRED', { credUsage: 'accept', ...args }, served)
  const nameOf = (cred: Cred) => textFrom(cred.desiredName.displayName)

  test('are acquired, and given back as they are while they are good', async () => {
    const first = (await acquire({})).outputCredHandle!
    expect(nameOf(first)).toBe('HTTP/localhost@LAB.TEST')
    expect(first.elements[0]).toMatchObject({ initiatorTimeRec: 0n, acceptorTimeRec: 0xffffffffn, mech: KRB5 })
    expect((await acquire({ inputCredHandle: first })).outputCredHandle).toEqual(first)
    const both = (await acquire({ inputCredHandle: first, credUsage: 'both' })).outputCredHandle!
    expect(nameOf(both)).toBe('alice@LAB.TEST')
  })

  test('of another service, or changed, are as good as none', async () => {
    const cred = (await acquire({})).outputCredHandle!
    const changed = { ...cred, credHandleReference: cred.credHandleReference.map((octet) => octet ^ 1) }
    expect((await acquire({ inputCredHandle: changed })).outputCredHandle).not.toEqual(changed)
    expect((await acquire({ inputCredHandle: cred }, other)).outputCredHandle).not.toEqual(cred)
  })

  test.each([
    ['of other mechanisms', { desiredMechs: [oidOctets('1.3.6.1.5.5.2')] }, 0x70000n],
    ['of somebody else', { desiredName: nameToWire(Name.principal('mallory@LAB.TEST')) }, 0x70000n],
    ['for nothing', { credUsage: 'none' }, 0xd0000n],
  ] as const)('%s are not given', async (_, args, majorStatus) =>
    expect(await acquire(args)).toMatchObject({ status: { majorStatus, mech: KRB5 }, outputCredHandle: undefined }),
  )

  test('in another’s name are not given', async () => {
    const cred = (await acquire({})).outputCredHandle
    const options = [{ option: withNul('acquire_type'), value: withNul('impersonate_name') }]
    expect(await acquire({ inputCredHandle: cred, options })).toMatchObject({ status: { majorStatus: 0xf0000n } })
  })
})

describe('credentials of others', () => {
  /** The service proxied in both directions: alice hands her tickets over to HTTP/localhost. */
  const handOver = async (args: Partial<Args<'ACCEPT_SEC_CONTEXT'>>) => {
    const asked = { targetName: nameToWire(target), mechType: KRB5, reqFlags: 0x3n }
    const { outputToken } = await call('INIT_SEC_CONTEXT', asked, delegating)
    return call('ACCEPT_SEC_CONTEXT', { inputToken: outputToken!, ...args }, delegating)
  }
  const wipedBy = async (work: () => Promise<unknown>) => {
    const wipe = vi.spyOn(Krb5Credential.prototype, Symbol.dispose)
    await work()
    const wiped = wipe.mock.contexts.filter(
      (context) => context instanceof Krb5Credential && context.usage === 'initiate',
    )
    wipe.mockRestore()
    return wiped.map((context) => String(context))
  }

  test('who hand them over come back in a sealed handle, to initiate with', async () => {
    const { delegatedCredHandle: handle, status, contextHandle } = await handOver({ retDelegCred: true })
    expect(status.majorStatus).toBe(0n)
    expect(contextHandle!.ctxFlags & 1n).toBe(1n)
    expect(textFrom(handle!.desiredName.displayName)).toBe('alice@LAB.TEST')
    expect(handle!.elements[0]).toMatchObject({ credUsage: 'initiate', acceptorTimeRec: 0n })
    const again = await call('ACQUIRE_CRED', { inputCredHandle: handle, credUsage: 'initiate' }, delegating)
    expect(again.outputCredHandle).toEqual(handle)
    const asked = { credHandle: handle, targetName: nameToWire(Name.hostbased('ldap@localhost')), mechType: KRB5 }
    const { outputToken } = await call('INIT_SEC_CONTEXT', asked, delegating)
    const creds = await realm.kerberos().acquire({ usage: 'accept', store: { keytab: realm.keytab('ldap/localhost') } })
    const acceptor = new SecurityContext({ usage: 'accept', creds, mech: realm.kerberos().krb5 })
    await acceptor.step(outputToken!)
    expect(acceptor.initiatorName.text).toBe('alice@LAB.TEST')
    expect(await call('INIT_SEC_CONTEXT', asked, other)).toMatchObject({ status: { majorStatus: 0x70000n } })
  })

  test('are wiped here, whether the client wants them or not', async () => {
    for (const retDelegCred of [true, false])
      expect(await wipedBy(() => handOver({ retDelegCred }))).toContain('[Krb5Credential alice@LAB.TEST]')
    expect((await handOver({})).delegatedCredHandle).toBeUndefined()
  })

  test('are an acceptor’s by way of the daemon', async () => {
    const mech = bind(
      gssProxyMechanism(realm.kerberos().krb5),
      world(() => delegating),
    )
    using client = new SecurityContext({ usage: 'initiate', name: target, creds, mech, flags: ['delegateToPeer'] })
    using acceptor = new SecurityContext({ usage: 'accept', creds, mech })
    await acceptor.step(await client.step())
    expect(acceptor.delegatedCredentials?.name?.text).toBe('alice@LAB.TEST')
    const name = Name.hostbased('ldap@localhost')
    const onward = new SecurityContext({ usage: 'initiate', name, creds: acceptor.delegatedCredentials!, mech })
    expect((await onward.step())!.length).toBeGreaterThan(100)
  })

  test('are bought further tickets once for a handle, which says so where the client may have them', async () => {
    const { delegatedCredHandle: credHandle } = await handOver({ retDelegCred: true })
    const asked = { credHandle, targetName: nameToWire(Name.hostbased('ldap@localhost')), mechType: KRB5 }
    const options = [{ option: withNul('sync_modified_creds'), value: withNul('default') }]
    const send = vi.spyOn(delegatingKerberos.world, 'send')
    const first = await call('INIT_SEC_CONTEXT', { ...asked, options }, delegating)
    const bought = send.mock.calls.length
    expect([bought, first.options]).toEqual([1, []])
    for (let i = 0; i < 3; i++) await call('INIT_SEC_CONTEXT', asked, delegating)
    expect(send.mock.calls).toHaveLength(bought)

    // a daemon that has forgotten all that it bought
    const handles = async (served: ProxyService, args: Partial<Args<'INIT_SEC_CONTEXT'>>) =>
      (await call('INIT_SEC_CONTEXT', { ...asked, ...args }, served)).options
    const syncing = { ...stores, name: 'delegating', filterFlags: [], clientSync: true } as const
    const [again, later] = [1, 2].map(() => new KerberosService(delegatingKerberos, syncing))
    expect(await handles(again!, {})).toEqual([])
    const [told] = await handles(later!, { options })
    expect(textFrom(told!.option)).toBe('sync_creds')
    const { value: fresh } = decode(WireCred, told!.value, 'cred')
    expect(fresh.desiredName).toEqual(credHandle!.desiredName)
    send.mockClear()
    expect(await handles(new KerberosService(delegatingKerberos, syncing), { credHandle: fresh, options })).toEqual([])
    expect(send).not.toHaveBeenCalled()
    send.mockRestore()
  })

  test('who showed a ticket are acted for, where the service is to initiate and the KDC allows it (S4U2Proxy)', async () => {
    const own = await call('ACQUIRE_CRED', { credUsage: 'both' }, acting)
    const asked = { targetName: nameToWire(target), mechType: KRB5, reqFlags: 0n }
    // of her forwardable tickets
    const { outputToken } = await call('INIT_SEC_CONTEXT', asked, delegating)
    const args = { credHandle: own.outputCredHandle, inputToken: outputToken!, retDelegCred: true }
    const { delegatedCredHandle } = await call('ACCEPT_SEC_CONTEXT', args, acting)
    expect(textFrom(delegatedCredHandle!.desiredName.displayName)).toBe('alice@LAB.TEST')
    expect((await initiate(delegatedCredHandle, 'ldap@localhost', acting)).status.majorStatus).toBe(0n)
    expect((await initiate(delegatedCredHandle, 'imap@localhost', acting)).status.majorStatus).not.toBe(0n)
    const { outputToken: another } = await call('INIT_SEC_CONTEXT', asked, delegating)
    const seen = await call('ACQUIRE_CRED', { credUsage: 'both' }, seeing)
    const plain = { credHandle: seen.outputCredHandle, inputToken: another!, retDelegCred: true }
    expect(await call('ACCEPT_SEC_CONTEXT', plain, seeing)).toMatchObject({
      ...{ status: { majorStatus: 0n }, delegatedCredHandle: undefined },
    })
  })

  const impersonated = async (served: ProxyService, user = 'alice@LAB.TEST') => {
    const own = await call('ACQUIRE_CRED', { credUsage: 'initiate' }, served)
    const options = [{ option: withNul('acquire_type'), value: withNul('impersonate_name') }]
    const desiredName = nameToWire(Name.principal(user))
    const asked = { inputCredHandle: own.outputCredHandle, desiredName, credUsage: 'initiate', options } as const
    return call('ACQUIRE_CRED', asked, served)
  }
  const initiate = (credHandle: Cred | undefined, service: string, served: ProxyService) =>
    call(
      'INIT_SEC_CONTEXT',
      { credHandle, targetName: nameToWire(Name.hostbased(service)), mechType: KRB5, reqFlags: 0n },
      served,
    )

  test('who are not there are had and used as far as the service and the KDC allow (S4U2Self, S4U2Proxy)', async () => {
    const { outputCredHandle } = await impersonated(acting)
    expect(textFrom(outputCredHandle!.desiredName.displayName)).toBe('alice@LAB.TEST')
    const { outputToken } = await initiate(outputCredHandle, 'ldap@localhost', acting)
    const creds = await realm.kerberos().acquire({ usage: 'accept', store: { keytab: realm.keytab('ldap/localhost') } })
    const acceptor = new SecurityContext({ usage: 'accept', creds, mech: realm.kerberos().krb5 })
    await acceptor.step(outputToken!)
    expect(acceptor.initiatorName.text).toBe('alice@LAB.TEST')
    const denied = await initiate(outputCredHandle, 'imap@localhost', acting)
    expect(denied.status.majorStatus).not.toBe(0n)
    // the service's own ticket-granting ticket does not stand in for the KDC's leave where the user is the service itself
    const self = await impersonated(acting, 'HTTP/localhost@LAB.TEST')
    expect((await initiate(self.outputCredHandle, 'ldap@localhost', acting)).status.majorStatus).toBe(0n)
    expect((await initiate(self.outputCredHandle, 'imap@localhost', acting)).status.majorStatus).not.toBe(0n)
    // a service that may have them and not use them
    const { outputCredHandle: seen } = await impersonated(seeing)
    expect(await initiate(seen, 'ldap@localhost', seeing)).toMatchObject({ status: { majorStatus: 0xf0000n } })
  })
})

describe('names and mechanisms', () => {
  test('krb5 has something in every list that MIT’s interposer looks at', async () => {
    const { mechs } = await call('INDICATE_MECHS', {})
    expect(mechs).toHaveLength(1)
    for (const set of ['nameTypes', 'mechAttrs', 'knownMechAttrs'] as const)
      expect(mechs[0]![set].length).toBeGreaterThan(0)
  })
  test('a name stays as it is, unless a mechanism is to know it', async () => {
    const inputName = nameToWire(Name.hostbased('HTTP@localhost'))
    expect((await call('IMPORT_AND_CANON_NAME', { inputName })).outputName).toEqual(inputName)
    const { outputName } = await call('IMPORT_AND_CANON_NAME', { inputName, mech: KRB5 })
    expect(textFrom(outputName!.displayName)).toBe('HTTP/localhost@LAB.TEST')
    expect(toHex(outputName!.nameType)).toBe(toHex(oidOctets(nameTypeOids.krb5Principal)))
  })
  test('the local user that a name stands for is told in an option, without NUL', async () => {
    const options = [{ option: withNul('localname'), value: new Uint8Array(0) }]
    const ask = (text: string) =>
      call('IMPORT_AND_CANON_NAME', { inputName: nameToWire(Name.principal(text)), mech: KRB5, options })
    expect(await ask('alice@LAB.TEST')).toMatchObject({
      ...{ status: { majorStatus: 0n }, outputName: undefined },
      options: [{ option: withNul('localname'), value: utf8('alice') }],
    })
    // as gssproxy has it: GSS_S_UNAVAILABLE
    expect(await ask('HTTP/localhost@LAB.TEST')).toMatchObject({ status: { majorStatus: 0x100000n }, options: [] })
  })
  test('a name or an identifier that is none fails, in a call that is one', async () => {
    const failed = { status: { majorStatus: 0xd0000n, mech: KRB5 }, outputName: undefined }
    const inputName = { ...nameToWire(undefined), displayName: Uint8Array.of(0xff, 0x61) }
    expect(await call('IMPORT_AND_CANON_NAME', { inputName })).toMatchObject(failed)
    const mech = Uint8Array.of(0x80)
    expect(await call('IMPORT_AND_CANON_NAME', { inputName: nameToWire(target), mech })).toMatchObject(failed)
  })
  test('an exported name is read', async () => {
    const exportedName = recorded.find(({ file }) => file === '06-ACQUIRE_CRED-reply.bin')!.octets.slice(0x74, 0x94)
    const inputName = { ...nameToWire(undefined), exportedName }
    expect(textFrom((await call('IMPORT_AND_CANON_NAME', { inputName })).outputName!.displayName)).toBe('alice@GP.TEST')
  })
})

describe('what came from real clients', () => {
  test.each(recorded.filter(({ direction }) => direction === 'call'))(
    '$file is answered',
    async ({ octets, procedure }) => {
      const reply = (await server.respond(octets, service))!
      const results = parseReply(reply, new OctetReader(octets).uint32())
      expect(() => decode(procedures[procedure].result as Xdr<unknown>, results, procedure)).not.toThrow()
    },
  )
  test('and is answered, refused or hung up on when any word of it is another', async () => {
    for (const { octets } of recorded.filter(({ file }) => /^(08|09|06)-.*call/.test(file)))
      for (let at = 0; at + 4 <= octets.length; at += 4) {
        const changed = octets.slice()
        changed.fill(0xff, at, at + 4)
        await server.respond(changed, other)
      }
  })
  test('no procedure has number 16, nor 0', async () => {
    for (const number of [0, 16])
      await expect(async () =>
        parseReply((await server.respond(formatCall(1, number, new Uint8Array(8)), service))!, 1),
      ).rejects.toThrow('PROC_UNAVAIL')
  })
  test('a daemon’s refusal is an error of GSS-API', async () => {
    const mech = bind(gssProxyMechanism(realm.kerberos().krb5), { call: () => new Uint8Array(3) })
    const client = new SecurityContext({ usage: 'initiate', name: target, creds, mech })
    await expect(client.step()).rejects.toBeInstanceOf(GssError)
  })
})
