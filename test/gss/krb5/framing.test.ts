import { describe, expect, test } from 'vitest'
import { fromHex, toHex } from '../../../src/bytes/index.ts'
import { frame, unframe } from '../../../src/gss/krb5/framing.ts'

const oid = '06092a864886f712010202'

describe('initial context tokens (RFC 2743 §3.1, RFC 4121 §4.1)', () => {
  test.each([
    ['apReq', '0100'],
    ['apRep', '0200'],
    ['error', '0300'],
  ] as const)('frames %s', (kind, id) => {
    expect(toHex(frame(kind, fromHex('aabb')))).toBe(`600f${oid}${id}aabb`)
    expect(unframe(frame(kind, fromHex('aabb')))).toEqual({ kind, message: fromHex('aabb') })
  })

  test.each([0, 113, 114, 115, 241, 242, 243, 70_000])('reads what it framed around %i octets', (size) => {
    const message = new Uint8Array(size).fill(7)
    expect(toHex(unframe(frame('apReq', message)).message)).toBe(toHex(message))
  })

  test('takes the OID that Windows 2000 wrote (MS-SPNG §2.2.1)', () =>
    expect(unframe(fromHex('600e06092a864882f7120102020100aa')).message).toEqual(Uint8Array.of(0xaa)))

  test.each([
    ['', 'GSS_S_DEFECTIVE_TOKEN'],
    ['60', 'GSS_S_DEFECTIVE_TOKEN'],
    [`610f${oid}0100aabb`, 'GSS_S_DEFECTIVE_TOKEN'],
    [`6010${oid}0100aabb`, 'GSS_S_DEFECTIVE_TOKEN'],
    [`600f${oid}0100aabbcc`, 'GSS_S_DEFECTIVE_TOKEN'],
    [`6080${oid}0100aabb`, 'GSS_S_DEFECTIVE_TOKEN'],
    [`60ffffffffffff`, 'GSS_S_DEFECTIVE_TOKEN'],
    [`600f${oid}0400aabb`, 'GSS_S_DEFECTIVE_TOKEN'],
    [`600c${oid}01`, 'GSS_S_DEFECTIVE_TOKEN'],
    ['600806062b0601050502', 'GSS_S_BAD_MECH'],
    ['4e544c4d53535000', 'GSS_S_DEFECTIVE_TOKEN'],
  ])('refuses %s: %s', (hex, major) => {
    expect(() => unframe(fromHex(hex))).toThrow(expect.objectContaining({ name: 'GssError', major }))
  })
})
