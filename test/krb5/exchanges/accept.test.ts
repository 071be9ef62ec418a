/** AP-REQs that are not what they seem: RFC 4120 §3.2.3 step by step, and the flaws of other libraries that the titles name. */
import { describe, expect, test } from 'vitest'
import { decode, encode } from '../../../src/asn1/codec.ts'
import { deprecatedEnctypes, enctypes } from '../../../src/crypto/enctypes/table.ts'
import { Key } from '../../../src/crypto/key.ts'
import { run } from '../../../src/effects/index.ts'
import type { ServiceKey } from '../../../src/krb5/credential.ts'
import { type Accepted, type Acceptor, acceptAp } from '../../../src/krb5/exchanges/accept.ts'
import { ApReq, type Authenticator } from '../../../src/krb5/messages/ap.ts'
import type { EncTicketPart, Ticket } from '../../../src/krb5/messages/ticket.ts'
import { formatPrincipal, parsePrincipal, principalNameOf } from '../../../src/krb5/names.ts'
import type { KrbQuestions } from '../../../src/krb5/questions.ts'
import { MemoryReplayCache } from '../../../src/krb5/replay.ts'
import { sealedAuthenticator, sealedTicket } from '../../../src/krb5/sealed.ts'
import { fixedEnv } from '../../support/env.ts'

const TIME = 1_800_000_000
const HOUR = 3600
const env = fixedEnv(TIME)
const [enctype] = enctypes
const service = parsePrincipal('HTTP/www.lab.test@LAB.TEST')
const held = (name: string, kvno = 1): ServiceKey => ({
  principal: parsePrincipal(name),
  kvno,
  key: Key.generate(enctype!, env.random),
})
const own = held('HTTP/www.lab.test@LAB.TEST', 3)
const other = held('host/www.lab.test@LAB.TEST')
const alice = { crealm: 'LAB.TEST', cname: principalNameOf(parsePrincipal('alice@LAB.TEST')) }

interface Changes {
  readonly part?: Partial<EncTicketPart>
  readonly authenticator?: Partial<Authenticator>
  readonly shell?: Partial<Ticket>
  readonly key?: ServiceKey
  readonly apOptions?: ApReq['apOptions']
}

/** An AP-REQ of alice's that is right, but for what is changed. */
function message({ part, authenticator, shell, key = own, apOptions = new Set() }: Changes): Uint8Array {
  const session = Key.generate(enctype!, env.random)
  const keyvalue = { keytype: enctype!.id, keyvalue: session.octets() }
  const inside: EncTicketPart = {
    ...{ flags: new Set(), key: keyvalue, ...alice, authtime: TIME, endtime: TIME + HOUR },
    transited: { trType: 1, contents: new Uint8Array(0) },
    ...part,
  }
  const encPart = sealedTicket.seal(key.key, inside, env, key.kvno)
  const ticket = { realm: service.realm, sname: principalNameOf(service), encPart, ...shell }
  const proof = sealedAuthenticator.seal(session, { ...alice, ctime: TIME, cusec: 0, ...authenticator }, env)
  return encode(ApReq, { apOptions, ticket, authenticator: proof })
}

/** Accepts, so many seconds `later`. */
const accept = (octets: Uint8Array, acceptor: Acceptor, replays = new MemoryReplayCache(), later = 0) =>
  run<KrbQuestions, Accepted>(acceptAp(octets, acceptor, { ...env, now: () => (TIME + later) * 1e6 }), {
    send: () => expect.unreachable(),
    prompt: () => expect.unreachable(),
    keep: () => undefined,
    compute: ({ work }) => work(),
    replay: (record) => replays.seen(record),
  })
const codeOf = (accepted: Promise<Accepted>): Promise<string> =>
  accepted.then(
    () => 'accepted',
    (error) => error.code ?? String(error),
  )
const outcome = (changes: Changes, acceptor: Acceptor = { keys: [own, other] }) =>
  accept(message(changes), acceptor).then(
    ({ client, server }) => `${formatPrincipal(client)} -> ${formatPrincipal(server)}`,
    (error) => error.code ?? error,
  )

test('an honest one is accepted', async () =>
  expect(await outcome({})).toBe('alice@LAB.TEST -> HTTP/www.lab.test@LAB.TEST'))

describe('class 3: the authenticator', () => {
  test.each([
    ['another name', { cname: principalNameOf(parsePrincipal('mallory')) }],
    ['another realm', { crealm: 'EVIL.TEST' }],
    ['a name of the same letters in other parts', { cname: { nameType: 1, nameString: ['al', 'ice'] } }],
    ['a name with one more part', { cname: { nameType: 1, nameString: ['alice', ''] } }],
    ['no name', { cname: { nameType: 1, nameString: [] } }],
  ])('of %s than the ticket is refused', async (_, authenticator) =>
    expect(await outcome({ authenticator })).toBe('KRB_AP_ERR_BADMATCH'),
  )
  test('whose type of name alone differs is the same client’s (RFC 4120 §6.2)', async () =>
    expect(await outcome({ authenticator: { cname: { nameType: 10, nameString: ['alice'] } } })).toMatch(/^alice@/))
  test.each([-HOUR, HOUR])('of %i seconds from now is refused', async (off) =>
    expect(await outcome({ authenticator: { ctime: TIME + off } })).toBe('KRB_AP_ERR_SKEW'),
  )
})

describe('class 3: the ticket', () => {
  test('CVE-2017-11103 (Orpheus’ Lyre): says in its encrypted part alone whose it is and for whom', async () => {
    const sname = principalNameOf(other.principal)
    // The name outside is anybody's to change: the acceptor is whose key opened it, and none where that key is not wanted.
    expect(await outcome({ shell: { sname } })).toBe('alice@LAB.TEST -> HTTP/www.lab.test@LAB.TEST')
    expect(await outcome({ shell: { sname } }, { keys: [own, other], principal: other.principal })).not.toMatch(/ -> /)
    expect(await outcome({ shell: { realm: 'EVIL.TEST' } })).toBe('alice@LAB.TEST -> HTTP/www.lab.test@LAB.TEST')
  })
  test('for another service opens for nobody who does not hold its key', async () => {
    expect(await outcome({ key: other }, { keys: [own] })).toMatch(/^KRB_AP_ERR_/)
    expect(await outcome({ key: other }, { keys: [own, other], principal: service })).toMatch(/^KRB_AP_ERR_/)
  })
  test.each([
    ['invalid', { flags: new Set(['invalid'] as const) }, 'KRB_AP_ERR_TKT_NYV'],
    ['not yet valid', { starttime: TIME + HOUR, endtime: TIME + 2 * HOUR }, 'KRB_AP_ERR_TKT_NYV'],
    ['no more valid', { endtime: TIME - HOUR }, 'KRB_AP_ERR_TKT_EXPIRED'],
  ])('that is %s is refused', async (_, part, code) => expect(await outcome({ part })).toBe(code))
  test('that names addresses is refused from others, where the acceptor knows who asks', async () => {
    const address = (last: number) => ({ addrType: 2, address: Uint8Array.of(10, 0, 0, last) })
    const part = { caddr: [address(1), address(2)] }
    const from = (peerAddress?: ReturnType<typeof address>) => outcome({ part }, { keys: [own], peerAddress })
    expect(await from(address(2))).toMatch(/^alice@/)
    expect(await from(address(3))).toBe('KRB_AP_ERR_BADADDR')
    expect(await from({ ...address(2), addrType: 24 })).toBe('KRB_AP_ERR_BADADDR')
    expect(await from()).toMatch(/^alice@/)
    expect(await outcome({}, { keys: [own], peerAddress: address(3) })).toMatch(/^alice@/)
  })
  test('of a client from afar, which went through realms that nobody checked, is refused', async () => {
    const transited = { trType: 1, contents: new TextEncoder().encode('EVIL.TEST') }
    const who = { crealm: 'FAR.TEST', cname: alice.cname }
    expect(await outcome({ part: { ...who, transited }, authenticator: who })).toBe('KRB_AP_PATH_NOT_ACCEPTED')
  })
  test('of a read-only domain controller’s key version is opened by no key but the right one', async () => {
    const sealed = (kvno: number, key: Key) => ({ ...own, kvno, key })
    const foreign = sealed(0x0001_0003, Key.generate(enctype!, env.random))
    expect(await outcome({ key: foreign })).toMatch(/^KRB_AP_ERR_/)
  })
  test('of an enctype that is not spoken is refused, whoever holds its key', async () => {
    const rc4 = deprecatedEnctypes.find(({ id }) => id === 23)!
    const weak = { ...own, key: Key.generate(rc4, env.random) }
    expect(await outcome({ key: weak }, { keys: [weak] })).toBe('KRB_AP_ERR_NOKEY')
  })
  test('of a user’s session key (user-to-user) is not taken for one of a service', async () =>
    expect(await outcome({ apOptions: new Set(['useSessionKey']) })).toBe('KRB_AP_ERR_NOKEY'))
})

test('class 3: what is cut off or changed is refused in the words of the protocol', async () => {
  const honest = message({})
  for (let at = 0; at < honest.length; at++) {
    const changed = new Uint8Array(honest)
    changed[at]! ^= 0x11
    for (const octets of [honest.subarray(0, at), changed]) {
      const told = await accept(octets, { keys: [own] }).then(
        // Names outside prove nothing, and are not looked at.
        ({ client }) => formatPrincipal(client),
        (error) => error.name,
      )
      expect(['KrbError', 'alice@LAB.TEST']).toContain(told)
    }
  }
})

describe('class 4: an AP-REQ that comes twice', () => {
  /** The same AP-REQ, its parts that nothing protects changed. */
  const dressed = (octets: Uint8Array, change: (request: ApReq) => ApReq) =>
    encode(ApReq, change(decode(ApReq, octets)))
  const alias: ServiceKey = { ...own, principal: parsePrincipal('cifs/www.lab.test@LAB.TEST') }
  const sname = principalNameOf(alias.principal)
  const first = message({})

  test.each<[string, (request: ApReq) => ApReq]>([
    ['as it was', (request) => request],
    ['under another name that shares the key', (request) => ({ ...request, ticket: { ...request.ticket, sname } })],
    [
      'with another key version',
      ({ ticket, ...request }) => ({ ...request, ticket: { ...ticket, encPart: { ...ticket.encPart, kvno: 9 } } }),
    ],
    ['with other options', (request) => ({ ...request, apOptions: new Set(['mutualRequired'] as const) })],
    [
      'its authenticator under a key version',
      (request) => ({ ...request, authenticator: { ...request.authenticator, kvno: 1 } }),
    ],
  ])('%s is accepted once', async (_, change) => {
    const replays = new MemoryReplayCache()
    for (const acceptor of [{ keys: [own, alias] }, { keys: [alias, own] }])
      expect(await codeOf(accept(dressed(first, change), acceptor))).toBe('accepted')
    await accept(first, { keys: [own, alias] }, replays)
    for (const acceptor of [{ keys: [own, alias] }, { keys: [alias, own] }, { keys: [alias] }])
      expect(await codeOf(accept(dressed(first, change), acceptor, replays))).toBe('KRB_AP_ERR_REPEAT')
  })

  test('at the same moment, many times, is accepted once', async () => {
    const replays = new MemoryReplayCache()
    const codes = await Promise.all(Array.from({ length: 8 }, () => codeOf(accept(first, { keys: [own] }, replays))))
    expect(codes.filter((code) => code === 'accepted')).toHaveLength(1)
    expect(codes.filter((code) => code === 'KRB_AP_ERR_REPEAT')).toHaveLength(7)
  })

  test('is refused for as long as it is fresh, also when it is dated ahead', async () => {
    const replays = new MemoryReplayCache()
    const ahead = message({ authenticator: { ctime: TIME + 299 } })
    await accept(ahead, { keys: [own] }, replays)
    for (const later of [1, 298, 300, 301, 597])
      expect(await codeOf(accept(ahead, { keys: [own] }, replays, later)), `${later} s`).toBe('KRB_AP_ERR_REPEAT')
    expect(await codeOf(accept(ahead, { keys: [own] }, replays, 600))).toBe('KRB_AP_ERR_SKEW')
  })

  test('of the same client and moment, but another message, is another one', async () => {
    const replays = new MemoryReplayCache()
    for (let n = 0; n < 3; n++) expect(await codeOf(accept(message({}), { keys: [own] }, replays))).toBe('accepted')
  })

  test('is refused as long as the cache has room for no more', async () => {
    const replays = new MemoryReplayCache({ capacity: 1 })
    await accept(first, { keys: [own] }, replays)
    expect(await codeOf(accept(first, { keys: [own] }, replays))).toBe('KRB_AP_ERR_REPEAT')
    expect(await codeOf(accept(message({}), { keys: [own] }, replays))).toBe('REPLAY_CACHE_FULL')
  })

  test('is not remembered when it was refused for another reason: whoever lies uses up no room', async () => {
    const replays = new MemoryReplayCache()
    await codeOf(accept(message({ authenticator: { ctime: TIME - HOUR } }), { keys: [own] }, replays))
    await codeOf(accept(message({ authenticator: { crealm: 'EVIL.TEST' } }), { keys: [own] }, replays))
    await codeOf(
      accept(
        first.map((octet, at) => (at === first.length - 1 ? octet ^ 1 : octet)),
        { keys: [own] },
        replays,
      ),
    )
    expect(replays.size).toBe(0)
  })
})
