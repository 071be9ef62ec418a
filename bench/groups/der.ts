import * as asn1js from 'asn1js'
import { decode, encode } from '../../src/asn1/codec.ts'
import { ApReq, Authenticator } from '../../src/krb5/messages/ap.ts'
import { EncTicketPart } from '../../src/krb5/messages/ticket.ts'
import type { Group, Work } from '../figure.ts'
import { partiesFor } from '../parties.ts'

/** The messages of one accept: the AP-REQ, and what its two encrypted parts hold. */
export const der: Group = {
  name: 'der',
  everyProvider: false,
  async figures(subject) {
    const parties = await partiesFor(subject, subject.mit ? 'withPac' : 'withoutPac')
    const { request, ticketPart, authenticator } = await parties.takenApart()
    const value = decode(ApReq, request)
    return [
      {
        name: `AP-REQ decode, ${request.length} octets`,
        unit: 'µs',
        work: repeat(() => decode(ApReq, request)),
        peers: [{ mit: 'decode-request' }, { name: 'asn1js 4.0.0', work: repeat(() => asn1js.fromBER(request)) }],
      },
      {
        name: 'AP-REQ encode',
        unit: 'µs',
        work: repeat(() => encode(ApReq, value)),
        peers: [{ mit: 'encode-request' }],
      },
      {
        name: 'DER of one accept: AP-REQ, EncTicketPart, Authenticator',
        unit: 'µs',
        work: repeat(() => {
          decode(ApReq, request)
          decode(EncTicketPart, ticketPart)
          decode(Authenticator, authenticator)
        }),
        peers: [{ mit: 'decode-accept' }],
      },
    ]
  },
}

const repeat = (operation: () => void): Work => ({
  run(count) {
    for (let i = 0; i < count; i++) operation()
  },
})
