/** Contexts as applications make them: client against our own KDC and our own acceptor. */
import {
  type ChannelBindings,
  type Credentials,
  GssError,
  type GssFlag,
  type IovBuffer,
  Name,
  SecurityContext,
} from 'kerb/gss'
import { type Kerberos, type Realm, startRealm } from 'kerb/node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { concat, equal, fromHex, fromUtf8, toHex, utf8 } from '../../src/bytes/index.ts'

let realm: Realm
let kerberos: Kerberos
let alice: Credentials
let service: Credentials
const www = Name.hostbased('HTTP@www.lab.test')

beforeAll(async () => {
  realm = await startRealm({
    users: { alice: 'alice-pw' },
    services: { 'HTTP/www.lab.test': {}, 'HTTP/trusted.lab.test': { okAsDelegate: true }, 'HTTP/next.lab.test': {} },
  })
  kerberos = realm.kerberos()
  alice = (await kerberos.login('alice', { password: 'alice-pw', forwardable: true })).credentials
  const keytab = realm.keytab('HTTP/www.lab.test', 'HTTP/trusted.lab.test')
  service = await kerberos.acquire({ usage: 'accept', store: { keytab } })
})
afterAll(() => realm[Symbol.asyncDispose]())

interface PairOptions {
  readonly flags?: readonly GssFlag[]
  readonly name?: Name
  readonly creds?: Credentials
  readonly ours?: ChannelBindings
  readonly theirs?: ChannelBindings
  readonly report?: boolean
}

/** Both ends of a context, and the tokens it took. */
async function pair({ flags, name = www, creds = alice, ours, theirs, report }: PairOptions = {}) {
  const disorder = report ? 'report' : 'refuse'
  const mech = kerberos.krb5
  const client = new SecurityContext({ usage: 'initiate', name, creds, mech, flags, channelBindings: ours, disorder })
  const server = new SecurityContext({ usage: 'accept', creds: service, mech, channelBindings: theirs, disorder })
  const tokens: Uint8Array[] = []
  for (let token = await client.step(); token; ) {
    tokens.push(token)
    const answer = await server.step(token)
    if (answer) tokens.push(answer)
    token = answer && (await client.step(answer))
  }
  return { client, server, tokens }
}

describe('the services of a context (RFC 2743 §1.2)', () => {
  const askable: readonly GssFlag[] = ['mutualAuthentication', 'replayDetection', 'outOfSequenceDetection', 'dceStyle']
  const sets = Array.from({ length: 16 }, (_, n) => askable.filter((_flag, bit) => n & (1 << bit)))

  test.each(sets.map((flags) => ({ flags })))('$flags come out the same on both sides', async ({ flags }) => {
    const { client, server, tokens } = await pair({ flags })
    const dce = flags.includes('dceStyle')
    const mutual = dce || flags.includes('mutualAuthentication')
    expect([client.complete, server.complete]).toEqual([true, true])
    expect(tokens).toHaveLength(dce ? 3 : mutual ? 2 : 1)
    expect([...client.actualFlags].sort()).toEqual([...server.actualFlags].sort())
    for (const flag of askable.slice(1)) expect(client.actualFlags.has(flag)).toBe(flags.includes(flag))
    expect(client.actualFlags.has('mutualAuthentication')).toBe(mutual)
    const message = utf8('there and back')
    expect(fromUtf8(client.decrypt(server.encrypt(server.decrypt(client.encrypt(message)))))).toBe('there and back')
    expect(client.pseudoRandom(message, 100)).toEqual(server.pseudoRandom(message, 100))
    expect(client.pseudoRandom(message, 100, 'partial')).toEqual(server.pseudoRandom(message, 100, 'partial'))
    expect(client.sessionKey()).toEqual(server.sessionKey())
  })

  test('pseudo-random octets differ by key and seed, and are bounded', async () => {
    const { client } = await pair()
    const make = (seed: string, key?: 'partial') => client.pseudoRandom(utf8(seed), 32, key)
    expect(equal(make('a'), make('b'))).toBe(false)
    expect(equal(make('a'), make('a', 'partial'))).toBe(false)
    expect(equal(make('a'), client.pseudoRandom(utf8('a'), 64).subarray(0, 32))).toBe(true)
    expect(() => client.pseudoRandom(utf8('a'), 1e9)).toThrow('GSS_S_FAILURE')
  })

  test('a message in another order is refused, or told of', async () => {
    const flags: GssFlag[] = ['replayDetection', 'outOfSequenceDetection']
    const strict = await pair({ flags })
    const [first, second] = [1, 2].map((n) => strict.client.wrap(Uint8Array.of(n)).message)
    expect(() => strict.server.unwrap(second!)).toThrow('GSS_S_GAP_TOKEN')
    expect(() => strict.server.unwrap(first!)).toThrow('GSS_S_UNSEQ_TOKEN')
    expect(() => strict.server.unwrap(first!)).toThrow('GSS_S_DUPLICATE_TOKEN')

    const lenient = await pair({ flags, report: true })
    const sent = [1, 2, 3].map((n) => lenient.client.wrap(Uint8Array.of(n)).message)
    const order = [0, 2, 1, 1].map((n) => lenient.server.unwrap(sent[n]!))
    expect(order.map(({ supplementary }) => supplementary)).toEqual([
      undefined,
      'GSS_S_GAP_TOKEN',
      'GSS_S_UNSEQ_TOKEN',
      'GSS_S_DUPLICATE_TOKEN',
    ])
    expect(order[2]!.message).toEqual(Uint8Array.of(2))
  })
})

describe('delegation (RFC 4121 §4.1.1, RFC 5896)', () => {
  const trusted = Name.hostbased('HTTP@trusted.lab.test')

  test('hands over credentials that reach the next service in the user’s name', async () => {
    const { client, server } = await pair({ flags: ['mutualAuthentication', 'delegateToPeer'] })
    expect(client.actualFlags.has('delegateToPeer')).toBe(true)
    expect(server.actualFlags.has('delegateToPeer')).toBe(true)
    using delegated = server.delegatedCredentials!
    expect([delegated.name!.text, delegated.usage]).toEqual(['alice@LAB.TEST', 'initiate'])
    server[Symbol.dispose]()
    const onward = await pair({ creds: delegated, name: trusted })
    expect(onward.server.initiatorName.text).toBe('alice@LAB.TEST')
  })

  test.each([
    [www, false],
    [trusted, true],
  ])('as the realm’s policy has it, %s gets them: %s', async (name, gets) => {
    const { client, server } = await pair({ name, flags: ['okAsDelegate'] })
    expect(server.delegatedCredentials !== undefined).toBe(gets)
    expect(client.actualFlags.has('delegateToPeer')).toBe(gets)
    expect(client.actualFlags.has('okAsDelegate')).toBe(gets)
  })

  test('is left out when it was not asked for, and when the ticket is not forwardable', async () => {
    expect((await pair()).server.delegatedCredentials).toBeUndefined()
    const login = await kerberos.login('alice', { password: 'alice-pw', forwardable: false })
    const { client, server } = await pair({ creds: login.credentials, flags: ['delegateToPeer'] })
    expect(client.actualFlags.has('delegateToPeer')).toBe(false)
    expect(server.delegatedCredentials).toBeUndefined()
  })
})

describe('channel bindings (RFC 4121 §4.1.1.2)', () => {
  const channel = { applicationData: utf8('tls-server-end-point:0123456789') }
  const another = { applicationData: utf8('tls-server-end-point:9876543210') }

  test.each([
    ['both sides', channel, channel, true],
    ['the initiator alone', channel, undefined, false],
    ['the acceptor alone', undefined, channel, false],
    ['neither side', undefined, undefined, false],
  ])('given by %s', async (_, ours, theirs, bound) => {
    const { server } = await pair({ ...(ours && { ours }), ...(theirs && { theirs }) })
    expect(server.actualFlags.has('channelBound')).toBe(bound)
  })

  test('of another channel end the handshake', async () => {
    await expect(pair({ ours: another, theirs: channel })).rejects.toMatchObject({ major: 'GSS_S_BAD_BINDINGS' })
  })

  test('left out by one who knows of them end it, too (MS-KILE §3.2.5.8)', async () => {
    await expect(pair({ flags: ['channelBound'], theirs: channel })).rejects.toMatchObject({
      major: 'GSS_S_BAD_BINDINGS',
    })
    expect((await pair({ flags: ['channelBound'] })).server.complete).toBe(true)
  })
})

describe('messages in pieces', () => {
  const header: IovBuffer = { type: 'header' }
  const trailer: IovBuffer = { type: 'trailer' }
  const data = (text: string): IovBuffer => ({ type: 'data', octets: utf8(text) })
  const signOnly = (text: string): IovBuffer => ({ type: 'signOnly', octets: utf8(text) })
  const layouts: readonly (readonly IovBuffer[])[] = [
    [header, data('one piece')],
    [header, data('one piece'), trailer],
    [header, signOnly('RPC header'), data('stub'), { type: 'padding' }, signOnly('RPC trailer'), trailer],
    [header, signOnly('RPC header'), data('stub'), signOnly('RPC trailer')],
    [header, data('a'), signOnly('b'), data('c'), trailer],
    [header, data('')],
  ]
  const cases = layouts.flatMap((buffers) =>
    [true, false].flatMap((encrypt) => [true, false].map((dce) => ({ buffers, encrypt, dce }))),
  )
  const all = (buffers: readonly IovBuffer[], type: IovBuffer['type']) =>
    concat(...buffers.filter((buffer) => buffer.type === type).map(({ octets }) => octets!))

  test.each(cases)('$buffers encrypted: $encrypt, DCE style: $dce', async ({ buffers, encrypt, dce }) => {
    const { client, server } = await pair({ flags: dce ? ['dceStyle'] : ['mutualAuthentication'] })
    const wrapped = client.wrapIov(buffers, encrypt)
    expect(wrapped.map(({ type }) => type)).toEqual(buffers.map(({ type }) => type))
    const text = all(buffers, 'data')
    if (encrypt && text.length > 3) expect(equal(all(wrapped, 'data'), text)).toBe(false)
    const opened = server.unwrapIov(wrapped)
    expect(opened.encrypted).toBe(encrypt)
    expect(fromUtf8(all(opened.buffers, 'data'))).toBe(fromUtf8(text))
    // The same as a stream.
    const again = client.wrapIov(buffers, encrypt)
    const parts = buffers.filter(({ type }) => type === 'data').length
    if (buffers.includes(trailer) && parts === 1) {
      const stream = concat(...(['header', 'data', 'trailer'] as const).map((type) => all(again, type)))
      const pieces = buffers.flatMap<IovBuffer>((buffer) =>
        buffer.type === 'signOnly' ? [buffer] : buffer.type === 'data' ? [{ type: 'data' }] : [],
      )
      const read = server.unwrapIov([{ type: 'stream', octets: stream }, ...pieces])
      expect(fromUtf8(all(read.buffers, 'data'))).toBe(fromUtf8(text))
    }
    for (const [index, { type, octets = new Uint8Array(0) }] of again.entries())
      for (let at = 0; at < octets.length; at++) {
        const changed = octets.slice()
        changed[at]! ^= 1
        const tampered = again.map((buffer, i) => (i === index ? { type, octets: changed } : buffer))
        expect(() => server.unwrapIov(tampered), `${type} ${at}`).toThrow(GssError)
      }
  })

  test('are signed together', async () => {
    const { client, server } = await pair()
    const buffers = [signOnly('head'), data('body')]
    server.verifyIov(buffers, client.signIov(buffers))
    expect(() => server.verifyIov([signOnly('head'), data('bodY')], client.signIov(buffers))).toThrow('GSS_S_BAD_SIG')
  })

  test('need one header, and no more', async () => {
    const { client, server } = await pair()
    expect(() => client.wrapIov([data('x')])).toThrow('GSS_S_FAILURE')
    expect(() => client.wrapIov([header, header, data('x')])).toThrow('GSS_S_FAILURE')
    expect(() => server.unwrapIov([data('x')])).toThrow('GSS_S_DEFECTIVE_TOKEN')
  })
})

describe('names (RFC 2743 §1.1.5, §3.2)', () => {
  const canonical = (name: Name) => name.canonicalize(kerberos.krb5)

  test('as MIT exports them (vectors/generated_gss_tokens.json)', () => {
    const token = fromHex('0401000b06092a864886f71201020200000018757365722d6165733132382d637473405645432e54455354')
    const name = canonical(Name.exported(token))
    expect(name.text).toBe('user-aes128-cts@VEC.TEST')
    expect(name.equals(canonical(Name.principal('user-aes128-cts@VEC.TEST')))).toBe(true)
    expect(toHex(name.export())).toBe(toHex(token))
    const composite = concat(Uint8Array.of(4, 2), token.subarray(2), utf8('attributes'))
    expect(canonical(Name.exported(composite)).equals(name)).toBe(true)
    for (let size = 0; size < token.length; size++)
      expect(() => Name.exported(token.subarray(0, size)), `${size} octets`).toThrow('GSS_S_BAD_NAME')
    expect(() => Name.exported(concat(token, Uint8Array.of(0)))).toThrow('GSS_S_BAD_NAME')
    expect(() => Name.principal('alice').export()).toThrow('GSS_S_NAME_NOT_MN')
  })

  test('of nobody, and of users by their address', () => {
    expect(canonical(Name.anonymous()).text).toBe('WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS')
    expect(canonical(Name.enterprise('carol@corp.example')).text).toBe('carol\\@corp.example@LAB.TEST')
  })
})

describe('credentials (RFC 2743 §2.1)', () => {
  test('come of a password, of a client keytab, and are kept in a ccache', async () => {
    const name = Name.user('alice')
    const asked = { usage: 'initiate', name, lifetime: 600 } as const
    using login = await kerberos.acquire({ ...asked, store: { password: 'alice-pw' } })
    expect([login.name!.text, login.usage]).toEqual(['alice@LAB.TEST', 'initiate'])
    expect(login.endtime! - Date.now() / 1000).toBeLessThan(601)
    const verify = realm.keytab('HTTP/www.lab.test')
    await kerberos.acquire({ ...asked, store: { password: 'alice-pw', verify } })
    await expect(kerberos.acquire({ ...asked, store: { password: 'wrong' } })).rejects.toMatchObject({
      code: 'KDC_ERR_PREAUTH_FAILED',
    })
    const store = { ccache: 'MEMORY:none', clientKeytab: realm.keytab('HTTP/next.lab.test') }
    using robot = await kerberos.acquire({ usage: 'initiate', store })
    expect(robot.name!.text).toBe('HTTP/next.lab.test@LAB.TEST')
    await kerberos.store(login, { ccache: 'MEMORY:kept' })
    using kept = await kerberos.acquire({ usage: 'initiate', store: { ccache: 'MEMORY:kept' } })
    expect((await pair({ creds: kept })).server.initiatorName.text).toBe('alice@LAB.TEST')
  })

  test('of a service in a user’s name reach as far as the KDC says', async () => {
    const clientKeytab = realm.keytab('HTTP/next.lab.test')
    const next = await kerberos.acquire({ usage: 'initiate', store: { ccache: 'MEMORY:none', clientKeytab } })
    using impersonated = await kerberos.impersonate(next, Name.user('alice'))
    next[Symbol.dispose]()
    expect(impersonated.name!.text).toBe('alice@LAB.TEST')
    await expect(pair({ creds: impersonated })).rejects.toMatchObject({ minor: 'KDC_ERR_BADOPTION' })
  })
})
