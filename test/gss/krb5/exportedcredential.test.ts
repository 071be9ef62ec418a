/** Exported credentials: MIT's form as krb5 1.20.1 writes it, and whatever else may stand in its place. */
import { describe, expect, test } from 'vitest'
import { concat, fromUtf8, utf8 } from '../../../src/bytes/index.ts'
import { GssError } from '../../../src/gss/error.ts'
import { formatExportedCredentials, parseExportedCredentials } from '../../../src/gss/exportedcredentials.ts'
import { formatCredential, parseCredential } from '../../../src/gss/krb5/exportedcredential.ts'
import { mechanismOids } from '../../../src/gss/oids.ts'

/** Written by gss_export_cred of MIT krb5 1.20.1 for acquired credentials, the ticket and its key made up. */
const recorded = {
  default:
    '["K5C1",[1,["alice@LAB.TEST",null,null],null,true,false,null,null,"FILE:/tmp/cc","FILE:/etc/krb5/user/0/client.keytab",true,1795889239,0,null,null]]',
  accept:
    '["K5C1",[2,["echo/localhost@LAB.TEST","echo","localhost"],null,false,false,"FILE:/tmp/all.keytab","dfl:",null,null,false,0,0,null,null]]',
  password:
    '["K5C1",[1,["alice@LAB.TEST",null,null],null,false,false,null,null,["alice@LAB.TEST",["alice@LAB.TEST","krb5_ccache_conf_data/fast_avail/krbtgt\\\\/LAB.TEST\\\\@LAB.TEST@X-CACHECONF:",[0,""],0,0,0,0,false,0,null,"eWVz","",null],["alice@LAB.TEST","krbtgt/LAB.TEST@LAB.TEST",[18,"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="],1795853239,1795853239,1795889239,1795939639,false,1088487424,[[2,"fwAAAQ=="]],"YQMCAQU=","",[[1,"MAA="]]]],"FILE:/etc/krb5/user/0/client.keytab",true,1795889239,0,[17,18],"alice-pw"]]',
}
const errorOf = (attempt: () => unknown): unknown => {
  try {
    return attempt()
  } catch (error) {
    return error instanceof GssError ? error.major : error
  }
}

describe('krb5’s element', () => {
  test('by name: where the tickets are', () => {
    expect(parseCredential(utf8(recorded.default))).toMatchObject({
      usage: 'initiate',
      name: { components: ['alice'], realm: 'LAB.TEST' },
      ccache: 'FILE:/tmp/cc',
      endtime: 1795889239,
      hasTicketGrantingTicket: true,
    })
  })

  test('to accept: keytab and replay cache', () => {
    const { usage, keytab, rcache, ccache } = parseCredential(utf8(recorded.accept))
    expect([usage, keytab, rcache, ccache]).toEqual(['accept', 'FILE:/tmp/all.keytab', 'dfl:', undefined])
  })

  test('with the tickets: what it reads it writes again, but for where a client keytab would be', () => {
    const parsed = parseCredential(utf8(recorded.password))
    const { ccache } = parsed
    if (typeof ccache !== 'object') expect.unreachable()
    const [config, tgt] = ccache.entries
    expect(fromUtf8(config!.ticket)).toBe('yes')
    expect([tgt!.key.keytype, tgt!.key.octets().length, tgt!.flags.has('initial'), tgt!.addresses.length]).toEqual([
      ...[18, 32, true, 1],
    ])
    expect(fromUtf8(formatCredential(parsed))).toBe(recorded.password)
  })

  test('anything else is a typed error that tells no key', () => {
    for (const text of Object.values(recorded)) {
      for (let size = 0; size < text.length; size++)
        expect(
          errorOf(() => parseCredential(utf8(text.slice(0, size)))),
          `${size}`,
        ).toBe('GSS_S_DEFECTIVE_TOKEN')
      for (const part of JSON.parse(text)[1].keys())
        for (const value of [{}, [[]], 'a\0', 1.5, 1e300, [1], true, '@@']) {
          const members = JSON.parse(text)
          members[1][part] = value
          const outcome = errorOf(() => parseCredential(utf8(JSON.stringify(members))))
          expect(typeof outcome === 'object' || outcome === 'GSS_S_DEFECTIVE_TOKEN', `${part} ${value}`).toBe(true)
          expect(outcome).not.toBeInstanceOf(Error)
        }
    }
    const deep = utf8('['.repeat(1e5))
    expect(errorOf(() => parseCredential(deep))).toBe('GSS_S_DEFECTIVE_TOKEN')
    expect(errorOf(() => parseCredential(Uint8Array.of(0xff)))).toBe('GSS_S_DEFECTIVE_TOKEN')
    expect(() => parseCredential(utf8('["K5C1",[1,"c2VjcmV0"'))).toThrow(/it is no JSON$/)
  })
})

describe('the elements of several mechanisms', () => {
  const elements = [
    { mechanism: mechanismOids.krb5, token: utf8(recorded.default) },
    { mechanism: mechanismOids.spnego, token: utf8('x') },
  ]

  test('follow one another, each behind its identifier', () => {
    const token = formatExportedCredentials(elements)
    expect(Array.from(token.subarray(0, 13))).toEqual([0, 0, 0, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 1, 2, 2])
    expect(parseExportedCredentials(token)).toEqual(elements)
  })

  test('anything else is a typed error', () => {
    const token = formatExportedCredentials(elements)
    const whole = [0, 9 + 8 + recorded.default.length]
    for (let size = 0; size < token.length; size++)
      if (!whole.includes(size))
        expect(
          errorOf(() => parseExportedCredentials(token.subarray(0, size))),
          `${size}`,
        ).toBe('GSS_S_DEFECTIVE_TOKEN')
    const many = concat(...Array.from({ length: 17 }, () => formatExportedCredentials([elements[1]!])))
    expect(errorOf(() => parseExportedCredentials(many))).toBe('GSS_S_DEFECTIVE_TOKEN')
    expect(errorOf(() => parseExportedCredentials(new Uint8Array((1 << 22) + 1)))).toBe('GSS_S_DEFECTIVE_TOKEN')
  })
})
