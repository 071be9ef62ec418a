/**
 * Kinds of octets that the recorded contexts and exchanges of MIT lack: `vectors/inspect.json`, `vectors/generated_session.json`,
 * and the exported contexts of `vectors/gssproxy`. Expectations are what those programs were given, and what MS-NLMP prints.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { fromHex } from '../../src/bytes/index.ts'
import { enctypeById } from '../../src/crypto/enctypes/table.ts'
import { Key } from '../../src/crypto/key.ts'
import { formatItems, type InspectOptions, inspect } from '../../src/inspect/index.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import { vectors } from '../support/vectors.ts'

interface Sample {
  readonly id: string
  readonly hex: string
  readonly key?: string
  readonly etype?: number
}
const { samples } = vectors<{ samples: readonly Sample[] }>('inspect')
const sample = (id: string) => samples.find((candidate) => candidate.id === id)!
const explained = (input: Uint8Array | string, options?: InspectOptions) =>
  `${formatItems(inspect(input, options)).join('\n')}\n`
const keyOf = (etype: number, key: string) => ({
  principal: parsePrincipal('peer@LAB.TEST'),
  kvno: 1,
  key: new Key(enctypeById(etype)!, fromHex(key)),
})
const file = (name: string) => new Uint8Array(readFileSync(new URL(`../../vectors/gssproxy/${name}`, import.meta.url)))

test('the first token of IAKERB is a header, and a request to the KDC behind it', () => {
  const text = explained(sample('iakerb').hex)
  expect(text).toMatch(
    /^GSS-API token: 203 octets, mechanism 1\.3\.6\.1\.5\.2\.5 \(iakerb\)\n {2}krb5 token: 0501 \(IAKERB proxy\)\n/,
  )
  expect(text).toContain('targetRealm octetString: 4c41422e54455354 "LAB.TEST"\n')
  expect(text).toMatch(/^ {4}message: 176 octets\n {6}AS-REQ: KDC-REQ\n/m)
  expect(text).toContain('cname: alice, type 1 (principal)\n')
})

describe('KRB-CRED', () => {
  const { hex, key, etype } = sample('krb-cred')
  test('tells its tickets, and that it is sealed', () => {
    expect(explained(hex)).toMatch(/^KRB-CRED\n/)
    expect(explained(hex)).toContain('sealed: key usage 14; no key at hand opens it\n')
  })
  test('tells whose tickets they are to who has the key', () => {
    const text = explained(hex, { keys: [keyOf(etype!, key!)] })
    expect(text).toContain('opened: with the key of peer@LAB.TEST, version 1, key usage 14\n')
    expect(text).toMatch(/pname: alice, type 1[\s\S]*flags: forwardable, [\s\S]*sname: krbtgt\/LAB\.TEST/)
    expect(text).toMatch(/key: aes256-cts-hmac-sha1-96, 32 octets, not shown\n/)
  })
})

test('a message for a KDC proxy is explained down to the message of the KDC', () => {
  const text = explained(sample('kkdcp').hex)
  expect(text).toMatch(/^KDC-PROXY-MESSAGE\n {2}kerbMessage: .*\(245 octets\)\n {4}record: 241 octets\n {6}KRB-ERROR\n/)
  expect(text).toContain('errorCode: 25 (KDC_ERR_PREAUTH_REQUIRED')
})

describe('NTLM', () => {
  test('NEGOTIATE tells what is offered', () =>
    expect(explained(sample('ntlm negotiate').hex)).toBe(
      'NTLM message: NEGOTIATE, 40 octets\n  flags: unicode, ntlm, alwaysSign, extendedSessionSecurity, version, 128, keyExchange\n',
    ))
  test('CHALLENGE tells the target, as MS-NLMP §4.2.4.3 does', () => {
    const text = explained(sample('ntlm challenge').hex)
    expect(text).toContain('  target: "Server"\n  server challenge: 0123456789abcdef')
    expect(text).toContain('    NetBIOS domain name: "Domain"\n    NetBIOS computer name: "Server"\n')
  })
  test('AUTHENTICATE tells who it is, and keeps the answers, which passwords can be guessed from', () => {
    const { hex } = sample('ntlm authenticate')
    const text = explained(hex)
    expect(text).toContain('  domain: "DOMAIN"\n  user: "User"\n  workstation: "COMPUTER"\n')
    expect(text).toContain('  NT answer: 152 octets, not shown\n')
    expect(text).not.toMatch(/[\da-f]{16}/)
  })
  test('with names that lie outside is told to be wrong', () =>
    expect(explained(sample('ntlm authenticate').hex.slice(0, 400))).toMatch(/^ {2}!: \d+ octets at \d+ of 200$/m))
})

describe('KRB-SAFE and KRB-PRIV', () => {
  const { cases } = vectors<{ cases: readonly { message: string; enctype: number; key: string; hex: string }[] }>(
    'generated_session',
  )
  test.each(cases.filter(({ enctype }) => enctypeById(enctype)))(
    '$message of enctype $enctype',
    ({ message, enctype, key, hex }) => {
      const text = explained(hex, { keys: [keyOf(enctype, key)] })
      expect(text).toMatch(message === 'safe' ? /^KRB-SAFE\n/ : /^KRB-PRIV\n/)
      if (message === 'priv') expect(text).toMatch(/opened: with the key of peer@LAB\.TEST, version 1, key usage 13\n/)
    },
  )
})

describe('an exported context', () => {
  test('tells both sides, the ticket and the numbers', () => {
    const text = explained(file('tok_acceptor.bin'))
    expect(text).toMatch(
      /^exported context: \d+ octets, of MIT krb5\n {2}side: the acceptor\n {2}here: "HTTP\/localhost@GP\.TEST"\n/,
    )
    expect(text).toContain('  there: "alice@GP.TEST"\n')
    expect(text).toContain(`  sends next: sequence number ${0x36a68fa6}\n`)
    expect(text).toMatch(/ {2}key: the acceptor's subkey: aes256-cts-hmac-sha1-96, 32 octets, not shown\n/)
  })
  test.each(['tok_aes128-cts-hmac-sha1-96_i.bin', 'tok_aes256-cts-hmac-sha384-192_a.bin'])(
    '%s is taken for one',
    (name) => expect(explained(file(name))).toMatch(/^exported context: /),
  )
})

describe('lines of HTTP', () => {
  const token = Buffer.from(sample('ntlm negotiate').hex, 'hex').toString('base64')
  test.each([
    `Authorization: Negotiate ${token}`,
    `WWW-Authenticate: Negotiate ${token}\r\n`,
    `Proxy-Authorization: Negotiate ${token}`,
    `Negotiate ${token}`,
    `> GET / HTTP/1.1\r\n> Host: www\r\n> Authorization: Negotiate ${token}\r\n> \r\n`,
    `HTTP/1.1 401 Unauthorized\nWWW-Authenticate: Negotiate\nWWW-Authenticate: NTLM ${token}\nContent-Length: 0\n`,
  ])('%j have a token', (text) => expect(explained(text)).toMatch(/^NTLM message: NEGOTIATE/))
  test('have one after the other', () => {
    const answer = Buffer.from(sample('ntlm challenge').hex, 'hex').toString('base64')
    const text = explained(`> Authorization: Negotiate ${token}\n< WWW-Authenticate: Negotiate ${answer}\n`)
    expect(text.match(/^NTLM message: \w+/gm)).toEqual(['NTLM message: NEGOTIATE', 'NTLM message: CHALLENGE'])
  })
})

test.each(['Hello, world!', '', '   \n', 'Authorization: Basic dXNlcjpwYXNz'])('%j stands for no octets', (text) =>
  expect(() => inspect(text)).toThrow(TypeError),
)
