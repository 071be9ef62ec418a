/** Contexts between two legs, of which a peer can open any number (RFC 4559 §4.1 says nothing about when to give up). */
import { expect, test } from 'vitest'
import { toBase64 } from '../../src/bytes/index.ts'
import { Name, SecurityContext } from '../../src/gss/index.ts'
import { createNegotiateAcceptor, PENDING_MAX, PENDING_SECONDS } from '../../src/http/index.ts'
import { fakeNegotiation } from './site.ts'

const firstLeg = async () => {
  const { mech, credentials: creds } = fakeNegotiation({ legs: 3 })
  const context = new SecurityContext({ usage: 'initiate', mech, creds, name: Name.hostbased('HTTP@www') })
  return `Negotiate ${toBase64((await context.step())!)}`
}

test('of 10,000 connections that never go on, the newest are kept and the others wiped', async () => {
  const disposed: string[] = []
  const acceptor = createNegotiateAcceptor(fakeNegotiation({ legs: 3, disposed }))
  const token = await firstLeg()
  const kinds = new Set<string>()
  for (let i = 0; i < 10_000; i++)
    kinds.add((await acceptor.authenticate({ authorization: token, connection: {} })).kind)
  expect([...kinds]).toEqual(['continue'])
  expect(disposed).toHaveLength(10_000 - PENDING_MAX)
})

test('a context that waits too long for its next leg is wiped', async () => {
  const disposed: string[] = []
  let seconds = 1_800_000_000
  const acceptor = createNegotiateAcceptor({ ...fakeNegotiation({ legs: 3, disposed }), now: () => seconds * 1e6 })
  const connection = {}
  expect((await acceptor.authenticate({ authorization: await firstLeg(), connection })).kind).toBe('continue')
  seconds += PENDING_SECONDS - 1
  await acceptor.authenticate({})
  expect(disposed).toEqual([])
  seconds += 1
  await acceptor.authenticate({})
  expect(disposed).toEqual(['acceptor'])
})

test('the channel is asked for by the connection, and a question that fails lets nobody in', async () => {
  const asked: unknown[] = []
  const connection = {}
  const acceptor = createNegotiateAcceptor({
    ...fakeNegotiation(),
    channelBindings(of) {
      asked.push(of)
      throw new TypeError('no certificate')
    },
  })
  const result = await acceptor.authenticate({ authorization: await firstLeg(), connection })
  expect(result).toMatchObject({ kind: 'failure', reason: 'other', error: { message: 'no certificate' } })
  expect(asked).toEqual([connection])
})
