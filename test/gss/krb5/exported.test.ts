/** Contexts as libgssapi_krb5 1.20.1 exports them: vectors/gssproxy/tok_*.bin, made by MIT in a realm GP.TEST. */
import { readFileSync } from 'node:fs'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { concat, toHex, utf8 } from '../../../src/bytes/index.ts'
import { Key } from '../../../src/crypto/key.ts'
import { SecurityContext } from '../../../src/gss/context.ts'
import { GssError } from '../../../src/gss/error.ts'
import { Krb5Context } from '../../../src/gss/krb5/context.ts'
import { formatContext, parseContext } from '../../../src/gss/krb5/exported.ts'
import { krb5Mechanism } from '../../../src/gss/krb5/mechanism.ts'
import { bind } from '../../../src/gss/mechanism.ts'
import { spnego } from '../../../src/spnego/mechanism.ts'
import { fixedEnv } from '../../support/env.ts'

const token = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../../vectors/gssproxy/tok_${name}.bin`, import.meta.url)))
const env = fixedEnv()
const mechanism = krb5Mechanism(env)
const noWorld = {} as Parameters<typeof bind<import('../../../src/krb5/questions.ts').KrbQuestions>>[1]
const mech = bind(mechanism, noWorld)

describe('an exported context of MIT krb5', () => {
  const pairs = [
    ['initiator', 'acceptor'],
    ['aes128-cts-hmac-sha1-96_i', 'aes128-cts-hmac-sha1-96_a'],
    ['aes256-cts-hmac-sha384-192_i', 'aes256-cts-hmac-sha384-192_a'],
  ] as const

  test.each(pairs)('%s goes on with %s', (ours, theirs) => {
    const initiator = SecurityContext.import(token(ours), { mech })
    const acceptor = SecurityContext.import(token(theirs), { mech })
    expect([initiator.usage, acceptor.usage, initiator.complete]).toEqual(['initiate', 'accept', true])
    expect(initiator.initiatorName.text).toBe('alice@GP.TEST')
    expect(acceptor.initiatorName.equals(initiator.initiatorName)).toBe(true)
    expect(acceptor.targetName.equals(initiator.targetName)).toBe(true)
    const message = utf8('continued')
    expect(initiator.unwrap(acceptor.wrap(message).message).encrypted).toBe(true)
    expect(toHex(acceptor.unwrap(initiator.wrap(message).message).message)).toBe(toHex(message))
    acceptor.verify(message, initiator.sign(message))
  })

  test('tells what it knows of the ticket and of the window', () => {
    const state = parseContext(token('acceptor'))
    expect(state).toMatchObject({
      locallyInitiated: false,
      flags: 0x1be,
      here: 'HTTP/localhost@GP.TEST',
      there: 'alice@GP.TEST',
      sendSequence: 0x36a68fa6,
      window: { first: 0x1c6285de, next: 0x1c6285de, received: 0n },
      detectReplay: true,
      detectDisorder: true,
      tokens: 'rfc4121',
      ticket: { authtime: 1_795_329_576, endtime: 1_795_415_976 },
    })
    expect(state.ticket.authorizationData).toHaveLength(1)
  })

  test('is written again without loss', () => {
    for (const name of ['acceptor', 'initiator', 'aes256-cts-hmac-sha384-192_a']) {
      const state = parseContext(token(name))
      expect(parseContext(formatContext(state))).toEqual(state)
      const { ticket, ...rest } = parseContext(Krb5Context.import(token(name), env).export())
      expect({ ...rest, ticket }).toEqual(state)
    }
  })

  test('has the 437 octets of the shortest form that MIT was seen to import', () => {
    const { ticket, ...state } = parseContext(token('acceptor'))
    const { authorizationData: _, ...facts } = ticket
    const short = { ...state, here: 'HTTP/localhost@GP.TEST', there: 'alice@GP.TEST', ticket: facts }
    expect(formatContext(short)).toHaveLength(437)
  })

  test('carries on its sequence window: what was received is a replay afterwards', () => {
    const initiator = SecurityContext.import(token('initiator'), { mech })
    const acceptor = SecurityContext.import(token('acceptor'), { mech })
    const sent = initiator.wrap(utf8('once')).message
    acceptor.unwrap(sent)
    const next = SecurityContext.import(acceptor.export(), { mech, disorder: 'report' })
    expect(acceptor.complete).toBe(false)
    expect(next.unwrap(sent).supplementary).toBe('GSS_S_DUPLICATE_TOKEN')
    expect(next.unwrap(initiator.wrap(utf8('twice')).message).supplementary).toBeUndefined()
  })

  test('may stand inside the token of SPNEGO', () => {
    const inSpnego = concat(Uint8Array.of(0, 0, 0, 6, 0x2b, 6, 1, 5, 5, 2), token('acceptor'))
    const context = SecurityContext.import(inSpnego, { mech: bind(spnego([mechanism]), noWorld) })
    expect(context.mech).toBe('1.2.840.113554.1.2.2')
    expect(() => parseContext(concat(inSpnego.slice(0, 10), inSpnego))).toThrow('GSS_S_BAD_MECH')
  })

  test('half open it is none, and one of another mechanism is refused', () => {
    expect(() => Krb5Context.import(token('initiator_partial'), env)).toThrow('GSS_S_NO_CONTEXT')
    expect(() => parseContext(Uint8Array.of(0, 0, 0, 1, 42))).toThrow('GSS_S_BAD_MECH')
  })

  describe('that is refused leaves no key behind', () => {
    const given = parseContext(token('acceptor'))
    const subkey = given.acceptorSubkey!
    const cases: Readonly<Record<string, readonly [token: Uint8Array, made: number]>> = {
      'of an enctype that is refused': [formatContext({ ...given, initiatorKey: { ...subkey, keytype: 99 } }), 0],
      'whose other key is of one': [formatContext({ ...given, acceptorSubkey: { ...subkey, keytype: 99 } }), 1],
      'with a key that is too short': [
        formatContext({ ...given, acceptorSubkey: { ...subkey, keyvalue: subkey.keyvalue.subarray(1) } }),
        1,
      ],
      'with other tokens than its key has': [formatContext({ ...given, tokens: 'rfc1964' }), 4],
      'cut short behind its keys': [formatContext(given).slice(0, -8), 0],
      'half-open': [token('initiator_partial'), 0],
    }

    test.each(Object.entries(cases))('%s', (_, [octets, made]) => {
      const copied = vi.spyOn(Uint8Array.prototype, 'slice')
      const disposed = vi.spyOn(Key.prototype, Symbol.dispose)
      onTestFinished(() => void vi.restoreAllMocks())
      expect(() => Krb5Context.import(octets, env)).toThrow(GssError)
      const copies = copied.mock.results.map(({ value }) => value as Uint8Array)
      const ofKeys = copies.filter(({ length }) =>
        [subkey.keyvalue.length, subkey.keyvalue.length - 1].includes(length),
      )
      expect(ofKeys.length).toBeGreaterThan(0)
      for (const copy of ofKeys) expect(copy.every((octet) => octet === 0)).toBe(true)
      expect(new Set(disposed.mock.contexts).size).toBe(made)
    })
  })

  test('cut short it is malformed, wherever the cut is', () => {
    const whole = formatContext(parseContext(token('acceptor')))
    for (let size = 0; size < whole.length - 4; size++)
      expect(() => parseContext(whole.subarray(0, size)), `${size} octets`).toThrow(/GSS_S_(DEFECTIVE_TOKEN|BAD_MECH)/)
  })

  test('with any octet changed it is refused in so many words, or read', () => {
    const whole = token('acceptor')
    for (let at = 0; at < whole.length; at++)
      for (const bits of [0xff, 0x80, 1]) {
        const changed = whole.slice()
        changed[at]! ^= bits
        try {
          Krb5Context.import(changed, env)
        } catch (error) {
          expect(error, `octet ${at}`).toMatchObject({ name: 'GssError' })
        }
      }
  })
})
