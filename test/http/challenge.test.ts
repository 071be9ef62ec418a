import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FIELD_LENGTH_MAX, negotiateChallenge, parseChallenges } from '../../src/http/challenge.ts'

const plain = (field: string) =>
  parseChallenges(field).map(({ scheme, token68, parameters }) => ({
    scheme,
    ...(token68 === undefined ? {} : { token68 }),
    ...(parameters.size === 0 ? {} : { parameters: Object.fromEntries(parameters) }),
  }))

describe('challenges of a WWW-Authenticate field (RFC 9110 §11.6.1)', () => {
  test.each<[string, string, unknown]>([
    ['a scheme alone', 'Negotiate', [{ scheme: 'negotiate' }]],
    ['a scheme in any case', 'nEGOTIATE', [{ scheme: 'negotiate' }]],
    ['a token', 'Negotiate YIIC/+8=', [{ scheme: 'negotiate', token68: 'YIIC/+8=' }]],
    ['a token with two pads', 'Negotiate oQ==', [{ scheme: 'negotiate', token68: 'oQ==' }]],
    [
      'several fields joined, as fetch gives them',
      'Negotiate, NTLM, Basic realm="a, b"',
      [{ scheme: 'negotiate' }, { scheme: 'ntlm' }, { scheme: 'basic', parameters: { realm: 'a, b' } }],
    ],
    [
      'the example of RFC 9110 §11.6.1',
      'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
      [
        { scheme: 'basic', parameters: { realm: 'simple' } },
        { scheme: 'newauth', parameters: { realm: 'apps', type: '1', title: 'Login to "apps"' } },
      ],
    ],
    [
      'spaces around the equals sign',
      'Basic realm = "x" , charset\t=\tUTF-8',
      [{ scheme: 'basic', parameters: { realm: 'x', charset: 'UTF-8' } }],
    ],
    ['empty elements of the list', ', ,Negotiate,, ,', [{ scheme: 'negotiate' }]],
    ['several spaces before the token', 'Negotiate    oRQw', [{ scheme: 'negotiate', token68: 'oRQw' }]],
    ['an empty quoted string', 'Basic realm=""', [{ scheme: 'basic', parameters: { realm: '' } }]],
    ['names of parameters in any case', 'Basic ReAlM=x', [{ scheme: 'basic', parameters: { realm: 'x' } }]],
    ['the first of two equal parameters', 'Basic a=1, A=2', [{ scheme: 'basic', parameters: { a: '1' } }]],
    [
      'a token after another challenge',
      'Basic realm=x, Negotiate a+/=',
      [
        { scheme: 'basic', parameters: { realm: 'x' } },
        { scheme: 'negotiate', token68: 'a+/=' },
      ],
    ],
    ['nothing', '', []],
  ])('reads %s', (_, field, expected) => expect(plain(field)).toEqual(expected))

  test.each<[string, string, unknown]>([
    [
      'a scheme within quotes',
      'Basic realm="Negotiate, Negotiate oRQw"',
      [{ scheme: 'basic', parameters: { realm: 'Negotiate, Negotiate oRQw' } }],
    ],
    [
      'a scheme behind an escaped quote',
      'Basic realm="a\\", Negotiate, b"',
      [{ scheme: 'basic', parameters: { realm: 'a", Negotiate, b' } }],
    ],
    ['what an open quote swallows', 'Negotiate, Basic realm="oops, NTLM', [{ scheme: 'negotiate' }]],
    ['a token with foreign characters', 'Negotiate a b', []],
    ['a token with pads in the middle', 'Negotiate a=b=', []],
    ['a parameter without a scheme', 'realm="x", Negotiate', [{ scheme: 'negotiate' }]],
    ['parameters of a challenge that was left out', 'Ba(sic realm=x, y=1, Negotiate', [{ scheme: 'negotiate' }]],
    ['control characters in a scheme', 'Nego\u0000tiate', []],
    ['a separator at the end of a backslash', 'Basic realm="x\\', []],
  ])('leaves out %s', (_, field, expected) => expect(plain(field)).toEqual(expected))

  test('finds the Negotiate challenge among others, and none where there is no field', () => {
    expect(negotiateChallenge('Basic realm="x", negotiate oRQw, NTLM')?.token68).toBe('oRQw')
    expect(negotiateChallenge('Basic realm="Negotiate"')).toBeUndefined()
    expect(negotiateChallenge(null)).toBeUndefined()
  })

  test('reads what is written, whatever the quoted text is', () => {
    const quote = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 }), { minLength: 1, maxLength: 5 }), (realms) => {
        const field = `${realms.map((realm) => `Basic realm=${quote(realm)}`).join(', ')}, Negotiate`
        expect(plain(field)).toEqual([
          ...realms.map((realm) => ({ scheme: 'basic', parameters: { realm } })),
          { scheme: 'negotiate' },
        ])
      }),
    )
  })

  test('takes anything without throwing', () => {
    const hostile = fc.array(fc.constantFrom('Negotiate', ' ', ',', '"', '\\', '=', 'a', '\t', 'é', '\0', 'oRQw=='))
    fc.assert(
      fc.property(hostile, (parts) => {
        for (const { scheme } of parseChallenges(parts.join(''))) expect(scheme).not.toBe('')
      }),
    )
  })

  test.each([
    ['commas', ','],
    ['quotes', '"'],
    ['backslashes', '"\\'],
    ['equals signs', 'a='],
    ['spaces', 'a '],
    ['tabs', 'a\t'],
    ['tokens', 'a'],
  ])('%s by the hundred thousand take no time', (_, part) => {
    const field = part.repeat(FIELD_LENGTH_MAX / part.length)
    const start = process.hrtime.bigint()
    parseChallenges(field)
    parseChallenges(`Basic x=${field.slice(10)}`)
    expect(Number(process.hrtime.bigint() - start) / 1e6).toBeLessThan(500)
  })

  test('a field that is too long is not looked at', () =>
    expect(parseChallenges(`Negotiate ${'A'.repeat(FIELD_LENGTH_MAX)}`)).toEqual([]))
})
