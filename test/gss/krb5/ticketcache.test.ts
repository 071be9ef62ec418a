/** Which of the tickets at hand is the one that is wanted: keyed by client, service and what was asked for (spec classes: a cache that gives another's ticket). */
import { expect, test } from 'vitest'
import { enctypes } from '../../../src/crypto/enctypes/table.ts'
import { Krb5Credential } from '../../../src/gss/krb5/credential.ts'
import type { Credential } from '../../../src/krb5/credential.ts'
import { parsePrincipal } from '../../../src/krb5/names.ts'
import { ticketFor } from '../../support/tickets.ts'

const client = parsePrincipal('alice@LAB.TEST')
const service = parsePrincipal('HTTP/www@LAB.TEST')
const plain = ticketFor('HTTP/www@LAB.TEST')
const now = plain.endtime - 1
const holding = (...tickets: Credential[]) => new Krb5Credential({ initiate: { client, tickets } })

test('a ticket in the name of another is not given out as our own', () => {
  const bobs = ticketFor('HTTP/www@LAB.TEST', 'bob@LAB.TEST')
  expect(holding(bobs).ticket(service, now)).toBeUndefined()
  expect(holding(bobs, plain).ticket(service, now)).toBe(plain)
  expect(holding(ticketFor('krbtgt/LAB.TEST@LAB.TEST', 'bob@LAB.TEST')).grantingTicket()).toBeUndefined()
})

test('a user-to-user ticket is for those alone who name the other ticket', () => {
  const secondTicket = Uint8Array.of(1, 2)
  const u2u = { ...plain, secondTicket }
  expect(holding(u2u).ticket(service, now)).toBeUndefined()
  expect(holding(plain, u2u).ticket(service, now, { secondTicket: Uint8Array.of(1, 2) })).toBe(u2u)
  expect(holding(u2u).ticket(service, now, { secondTicket: Uint8Array.of(1, 3) })).toBeUndefined()
})

test('a ticket must have the flags and the enctype that are wanted', () => {
  const held = holding(plain)
  const others = enctypes.filter((enctype) => enctype !== plain.key.enctype)
  expect(held.ticket(service, now, { enctypes: others })).toBeUndefined()
  expect(held.ticket(service, now, { enctypes: [plain.key.enctype] })).toBe(plain)
  expect(held.ticket(service, now, { flags: ['forwarded'] })).toBeUndefined()
})

test('one that expired is not given out', () => expect(holding(plain).ticket(service, plain.endtime)).toBeUndefined())

test('a ticket that was bought takes the place of its like alone', () => {
  const held = holding(plain)
  const newer = { ...plain, endtime: plain.endtime + 60 }
  const forwarded = { ...plain, flags: new Set([...plain.flags, 'forwarded' as const]) }
  held.keep(newer)
  held.keep(forwarded)
  expect(held.tickets).toEqual([newer, forwarded])
})

test('a ticket from other addresses than the ticket-granting one’s is for those who ask for it', () => {
  const addresses = [{ addrType: 2, address: Uint8Array.of(10, 0, 0, 1) }]
  const tgt = ticketFor('krbtgt/LAB.TEST@LAB.TEST')
  const elsewhere = { ...plain, addresses }
  expect(holding(tgt, elsewhere).ticket(service, now)).toBeUndefined()
  expect(holding(tgt, elsewhere).ticket(service, now, { addresses })).toBe(elsewhere)
  expect(holding({ ...tgt, addresses }, elsewhere, plain).ticket(service, now)).toBe(elsewhere)
  const held = holding(tgt, plain)
  held.keep(elsewhere)
  expect(held.tickets).toEqual([tgt, plain, elsewhere])
})
