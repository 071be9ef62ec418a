/** NegoEx as Windows sends it (vectors/negoex.json), and as MS-NEGOEX §2.2 lays it out. */
import { describe, expect, test } from 'vitest'
import { decode } from '../../src/asn1/codec.ts'
import { concat, fromHex, toHex, utf8 } from '../../src/bytes/index.ts'
import { unframe } from '../../src/gss/frame.ts'
import { GssError } from '../../src/gss/index.ts'
import { formatItems, inspect } from '../../src/inspect/index.ts'
import { NegotiationToken } from '../../src/spnego/messages.ts'
import { isNegoEx, negoExName, parseNegoEx } from '../../src/spnego/negoex.ts'
import { vectors } from '../support/vectors.ts'

const { tokens } = vectors<{ tokens: readonly { id: string; hex: string }[] }>('negoex')
const [server, client] = tokens.map(({ hex }) => fromHex(hex))
const PKU2U = '0d53335c-f9ea-4d0d-b2ec-4ae3786ec308'

function mechTokenOf(token: Uint8Array): Uint8Array {
  const { kind, value } = decode(NegotiationToken, unframe(token).innerToken)
  if (kind !== 'negTokenInit') expect.unreachable()
  return value.mechToken!
}

const little = (value: number, size = 4) => Uint8Array.from({ length: size }, (_, i) => value / 2 ** (8 * i))
const guid = fromHex('5c33530deaf90d4db2ec4ae3786ec308')
/** A message by hand: signature, type, number, both lengths, conversation, and the rest. */
const made = (type: number, header: Uint8Array, payload: Uint8Array) => {
  const headerSize = 40 + header.length
  const sizes = concat(little(headerSize), little(headerSize + payload.length))
  return concat(utf8('NEGOEXTS'), little(type), little(7), sizes, guid, header, payload)
}

describe('tokens of Windows', () => {
  test('a server offers PKU2U, and says whose certificates it takes', () => {
    const [nego, metadata, ...rest] = parseNegoEx(mechTokenOf(server!))
    expect(nego).toMatchObject({ type: 'acceptorNego', sequence: 0, version: 0n, authSchemes: [PKU2U], extensions: [] })
    expect(nego!.conversation).toBe('4c956664-2b2f-c5b9-67e8-b6f9cf6c8318')
    expect(metadata).toMatchObject({ type: 'acceptorMetaData', sequence: 1, authScheme: PKU2U })
    expect(metadata!.conversation).toBe(nego!.conversation)
    expect('exchange' in metadata! && toHex(metadata.exchange.subarray(0, 4))).toBe('3056a054')
    expect(rest).toEqual([])
  })

  test('a client does, too', () => {
    const mechToken = mechTokenOf(client!)
    expect(parseNegoEx(mechToken).map(({ type }) => type)).toEqual(['initiatorNego', 'initiatorMetaData'])
    expect([isNegoEx(mechToken), negoExName(mechToken)]).toEqual([true, 'NegoEx (PKU2U)'])
  })

  test('are explained by the inspector, what is in them as well', () => {
    const text = formatItems(inspect(client!)).join('\n')
    expect(text).toContain('NegoEx: 319 octets\n')
    expect(text).toContain('INITIATOR_NEGO: message 0 of c5503e29-dc42-93f3-265f-f27dbfc47c11\n')
    expect(text).toContain(`mechanisms: PKU2U (${PKU2U})\n`)
    expect(text).toContain('exchange: 143 octets\n')
  })
})

describe('the other messages (MS-NEGOEX §2.2.6)', () => {
  test('VERIFY', () => {
    const header = concat(guid, little(20), little(1), little(16), little(80), little(3), little(0))
    expect(parseNegoEx(made(6, header, Uint8Array.of(1, 2, 3)))).toEqual([
      {
        ...{ type: 'verify', sequence: 7, conversation: PKU2U, authScheme: PKU2U },
        ...{ checksumScheme: 1, checksumType: 16, checksum: Uint8Array.of(1, 2, 3) },
      },
    ])
  })

  test('ALERT', () => {
    const header = concat(guid, little(0xc000_006d), little(72), little(1, 2), little(0, 2), little(0))
    const alert = concat(little(1), little(84), little(8))
    const token = made(7, header, concat(alert, little(8), little(1)))
    expect(parseNegoEx(token)).toMatchObject([
      { type: 'alert', errorCode: 0xc000_006d, alerts: [{ type: 1, value: concat(little(8), little(1)) }] },
    ])
    expect(formatItems(inspect(token)).join('\n')).toContain('error code: 0xc000006d\n')
  })
})

describe('anything else is a typed error', () => {
  const mechToken = mechTokenOf(client!)
  const errorOf = (token: Uint8Array) => {
    try {
      return parseNegoEx(token)
    } catch (error) {
      return error instanceof GssError ? error.major : error
    }
  }

  test('cut short anywhere', () => {
    for (let size = 1; size < mechToken.length; size++) {
      if (size === 112) continue // one whole message
      expect(errorOf(mechToken.subarray(0, size)), `${size}`).toBe('GSS_S_DEFECTIVE_TOKEN')
      expect(negoExName(mechToken.subarray(0, size))).toBe('NegoEx that cannot be read')
    }
  })

  test('changed anywhere', () => {
    for (let at = 0; at < mechToken.length; at++)
      for (const bit of [1, 0x80]) {
        const changed = mechToken.slice()
        changed[at]! ^= bit
        const outcome = errorOf(changed)
        expect(Array.isArray(outcome) || outcome === 'GSS_S_DEFECTIVE_TOKEN', `octet ${at}`).toBe(true)
        inspect(changed)
      }
  })

  test('more messages, and longer lists, than anybody sends', () => {
    const message = made(4, concat(guid, little(0), little(0)), new Uint8Array())
    expect(errorOf(concat(...Array.from({ length: 33 }, () => message)))).toBe('GSS_S_DEFECTIVE_TOKEN')
    const schemes = concat(new Uint8Array(40), little(96), little(65, 2), little(0, 2), little(0), little(0))
    expect(errorOf(made(0, schemes, new Uint8Array(65 * 16)))).toBe('GSS_S_DEFECTIVE_TOKEN')
  })
})
