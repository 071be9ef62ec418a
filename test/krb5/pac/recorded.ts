/** Recorded tickets with PACs, and the keys that belong to them. */
import { decode } from '../../../src/asn1/codec.ts'
import { fromHex } from '../../../src/bytes/index.ts'
import { deprecatedEnctypes, enctypes } from '../../../src/crypto/enctypes/table.ts'
import { Key } from '../../../src/crypto/key.ts'
import { EncTicketPart, Ticket } from '../../../src/krb5/messages/ticket.ts'
import { wrapPac } from '../../../src/krb5/pac/ticket.ts'
import { sealedTicket } from '../../../src/krb5/sealed.ts'
import { vectors } from '../../support/vectors.ts'

interface KeyVector {
  readonly etype: number
  readonly key: string
}
interface Keys {
  readonly server_key: KeyVector
  readonly kdc_keys: readonly KeyVector[]
}

const { cases } = vectors<{
  readonly cases: readonly (Keys & { readonly id: string; readonly enc_ticket_part: string })[]
}>('generated_pac')
const windows = vectors<{
  readonly ticket: Keys & { readonly id: string; readonly ticket: string }
  readonly pac: Keys & { readonly id: string; readonly pac: string; readonly authtime: number }
}>('windows_pac')

const keyOf = ({ etype, key }: KeyVector): Key =>
  new Key([...enctypes, ...deprecatedEnctypes].find(({ id }) => id === etype)!, fromHex(key))
const keysOf = ({ server_key, kdc_keys }: Keys) => ({ serverKey: keyOf(server_key), kdcKeys: kdc_keys.map(keyOf) })

export interface Recorded {
  readonly id: string
  readonly ticket: EncTicketPart
  readonly serverKey: Key
  readonly kdcKeys: readonly Key[]
}

/** Of MIT and Samba. */
export const recorded: readonly Recorded[] = cases.map(({ id, enc_ticket_part, ...keys }) => ({
  id,
  ticket: decode(EncTicketPart, fromHex(enc_ticket_part)),
  ...keysOf(keys),
}))

/** The recorded ticket whose name ends so. */
export const recording = (end: string): Recorded => recorded.find(({ id }) => id.endsWith(end))!

/** Of Windows Server 2022. */
export const windows2022: Recorded = (() => {
  const { id, ticket, ...keys } = windows.ticket
  const { serverKey, kdcKeys } = keysOf(keys)
  return { id, ticket: sealedTicket.open(serverKey, decode(Ticket, fromHex(ticket)).encPart), serverKey, kdcKeys }
})()

/** Of Windows Server 2003, in a ticket that was made around it. */
export const windows2003: Recorded = {
  id: windows.pac.id,
  ticket: {
    flags: new Set(),
    key: { keytype: 23, keyvalue: new Uint8Array(16) },
    crealm: 'WIN2K3.THINKER.LOCAL',
    cname: { nameType: 1, nameString: ['w2003final$'] },
    transited: { trType: 1, contents: new Uint8Array(0) },
    authtime: windows.pac.authtime,
    endtime: windows.pac.authtime + 36_000,
    authorizationData: [wrapPac(fromHex(windows.pac.pac))],
  },
  ...keysOf(windows.pac),
}
