/**
 * Captures of a login, a service ticket and a change of password, MIT's tools against Samba 4.17, which dumpcap 4.0.17
 * recorded (`vectors/captures`, with the keys of krbtgt and HTTP as Samba exported them; alice's password was alice-pw).
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { OctetReader, OctetWriter } from '../../src/bytes/cursor.ts'
import { concat, fromHex, toHex, utf8 } from '../../src/bytes/index.ts'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { type Frame, framesOf } from '../../src/inspect/capture.ts'
import { formatItems, type InspectOptions, type Item, inspect } from '../../src/inspect/index.ts'
import { keysOf, parseKeytab } from '../../src/store/keytab.ts'

const file = (name: string) => new Uint8Array(readFileSync(new URL(`../../vectors/captures/${name}`, import.meta.url)))
const whole = file('login-to-samba.pcapng')
const udp = file('login-to-samba-by-udp.pcap')
const text = (input: Uint8Array, options?: InspectOptions) => formatItems(inspect(input, options)).join('\n')
/** The messages of a capture, without the times and ports that stand before them. */
const messagesOf = (items: readonly Item[]) =>
  items[0]!.items.flatMap(({ label, items: [message] }) => (/ > /.test(label) ? [message!.label] : []))
const KRB_ERROR = 'KRB-ERROR'

test('tells the messages in their order, each with its time and between whom', () => {
  const items = inspect(whole)
  expect(items[0]!.items[0]!.label).toBe('2026-11-28T05:15:45.876241Z UDP 127.0.0.1:51809 > 127.156.12.201:88')
  expect(messagesOf(items)).toEqual([
    ...['AS-REQ', KRB_ERROR, 'AS-REQ', KRB_ERROR, 'AS-REQ', 'AS-REP', 'TGS-REQ', 'TGS-REP'],
    ...['AS-REQ', KRB_ERROR, 'AS-REQ', 'AS-REP', 'kpasswd', 'kpasswd'],
  ])
  expect(items[0]!.items.at(-1)).toMatchObject({ label: 'packets', text: '54, of which 54 have to do with Kerberos' })
})

test('is opened through and through by two keys and a password, and gives none of them away', () => {
  const keys = keysOf(parseKeytab(file('samba.keytab')), enctypes)
  const told = text(whole, { keys, password: 'alice-pw' })
  expect(told).not.toContain('no key at hand')
  expect(told).toContain('PAC: verified: server, kdc, ticket, full signatures verified')
  expect(told).toContain('result: 0: Password changed')
  const chosen = toHex(utf8('New-pass-1'))
  expect(told).not.toContain(chosen)
  expect(text(whole, { keys, password: 'alice-pw', showKeys: true })).toContain(`userData: ${chosen}`)
})

/** The same frames as other programs and other links have them. */
describe('are the same messages', () => {
  const frames = [...framesOf(whole)]
  const expected = messagesOf(inspect(whole))

  test('in the older format, of a machine of either byte order, in microseconds and nanoseconds', () => {
    for (const littleEndian of [true, false])
      for (const unit of [1, 1000]) expect(messagesOf(inspect(pcap(frames, { littleEndian, unit })))).toEqual(expected)
    expect(messagesOf(inspect(udp))).toEqual(expected.slice(0, 4))
  })

  const ethernet = 14
  test.each([
    ['without a link', 101, new Uint8Array()],
    ['on the loopback of BSD', 0, Uint8Array.of(2, 0, 0, 0)],
    ['on any interface of Linux', 113, new Uint8Array(16)],
    ['on any interface of Linux, second version', 276, new Uint8Array(20)],
    ['in a VLAN', 1, fromHex('000000000000000000000000810000010800')],
    ['in a VLAN in a VLAN', 1, fromHex('00000000000000000000000088a80001810000020800')],
  ])('%s', (_, linkType, header) => {
    const other = frames.map(({ time, octets }) => ({
      linkType,
      time,
      octets: concat(header, octets.subarray(ethernet)),
    }))
    expect(messagesOf(inspect(pcap(other)))).toEqual(expected)
  })

  test('over IPv6, with an extension header', () => {
    const told = inspect(
      pcap(frames.map((frame) => ({ ...frame, linkType: 229, octets: asIpv6(frame.octets.subarray(ethernet)) }))),
    )
    expect(messagesOf(told)).toEqual(expected)
    expect(told[0]!.items[0]!.label).toMatch(/ UDP \[::1\]:51809 > \[2001:db8::2\]:88$/)
  })

  test('when segments come twice, out of their order, and in pieces', () => {
    const [, , , , , , , first] = frames
    const pieces = frames.flatMap((frame) => cut(frame, 100))
    expect(messagesOf(inspect(pcap(pieces)))).toEqual(expected)
    expect(
      messagesOf(
        inspect(pcap(frames.flatMap((frame) => [frame, frame]).filter((frame) => !isUdp(frame) || frame === first))),
      ),
    ).toEqual(expected.slice(4))
    const swapped = pieces.map((frame, i) => pieces[dataSwap(pieces, i)] ?? frame)
    expect(messagesOf(inspect(pcap(swapped))).sort()).toEqual([...expected].sort())
  })

  // As Linux cut it for a link of 1280 octets; the request is that of the capture.
  test('when Linux cut it into pieces, for IPv4 and for IPv6', () => {
    const [told] = inspect(file('in-pieces.pcap'))
    const request = inspect(whole)[0]!.items.find(({ items: [message] }) => message?.label === 'TGS-REQ')!
    expect(told!.items.slice(0, 2).map(({ items }) => items)).toEqual([request.items, request.items])
  })

  test.each([
    ['in their order', (pieces: readonly Frame[]) => pieces],
    ['the other way round', (pieces: readonly Frame[]) => [...pieces].reverse()],
    ['each of them twice', (pieces: readonly Frame[]) => pieces.flatMap((piece) => [piece, piece])],
  ])('when the network cuts datagrams into pieces: %s', (_, order) => {
    const four = frames.slice(0, 4)
    expect(messagesOf(inspect(pcap(four.flatMap((frame, i) => order(inPieces(frame, i))))))).toEqual(
      expected.slice(0, 4),
    )
    const sixth = four.flatMap((frame, i) => order(inPieces(frame, i, true)))
    expect(messagesOf(inspect(pcap(sixth)))).toEqual(expected.slice(0, 4))
  })

  test('on ports that nobody knows, where they look like messages', () => {
    const moved = frames.map((frame) => ({ ...frame, octets: withPorts(frame.octets, [88, 8888]) }))
    expect(messagesOf(inspect(pcap(moved)))).toEqual(expected)
  })
})

describe('what is missing is told', () => {
  const frames = [...framesOf(whole)]
  test('a segment that was not captured', () => {
    const reply = frames.findIndex(({ octets }) => octets.length === 1558)
    const cutUp = frames.flatMap((frame, i) => (i === reply ? cut(frame, 500).slice(1) : [frame]))
    expect(text(pcap(cutUp))).toMatch(
      /^ {2}!: TCP 127\.156\.12\.201:88 > 127\.0\.0\.1:43610: segments were not captured/m,
    )
  })
  test('the end of a message', () => {
    const reply = frames.findIndex(({ octets }) => octets.length === 1558)
    expect(text(pcap([...frames.slice(0, reply), ...cut(frames[reply]!, 500).slice(0, 2)]))).toMatch(
      /^ {2}!: TCP 127\.156\.12\.201:88 > 127\.0\.0\.1:43610: 1000 octets of a message that was not captured to its end$/m,
    )
  })
  test('a piece of a datagram', () => {
    const [first, ...rest] = inPieces(frames[1]!, 1)
    expect(text(pcap([frames[0]!, ...rest]))).toMatch(/^ {2}!: 1 datagrams in pieces of which some were not captured$/m)
    expect(text(pcap([first!, rest[0]!]))).not.toContain('KRB-ERROR')
  })
  test('the end of the file', () => {
    for (const capture of [whole, udp])
      expect(text(capture.subarray(0, -10))).toMatch(/^ {2}!: the capture cannot be read on: /m)
  })
  test('packets of others are counted, no more', () => {
    const others = frames.map((frame) => ({ ...frame, octets: withPorts(frame.octets, [88, 53], true) }))
    expect(text(pcap(others.slice(4, 8)))).toBe(
      `capture: ${pcap(others.slice(4, 8)).length} octets\n  packets: 4, of which 0 have to do with Kerberos`,
    )
  })
})

/** tcpdump's format. */
function pcap(frames: readonly Frame[], { littleEndian = true, unit = 1 } = {}): Uint8Array {
  const writer = new OctetWriter({ littleEndian })
  writer
    .uint32(unit === 1 ? 0xa1b2c3d4 : 0xa1b23c4d)
    .uint16(2)
    .uint16(4)
    .uint32(0)
    .uint32(0)
    .uint32(262_144)
  writer.uint32(frames[0]!.linkType)
  for (const { time = 0, octets } of frames)
    writer
      .uint32(Math.floor(time / 1e6))
      .uint32(Math.floor(time % 1e6) * unit)
      .uint32(octets.length)
      .uint32(octets.length)
      .octets(octets)
  return writer.finish()
}

const ETHERNET = 14
const IPV4 = 20
const isUdp = ({ octets }: Frame) => octets[ETHERNET + 9] === 17

/** A segment as several of at most `size` octets; anything else as it is. */
function cut(frame: Frame, size: number): readonly Frame[] {
  if (isUdp(frame)) return [frame]
  const start = ETHERNET + IPV4 + (frame.octets[ETHERNET + IPV4 + 12]! >> 4) * 4
  const payload = frame.octets.subarray(start)
  if (payload.length <= size) return [frame]
  return Array.from({ length: Math.ceil(payload.length / size) }, (_, i) => {
    const octets = concat(frame.octets.subarray(0, start), payload.subarray(i * size, (i + 1) * size))
    const view = new DataView(octets.buffer)
    view.setUint16(ETHERNET + 2, octets.length - ETHERNET)
    view.setUint32(ETHERNET + IPV4 + 4, view.getUint32(ETHERNET + IPV4 + 4) + i * size)
    return { ...frame, octets }
  })
}

/** A datagram as the network cuts it up for links of 64 octets (RFC 791 §3.2, RFC 8200 §4.5). */
function inPieces({ octets, ...frame }: Frame, id: number, sixth = false): readonly Frame[] {
  const packet = octets.subarray(ETHERNET)
  const payload = packet.subarray(IPV4)
  return Array.from({ length: Math.ceil(payload.length / 64) }, (_, i) => {
    const piece = payload.subarray(64 * i, 64 * i + 64)
    const more = 64 * (i + 1) < payload.length
    if (sixth) {
      const whole = asIpv6(packet)
      const header = whole.slice(0, 40)
      header[6] = 44
      new DataView(header.buffer).setUint16(4, 8 + piece.length)
      const cutUp = new OctetWriter()
        .uint8(packet[9]!)
        .uint8(0)
        .uint16(64 * i + Number(more))
        .uint32(id)
        .finish()
      return { ...frame, linkType: 229, octets: concat(header, cutUp, piece) }
    }
    const cutUp = concat(octets.subarray(0, ETHERNET + IPV4), piece)
    const view = new DataView(cutUp.buffer)
    view.setUint16(ETHERNET + 2, IPV4 + piece.length)
    view.setUint16(ETHERNET + 4, id)
    view.setUint16(ETHERNET + 6, (more ? 0x2000 : 0) | (8 * i))
    return { ...frame, octets: cutUp }
  })
}

/** Where the frame comes from that stands at `i` when neighbours of one connection change places. */
function dataSwap(frames: readonly Frame[], i: number): number {
  const other = i % 2 === 0 ? i + 1 : i - 1
  const [a, b] = [frames[i], frames[other]]
  const isData = (frame: Frame | undefined) => frame && !isUdp(frame) && frame.octets.length > 90
  const flow = (frame: Frame) => toHex(frame.octets.subarray(ETHERNET + 12, ETHERNET + IPV4 + 4))
  return a && b && isData(a) && isData(b) && flow(a) === flow(b) ? other : i
}

function asIpv6(packet: Uint8Array): Uint8Array {
  const [protocol, transport] = [packet[9]!, packet.subarray(IPV4)]
  const address = (last: string) => fromHex(last.padStart(32, '0'))
  const isRequest = packet[12] === 127 && packet[13] === 0
  const [near, far] = [address('1'), fromHex('20010db8000000000000000000000002')]
  return new OctetWriter()
    .uint32(0x6000_0000)
    .uint16(transport.length + 8)
    .uint8(0)
    .uint8(64)
    .octets(isRequest ? near : far)
    .octets(isRequest ? far : near)
    .uint8(protocol)
    .uint8(0)
    .octets(new Uint8Array(6))
    .octets(transport)
    .finish()
}

function withPorts(octets: Uint8Array, [from, to]: readonly [number, number], alsoNoise = false): Uint8Array {
  const copy = new Uint8Array(octets)
  const at = ETHERNET + IPV4
  const reader = new OctetReader(copy.subarray(at))
  const ports = [reader.uint16(), reader.uint16()].map((port) => (port === from || port === 464 ? to : port))
  new DataView(copy.buffer).setUint32(at, ports[0]! * 65_536 + ports[1]!)
  if (alsoNoise) copy.fill(0x20, at + 20)
  return copy
}
