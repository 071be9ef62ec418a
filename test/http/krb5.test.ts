/** HTTP Negotiate with real tickets: our KDC, our server, our fetch, over loopback. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../src/bytes/index.ts'
import { type Credentials, Name, type SecurityContext } from '../../src/gss/index.ts'
import {
  createNegotiateAcceptor,
  createNegotiateFetch,
  type NegotiateFetchOptions,
  type NegotiatePeer,
  negotiateListener,
} from '../../src/http/index.ts'
import type { Kerberos } from '../../src/node/kerberos.ts'
import { startRealm } from '../../src/node/realm.ts'
import { openSite } from './site.ts'

let realm: Awaited<ReturnType<typeof startRealm>>
let kerberos: Kerberos
let alice: Credentials
let service: Credentials
const asked: string[] = []

beforeAll(async () => {
  realm = await startRealm({
    users: { alice: 'alice-pw' },
    services: ['HTTP/localhost'],
    log: ({ kind, service: name }) => asked.push(`${kind} ${name}`),
  })
  kerberos = realm.kerberos()
  alice = (await kerberos.login('alice', { password: 'alice-pw' })).credentials
  service = await kerberos.acquire({ usage: 'accept', store: { keytab: realm.keytab('HTTP/localhost') } })
})
afterAll(() => realm[Symbol.asyncDispose]())

const send = (options: Partial<NegotiateFetchOptions> = {}) =>
  createNegotiateFetch({ mech: kerberos.spnego, credentials: alice, ...options })
type Handler = (request: IncomingMessage, response: ServerResponse, peer: NegotiatePeer) => unknown
const hello: Handler = (_, response, { initiator }) => response.end(`hello ${initiator}`)
const guarded = (handler = hello, onFailure?: (error: unknown) => void) =>
  negotiateListener(createNegotiateAcceptor({ mech: realm.kerberos().spnego, credentials: service }), handler, {
    onFailure,
  })

describe('a page behind Negotiate', () => {
  test.each(['spnego', 'krb5'] as const)('opens by %s, and the server proves who it is', async (mech) => {
    await using site = await openSite({ '/': guarded() }, 'localhost')
    const contexts: SecurityContext[] = []
    const fetchAsAlice = send({ mech: kerberos[mech], onContext: (context) => contexts.push(context) })
    expect(await (await fetchAsAlice(`${site.url}/`)).text()).toBe('hello alice@LAB.TEST')
    expect(contexts[0]!.targetName.text).toBe('HTTP/localhost@LAB.TEST')
    expect(contexts[0]!.actualFlags.has('mutualAuthentication')).toBe(true)
  })

  test('opens many times at once for one ticket', async () => {
    await using site = await openSite({ '/': guarded() }, 'localhost')
    await send()(`${site.url}/`)
    asked.length = 0
    const responses = await Promise.all(Array.from({ length: 10 }, () => send()(`${site.url}/`)))
    expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect(new Set(site.visits.flatMap(({ authorization }) => authorization ?? [])).size).toBe(11)
    expect(asked).toEqual([])
  })

  test('stays shut to a token that was used before, and the log says so', async () => {
    const failures: unknown[] = []
    await using site = await openSite({ '/': guarded(undefined, (error) => failures.push(error)) }, 'localhost')
    await send()(`${site.url}/`)
    const authorization = site.visits[1]!.authorization!
    const response = await fetch(`${site.url}/`, { headers: { authorization } })
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([401, 'Negotiate'])
    expect(failures).toEqual([expect.objectContaining({ minor: 'KRB_AP_ERR_REPEAT' })])
  })

  test('is not believed with the proof of another context', async () => {
    const proofs: string[] = []
    const replaying = guarded((_, response) => {
      proofs.push(String(response.getHeader('www-authenticate')))
      response.setHeader('www-authenticate', proofs[0]!)
      response.end()
    })
    await using site = await openSite({ '/': replaying }, 'localhost')
    expect((await send()(`${site.url}/`)).status).toBe(200)
    const failure = send()(`${site.url}/`)
    await expect(failure).rejects.toMatchObject({ code: 'MUTUAL_AUTHENTICATION', cause: { name: 'GssError' } })
    expect(proofs[1]).not.toBe(proofs[0])
  })

  test('takes a token that is bound to its own channel alone', async () => {
    const bindings = (text: string) => ({ applicationData: utf8(`tls-server-end-point:${text}`) })
    const acceptor = createNegotiateAcceptor({
      ...{ mech: realm.kerberos().spnego, credentials: service, channelBindings: bindings('ours') },
    })
    await using site = await openSite({ '/': negotiateListener(acceptor, hello) }, 'localhost')
    const statusOf = async (channelBindings: NegotiateFetchOptions['channelBindings']) =>
      (await send({ channelBindings })(`${site.url}/`)).status
    expect(await statusOf(bindings('ours'))).toBe(200)
    expect(await statusOf(async () => bindings('ours'))).toBe(200)
    expect(await statusOf(bindings('another'))).toBe(401)
  })

  test('whose service the KDC does not know rejects with the KDC’s word for it', async () => {
    await using site = await openSite({ '/': guarded() }, '127.0.0.1')
    await expect(send({ targetName: Name.principal('HTTP/elsewhere@LAB.TEST') })(`${site.url}/`)).rejects.toMatchObject(
      { name: 'GssError', minor: 'KDC_ERR_S_PRINCIPAL_UNKNOWN' },
    )
  })
})
