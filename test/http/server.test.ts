/** The server's side of RFC 4559, by itself and as a listener of node:http. */
import { describe, expect, test } from 'vitest'
import { fromBase64, toBase64, utf8 } from '../../src/bytes/index.ts'
import { GssError, Name, SecurityContext } from '../../src/gss/index.ts'
import {
  createNegotiateAcceptor,
  FIELD_LENGTH_MAX,
  type NegotiateAcceptorOptions,
  negotiateListener,
} from '../../src/http/index.ts'
import { type FakeOptions, fakeCredentials } from '../spnego/fake.ts'
import { fakeNegotiation, openSite } from './site.ts'

const acceptor = (fake: FakeOptions = {}, options: Partial<NegotiateAcceptorOptions> = {}) =>
  createNegotiateAcceptor({ ...fakeNegotiation(fake), ...options })
const client = (fake: FakeOptions = {}) => {
  const { mech, credentials: creds } = fakeNegotiation(fake)
  return new SecurityContext({ usage: 'initiate', mech, creds, name: Name.hostbased('HTTP@www') })
}
const field = (token: Uint8Array | undefined) => `Negotiate ${toBase64(token!)}`
const tokenIn = (challenge: string | string[] | undefined) => fromBase64(String(challenge).slice('Negotiate '.length))

describe('an Authorization field (RFC 4559 §4.2)', () => {
  test.each([undefined, '', 'Basic YTpi', 'Negotiated abc', 'NTLM TlRMTVNTUAAB'])(
    '%j leads to a challenge without data',
    async (authorization) =>
      expect(await acceptor().authenticate({ authorization })).toEqual({
        kind: 'challenge',
        status: 401,
        headers: { 'www-authenticate': 'Negotiate' },
      }),
  )

  test.each(['Negotiate', 'negotiate', 'NEGOTIATE  '])(
    'with a token opens, whatever the case of %j',
    async (scheme) => {
      const initiator = client()
      const token = toBase64((await initiator.step())!)
      const result = await acceptor().authenticate({ authorization: `${scheme} ${token}` })
      if (result.kind !== 'success') throw expect.unreachable()
      expect(result).toMatchObject({ status: 200, peer: { initiator: { text: 'alice' }, by: 'negotiate' } })
      await initiator.step(tokenIn(result.headers['www-authenticate']))
      expect(initiator.complete).toBe(true)
      expect(() => result.peer.context!.verify(utf8('x'), initiator.sign(utf8('x')))).not.toThrow()
    },
  )

  test('carries the legs of a longer context, one connection each', async () => {
    const [server, connections] = [acceptor({ legs: 5 }), [{}, {}]]
    const clients = [client({ legs: 5 }), client({ legs: 5 })]
    const kinds: string[][] = [[], []]
    const said = [await clients[0]!.step(), await clients[1]!.step()]
    for (let leg = 0; leg < 3; leg++)
      for (const i of [0, 1]) {
        const { kind, status, headers } = await server.authenticate({
          authorization: field(said[i]),
          connection: connections[i],
        })
        kinds[i]!.push(`${kind} ${status}`)
        said[i] = await clients[i]!.step(tokenIn(headers['www-authenticate']))
      }
    expect(kinds).toEqual(Array(2).fill(['continue 401', 'continue 401', 'success 200']))
    expect(clients.every(({ complete }) => complete)).toBe(true)
  })

  test('of a longer context needs to know its connection', async () => {
    const result = await acceptor({ legs: 3 }).authenticate({ authorization: field(await client({ legs: 3 }).step()) })
    expect(result).toMatchObject({ kind: 'failure', error: { code: 'NO_CONNECTION' } })
  })

  test('that is missing in the middle of a context ends it, and wipes what there is', async () => {
    const disposed: string[] = []
    const [server, connection, initiator] = [acceptor({ legs: 3, disposed }), {}, client({ legs: 3 })]
    const first = await server.authenticate({ authorization: field(await initiator.step()), connection })
    expect(disposed).toEqual([])
    expect((await server.authenticate({ connection })).kind).toBe('challenge')
    expect(disposed).toEqual(['acceptor'])
    const second = field(await initiator.step(tokenIn(first.headers['www-authenticate'])))
    expect((await server.authenticate({ authorization: second, connection })).kind).toBe('failure')
  })
})

describe('a refusal tells the peer nothing, and the log everything', () => {
  const refused = async (authorization: string, fake: FakeOptions = {}, options = {}) => {
    const result = await acceptor(fake, options).authenticate({ authorization })
    if (result.kind !== 'failure') throw expect.unreachable()
    expect([result.status, result.headers]).toEqual([401, { 'www-authenticate': 'Negotiate' }])
    return result.error
  }

  test('of the mechanism', async () => {
    const refuses = new GssError('GSS_S_DUPLICATE_TOKEN', 'seen before', { minor: 'REPEAT', token: utf8('why') })
    expect(await refused(field(await client().step()), { refuses })).toMatchObject({ minor: 'REPEAT', cause: refuses })
  })

  test.each([
    ['no token', 'Negotiate', /no token/],
    ['no base64', 'Negotiate a b!', /not base64/],
    ['a token beyond reason', `Negotiate ${'A'.repeat(FIELD_LENGTH_MAX + 1)}`, /131073 characters/],
  ])('of %s', async (_, authorization, reason) => {
    const error = await refused(authorization)
    expect(error).toMatchObject({ code: 'BAD_CREDENTIALS' })
    expect(String(error)).toMatch(reason)
  })

  test('of NTLM, with what to look at', async () => {
    const error = await refused('Negotiate TlRMTVNTUAABAAAAl4II4gAAAAAAAAAAAAAAAAAAAAAKAO5CAAAADw==')
    expect(error).toMatchObject({ major: 'GSS_S_BAD_MECH', minor: 'NTLM' })
    expect(String(error)).toMatch(/sent NTLM.*SPN is registered/)
  })

  test('of what the keytab throws', async () => {
    const failure = new TypeError('no keytab')
    const credentials = async () => {
      throw failure
    }
    expect(await refused(field(await client().step()), {}, { credentials })).toBe(failure)
  })

  test('of credentials that are not to accept with', async () => {
    const { mech } = fakeNegotiation()
    const credentials = fakeCredentials([{ oid: mech.oid }], 'initiate')
    const result = await createNegotiateAcceptor({ mech, credentials }).authenticate({
      authorization: field(await client().step()),
    })
    expect(result).toMatchObject({ kind: 'failure', error: { major: 'GSS_S_NO_CRED' } })
  })

  test('and a failed context is wiped', async () => {
    const disposed: string[] = []
    await refused(field(await client().step()), { disposed, refuses: new GssError('GSS_S_FAILURE') })
    expect(disposed).toEqual(['acceptor'])
  })
})

describe('a listener of node:http', () => {
  test('lets in whoever authenticates, the proof among the headers, and wipes the context after the response', async () => {
    const disposed: string[] = []
    const initiators: string[] = []
    await using site = await openSite({
      '/': negotiateListener(acceptor({ disposed }), (_, response, { initiator }) => {
        initiators.push(`${initiator}, ${disposed}`)
        response.end('in')
      }),
    })
    const initiator = client()
    const response = await fetch(`${site.url}/`, { headers: { authorization: field(await initiator.step()) } })
    expect([response.status, await response.text()]).toEqual([200, 'in'])
    await initiator.step(tokenIn(response.headers.get('www-authenticate')!))
    expect(initiator.complete).toBe(true)
    expect(initiators).toEqual(['alice, '])
    await expect.poll(() => disposed).toContain('context')
  })

  test('turns away others with a bare 401, and says why elsewhere', async () => {
    const failures: unknown[] = []
    const listener = negotiateListener(acceptor(), () => expect.unreachable(), {
      onFailure: (error) => failures.push(error),
    })
    await using site = await openSite({ '/': listener })
    for (const headers of [{}, { authorization: 'Negotiate TlRMTVNTUAAB' }]) {
      const response = await fetch(`${site.url}/`, { headers })
      expect([response.status, response.headers.get('www-authenticate'), await response.text()]).toEqual([
        401,
        'Negotiate',
        '',
      ])
    }
    expect(failures).toEqual([expect.objectContaining({ minor: 'NTLM' })])
  })

  test('never sees headers beyond what its server takes (431): 16 KiB unless more is said, as it should be', async () => {
    const authorization = `Negotiate ${'A'.repeat(20_000)}`
    const status = async (maxHeaderSize: number | undefined, field: string) => {
      const listener = negotiateListener(acceptor(), () => expect.unreachable())
      await using site = await openSite({ '/': listener }, '127.0.0.1', { maxHeaderSize })
      return (await fetch(`${site.url}/`, { headers: { authorization: field } })).status
    }
    expect(await status(undefined, authorization)).toBe(431)
    expect(await status(65_536, authorization)).toBe(401)
    expect(await status(65_536, `Negotiate ${'A'.repeat(70_000)}`)).toBe(431)
  })
})
