/** GSS-Proxy's messages against what gssproxy 0.9.1, MIT's interposer and a direct client sent (`vectors/gssproxy`). */
import { describe, expect, test } from 'vitest'
import { BoundsError, OctetReader } from '../../src/bytes/cursor.ts'
import { concat, fromUtf8, toHex } from '../../src/bytes/index.ts'
import { procedureOf, procedures } from '../../src/gssproxy/procedures.ts'
import { formatCall, formatReply, parseCall, parseReply } from '../../src/gssproxy/rpc.ts'
import { decode, encode, list, opaque, word, type Xdr, XdrError } from '../../src/gssproxy/xdr.ts'
import { type Recorded, recorded } from './recorded.ts'

const xidOf = (octets: Uint8Array) => new OctetReader(octets).uint32()
const typeOf = ({ procedure, direction }: Recorded): Xdr<unknown> =>
  procedures[procedure][direction === 'call' ? 'args' : 'result']
function bodyOf({ octets, direction, procedure }: Recorded): Uint8Array {
  if (direction === 'reply') return parseReply(octets, xidOf(octets))
  const call = parseCall(octets)
  if ('refusal' in call) throw new XdrError(call.refusal)
  expect(procedureOf(call.procedure)).toBe(procedure)
  return call.args
}
const again = (message: Recorded, body: Uint8Array) =>
  message.direction === 'call'
    ? formatCall(xidOf(message.octets), procedures[message.procedure].number, body)
    : formatReply(xidOf(message.octets), body)

describe('every recorded message', () => {
  test('is here: both directions of all 15 procedures', () => {
    const kinds = new Set(recorded.map(({ procedure, direction }) => `${procedure} ${direction}`))
    expect(kinds.size).toBe(30)
  })

  test.each(recorded)('$file is written as it was read', (message) => {
    const body = bodyOf(message)
    const { value, size } = decode(typeOf(message), body, message.procedure)
    expect(size).toBe(body.length)
    expect(toHex(again(message, encode(typeOf(message), value)))).toBe(toHex(message.octets))
  })

  test.each(recorded)('$file cut anywhere is refused, and says where', (message) => {
    const body = bodyOf(message)
    const type = typeOf(message)
    for (let size = 0; size < body.length; size += 1 + (size >> 4))
      expect(() => decode(type, body.subarray(0, size), message.procedure)).toThrow(XdrError)
  })

  test.each(recorded)('$file with any word all ones is read or refused, nothing else', (message) => {
    const body = bodyOf(message).slice()
    const type = typeOf(message)
    for (let at = 0; at + 4 <= body.length; at += 4) {
      const before = body.slice(at, at + 4)
      body.fill(0xff, at, at + 4)
      try {
        decode(type, body, message.procedure)
      } catch (error) {
        expect(error).toBeInstanceOf(XdrError)
      }
      body.set(before, at)
    }
  })
})

describe('what was said', () => {
  const reply = <T>(file: string, type: Xdr<T>): T => {
    const message = recorded.find((one) => one.file === file)!
    return decode(type, bodyOf(message), message.procedure).value
  }

  test('gssproxy lists three mechanisms', () => {
    const { mechs, mechAttrDescs } = reply('01-INDICATE_MECHS-reply.bin', procedures.INDICATE_MECHS.result)
    expect(mechs.map(({ mech }) => toHex(mech))).toEqual(['2a864886f712010202', '2b0601050205', '2b0601050502'])
    expect(mechAttrDescs).toHaveLength(28)
  })

  test('credentials are alice’s, for a day', () => {
    const { outputCredHandle } = reply('06-ACQUIRE_CRED-reply.bin', procedures.ACQUIRE_CRED.result)
    expect(fromUtf8(outputCredHandle!.desiredName.displayName)).toBe('alice@GP.TEST')
    expect(outputCredHandle!.elements[0]).toMatchObject({ credUsage: 'initiate', initiatorTimeRec: 86400n })
  })

  test('1000 octets hold 940 encrypted ones', () => {
    const { maxInputSize } = reply('15-WRAP_SIZE_LIMIT-reply.bin', procedures.WRAP_SIZE_LIMIT.result)
    expect([940n, 972n]).toContain(maxInputSize)
  })
})

describe('hostile octets', () => {
  const words = (...values: readonly number[]) => concat(...values.map((value) => encode(word, value)))

  test('name the field they are in', () => {
    const args = words(0, 0, 0, 1, 3)
    expect(() => decode(procedures.ACQUIRE_CRED.args, args, 'ACQUIRE_CRED')).toThrow(
      /^ACQUIRE_CRED\.inputCredHandle\.desiredName\.displayName: /,
    )
  })
  test('announce no more items than can follow', () =>
    expect(() => decode(list(opaque), words(0xffffffff), 'list')).toThrow(/4294967295 items are announced, 0 octets/))
  test('announce no more items than any message has', () =>
    expect(() => decode(list(opaque), concat(words(5000), new Uint8Array(20_000)), 'list')).toThrow(XdrError))
  test('hold zeros for padding', () =>
    expect(() => decode(opaque, concat(words(1), Uint8Array.of(7, 0, 1, 0)), 'opaque')).toThrow(/padding/))
})

/** What gssproxy 0.9.1 answered when it was tried. */
describe('an envelope', () => {
  const call = recorded.find(({ file }) => file === '02-GET_CALL_CONTEXT-call.bin')!.octets
  const changed = (at: number, value: number) => {
    const octets = call.slice()
    new DataView(octets.buffer).setUint32(at, value)
    return octets
  }

  test.each([
    ['a reply', 4, 1, 'GARBAGE_ARGS', 'SUCCESS 4'],
    ['another version of RPC', 8, 3, 'RPC_MISMATCH', 'DENIED 0 2 2'],
    ['another program', 12, 100003, 'PROG_UNAVAIL', 'SUCCESS 1'],
    ['another version of the program', 16, 2, 'PROG_MISMATCH', 'SUCCESS 2 1 1'],
    ['credentials', 24, 1, 'AUTH_ERROR', 'DENIED 1 7'],
  ] as const)('refuses %s', (_, at, value, refusal, words) => {
    const parsed = parseCall(changed(at, value))
    expect(parsed).toEqual({ xid: xidOf(call), refusal })
    const reader = new OctetReader(formatReply(1, refusal))
    expect([reader.uint32(), reader.uint32()]).toEqual([1, 1])
    const rest = Array.from({ length: reader.remaining / 4 }, () => reader.uint32())
    expect(rest[0] === 0 ? `SUCCESS ${rest.slice(3).join(' ')}` : `DENIED ${rest.slice(1).join(' ')}`).toBe(words)
    expect(() => parseReply(formatReply(1, refusal), 1)).toThrow(XdrError)
  })

  test('takes a verifier, as gssproxy does', () => expect(parseCall(changed(32, 1))).toMatchObject({ procedure: 2 }))
  test('is refused without an answer when it is too short to be one', () =>
    expect(() => parseCall(call.subarray(0, 30))).toThrow(BoundsError))
  test('is refused without an answer when it is neither call nor reply', () =>
    expect(() => parseCall(changed(4, 2))).toThrow('neither call nor reply'))
  test('is refused without an answer when its credentials are longer than RFC 5531 allows', () =>
    expect(() => parseCall(changed(28, 404))).toThrow(XdrError))
  test('answers the call that was asked', () =>
    expect(() => parseReply(formatReply(2, new Uint8Array(0)), 1)).toThrow('to call 2, not to 1'))
  test.each([0, 16])('knows no procedure %i', (number) => expect(procedureOf(number)).toBeUndefined())
})
