/** PACs that nobody honest made: MS-PAC §2, and what went wrong elsewhere (CVE-2022-42898, CVE-2014-6324, CVE-2021-42287). */
import { describe, expect, test } from 'vitest'
import { encode } from '../../../src/asn1/codec.ts'
import { concat } from '../../../src/bytes/index.ts'
import { checksumTypeById, plainChecksum } from '../../../src/crypto/checksums.ts'
import { AuthorizationData } from '../../../src/krb5/messages/basics.ts'
import type { EncTicketPart } from '../../../src/krb5/messages/ticket.ts'
import { PacError } from '../../../src/krb5/pac/error.ts'
import { decodePac, joinBuffers, type PacBuffer } from '../../../src/krb5/pac/pac.ts'
import { signTicket } from '../../../src/krb5/pac/sign.ts'
import { findPac, wrapPac } from '../../../src/krb5/pac/ticket.ts'
import { verifyTicketPac } from '../../../src/krb5/pac/verify.ts'
import { type Recorded, recording, windows2022 } from './recorded.ts'

const samba = recording('s417 alice HTTP/svc.ad.test@AD.TEST')
const granting = recording('s422 alice krbtgt/AD.TEST@AD.TEST')
const pacOf = ({ ticket }: Recorded) => findPac(ticket.authorizationData)!.octets
const withPac = ({ ticket, ...keys }: Recorded, pac: Uint8Array, required?: readonly ('ticket' | 'full')[]) =>
  verifyTicketPac({ ...ticket, authorizationData: [wrapPac(pac)] }, { ...keys, ...(required ? { required } : {}) })
const changed = (octets: Uint8Array, change: (view: DataView, octets: Uint8Array) => void) => {
  const copy = new Uint8Array(octets)
  change(new DataView(copy.buffer), copy)
  return copy
}
/** A PAC of these buffers, its signatures as they are. */
const join = (buffers: readonly PacBuffer[]) => joinBuffers(buffers).octets
const offsetOf = (pac: Uint8Array, type: number) =>
  decodePac(pac).buffers.find((buffer) => buffer.type === type)!.offset

describe.each([samba, granting, windows2022])('$id', (recorded) => {
  const pac = pacOf(recorded)
  const required = recorded === granting ? [] : undefined

  test('is good as it is', () => expect(withPac(recorded, pac, required)).toMatchObject({ state: 'verified' }))

  test('is not believed after any octet was changed', () => {
    const flipped = (at: number) => changed(pac, (_, octets) => (octets[at]! ^= 1 << (at % 8)))
    const believed = [...pac.keys()].filter((at) => withPac(recorded, flipped(at), required).state !== 'invalid')
    expect(believed).toEqual([])
  })

  test('is not believed after being cut anywhere', () => {
    const believed = [...pac.keys()].filter((size) => withPac(recorded, pac.subarray(0, size)).state !== 'invalid')
    expect(believed).toEqual([])
  })

  test('is read into values or PacError, whatever word is put anywhere', () => {
    for (let at = 0; at + 4 <= pac.length; at += 4)
      for (const word of [0, 0x7fff_ffff, 0xffff_ffff])
        try {
          decodePac(changed(pac, (view) => view.setUint32(at, word, true)))
        } catch (error) {
          expect(error).toBeInstanceOf(PacError)
        }
  })
})

describe('class 8: the directory of buffers', () => {
  const pac = pacOf(samba)
  const entry = (i: number) => 8 + 16 * i
  const refused = (change: (view: DataView) => void) => () => decodePac(changed(pac, change))

  test('has no buffer past 2^31, 2^32 or 2^63', () => {
    for (const offset of [2n ** 31n, 2n ** 32n, 2n ** 63n, 2n ** 64n - 8n])
      expect(refused((view) => view.setBigUint64(entry(0) + 8, offset, true))).toThrow(/buffer of type 1 lies at/)
  })
  test('has no buffer of 2^32-1 octets', () =>
    expect(refused((view) => view.setUint32(entry(0) + 4, 0xffff_ffff, true))).toThrow(/buffer of type 1 lies at/))
  test('has no buffer inside itself', () =>
    expect(refused((view) => view.setBigUint64(entry(0) + 8, 8n, true))).toThrow(/buffer of type 1 lies at 8/))
  test('has no buffers that overlap', () => {
    const other = new DataView(pac.buffer, pac.byteOffset).getBigUint64(entry(1) + 8, true)
    expect(refused((view) => view.setBigUint64(entry(2) + 8, other, true))).toThrow(/overlap/)
  })
  test('has no buffer off its boundary', () => {
    const own = new DataView(pac.buffer, pac.byteOffset).getBigUint64(entry(1) + 8, true)
    expect(refused((view) => view.setBigUint64(entry(1) + 8, own + 2n, true))).toThrow(/lies at/)
  })
  test('has no more than 64 of them', () =>
    expect(refused((view) => view.setUint32(0, 0xffff_ffff, true))).toThrow(/4294967295 buffers; at most 64/))
  test('has none twice', () =>
    expect(refused((view) => view.setUint32(entry(1), 1, true))).toThrow('two buffers of one type'))
  test('has the version that there is', () =>
    expect(refused((view) => view.setUint32(4, 1, true))).toThrow('version 1'))
})

describe('class 8: NDR', () => {
  const pac = pacOf(samba)
  const begin = offsetOf(pac, 1)
  const refused = (at: number, word: number) => () =>
    decodePac(changed(pac, (view) => view.setUint32(begin + at, word, true)))
  const groups = 16 + 4 + 48 + 48 + 4 + 8 // header, pointer, times, names, counts, user and group

  test('announces no more elements than there are octets', () => {
    expect(refused(groups, 0xffff_ffff)).toThrow(/PAC.logonInfo.groupIds: array of \d elements where 4294967295/)
    expect(refused(groups, 0)).toThrow(/PAC.logonInfo.groupIds: array of \d elements where 0 were announced/)
  })
  test('points to nothing only where nothing is announced', () =>
    expect(refused(groups + 4, 0)).toThrow(/PAC.logonInfo.groupIds: \d elements announced, pointer to nothing/))
  test('is little-endian', () => expect(refused(0, 0x0008_0001)).toThrow(/not little-endian NDR/))
  test('is no larger than its buffer', () => {
    expect(refused(8, 0xffff_ffff)).toThrow(/object of 4294967295 octets/)
    expect(refused(8, 0x1000)).toThrow(/PAC.logonInfo: 4096 octets wanted/)
  })
  test('tells where it is wrong', () => {
    try {
      refused(groups, 7)()
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ path: 'logonInfo.groupIds', offset: expect.any(Number) })
    }
  })
})

describe('class 8: a signature', () => {
  const pac = pacOf(samba)
  const server = offsetOf(pac, 6)

  test.each([1, 2, 7, 14])('of checksum type %i, which takes no key, proves nothing (CVE-2014-6324)', (id) => {
    // The size differs, so the PAC is put together anew around such a signature.
    const type = checksumTypeById(id)!
    const buffers = decodePac(pac).buffers.map(({ type: kind, octets }) => ({ type: kind, octets }))
    const body = concat(...buffers.map(({ octets }) => octets))
    const fake = concat(new Uint8Array(new Uint32Array([id]).buffer), plainChecksum(type, body))
    const forged = buffers.map((buffer) => (buffer.type === 6 ? { type: 6, octets: fake } : buffer))
    const verdict = withPac(samba, join(forged))
    expect(verdict).toMatchObject({
      state: 'invalid',
      error: { path: 'server signature', reason: `${type.name} is no keyed checksum` },
    })
  })

  test('of a type that is not known proves nothing', () => {
    const verdict = withPac(
      samba,
      changed(pac, (view) => view.setInt32(server, 99, true)),
    )
    expect(verdict).toMatchObject({ state: 'invalid', error: { reason: 'checksum type 99 is no keyed checksum' } })
  })

  test('of a keyed type that is not that of the key proves nothing', () => {
    const verdict = withPac(
      samba,
      changed(pac, (view) => view.setInt32(server, 15, true)),
    )
    expect(verdict).toMatchObject({
      state: 'invalid',
      error: { reason: 'hmac-sha1-96-aes128 does not go with aes256-cts-hmac-sha1-96' },
    })
  })

  test('of a zero-length checksum is none', () => {
    const cut = join(
      decodePac(pac).buffers.map(({ type, octets }) => ({ type, octets: type === 6 ? octets.subarray(0, 4) : octets })),
    )
    expect(withPac(samba, cut)).toMatchObject({ state: 'invalid', error: { path: 'server signature' } })
  })

  test('that is longer than its checksum is none', () => {
    const long = join(
      decodePac(pac).buffers.map(({ type, octets }) => ({
        type,
        octets: type === 6 ? concat(octets, new Uint8Array(8)) : octets,
      })),
    )
    expect(withPac(samba, long)).toMatchObject({
      state: 'invalid',
      error: { reason: '24 octets for a checksum of 12' },
    })
  })

  test.each([6, 7])('of type %i is never missing', (gone) => {
    const less = join(decodePac(pac).buffers.filter(({ type }) => type !== gone))
    expect(withPac(samba, less)).toMatchObject({ state: 'invalid' })
  })

  test('of the server alone does not carry over to another ticket of the same service', () => {
    const other = recording('s417 proxy svc2/localhost@AD.TEST')
    const verdict = verifyTicketPac({ ...other.ticket, authorizationData: samba.ticket.authorizationData! }, samba)
    expect(verdict).toMatchObject({ state: 'invalid', error: { path: 'clientInfo.authtime' } })
  })

  test('of the ticket tells when a flag was changed (Bronze Bit, CVE-2020-17049)', () => {
    const flags = new Set(samba.ticket.flags)
    if (!flags.delete('forwardable')) flags.add('forwardable')
    const verdict = verifyTicketPac({ ...samba.ticket, flags }, samba)
    expect(verdict).toMatchObject({ state: 'invalid', error: { path: 'ticket signature' } })
    expect(verifyTicketPac({ ...samba.ticket, flags }, { serverKey: samba.serverKey })).toMatchObject({
      state: 'partial',
    })
  })
})

describe('class 8: whose a PAC is', () => {
  const [kdcKey] = samba.kdcKeys
  const bare: EncTicketPart = { ...samba.ticket, authorizationData: [] }
  const content = decodePac(pacOf(granting))
  const { attributes: _, octets: _o, buffers: _b, signatures: _s, ...told } = content
  const clientInfo = { name: 'alice', authtime: samba.ticket.authtime }
  const verdictOf = (source: Parameters<typeof signTicket>[1]) =>
    verifyTicketPac(
      { ...bare, authorizationData: signTicket(bare, source, { serverKey: samba.serverKey, kdcKey: kdcKey! }) },
      samba,
    )

  test('is the client of the ticket', () => {
    expect(verdictOf({ ...told, clientInfo })).toMatchObject({ state: 'verified' })
    expect(verdictOf({ ...told, clientInfo: { ...clientInfo, name: 'alice@AD.TEST' } })).toMatchObject({
      state: 'verified',
    })
  })
  test.each(['bob', 'alice@OTHER.TEST', 'ALICE', 'alice$', ''])('is not %s', (name) =>
    expect(verdictOf({ ...told, clientInfo: { ...clientInfo, name } })).toMatchObject({
      error: { path: 'clientInfo.name' },
    }),
  )
  test('is not one who logged on at another time', () =>
    expect(verdictOf({ ...told, clientInfo: { ...clientInfo, authtime: clientInfo.authtime - 1 } })).toMatchObject({
      error: { path: 'clientInfo.authtime' },
    }))
  test('is not told without a name', () => {
    const { clientInfo: _, ...nameless } = told
    expect(verdictOf(nameless)).toMatchObject({ error: { reason: 'it names no client' } })
  })
  test('is not one who asked under another SID (noPac, CVE-2021-42287)', () =>
    expect(verdictOf({ ...told, clientInfo, requestor: 'S-1-5-21-357651206-2948158097-494653529-500' })).toMatchObject({
      error: { path: 'requestor' },
    }))
  test('is not another account than the one whose name it tells', () => {
    const upnDns = { ...told.upnDns!, sid: 'S-1-5-21-357651206-2948158097-494653529-500' }
    expect(verdictOf({ ...told, clientInfo, upnDns })).toMatchObject({ error: { path: 'upnDns.sid' } })
  })
})

describe('class 8: authorization data', () => {
  const pac = pacOf(samba)
  const nested = (depth: number) => {
    let data: AuthorizationData = [wrapPac(pac)]
    for (let i = 1; i < depth; i++) data = [{ adType: 1, adData: encode(AuthorizationData, data) }]
    return data
  }
  test('has one PAC', () => {
    const verdict = verifyTicketPac({ ...samba.ticket, authorizationData: [wrapPac(pac), wrapPac(pac)] }, samba)
    expect(verdict).toMatchObject({ state: 'invalid', error: { reason: 'the ticket has 2 PACs' } })
  })
  test('is looked into to a certain depth', () => {
    expect(findPac(nested(4))).toBeDefined()
    expect(() => findPac(nested(5))).toThrow('nested too deeply')
  })
  test('that cannot be read is told of', () =>
    expect(
      verifyTicketPac({ ...samba.ticket, authorizationData: [{ adType: 1, adData: new Uint8Array(3) }] }, samba),
    ).toMatchObject({ state: 'invalid', error: { reason: expect.stringContaining('cannot be read') } }))
})
