/** Rows: the tokens of each enctype, over krb5 and SPNEGO, with a key of the acceptor's and without. */
import { expect } from 'vitest'
import type { Cannot, Row } from './cells.ts'
import { exchangeMessages, olderServices } from './messages.ts'
import { establish, type Pair } from './pair.ts'

const noCamellia: Cannot = {
  because: 'Heimdal does not speak Camellia.',
  says: /S_PRINCIPAL_UNKNOWN|not found|unknown/i,
}

/** Whether an acceptor that agrees on another enctype than the ticket's is to be expected (RFC 4537). */
interface Enctype {
  readonly name: string
  readonly service: string
  readonly id: number
  readonly source: string
  readonly cannot?: Row['cannot']
}

const enctypes: readonly Enctype[] = [
  { name: 'aes256-cts-hmac-sha1-96', service: 'e-aes256-sha1-96', id: 18, source: 'RFC 4121, RFC 3962' },
  { name: 'aes128-cts-hmac-sha1-96', service: 'e-aes128-sha1-96', id: 17, source: 'RFC 4121, RFC 3962' },
  { name: 'aes256-cts-hmac-sha384-192', service: 'e-aes256-sha384-192', id: 20, source: 'RFC 4121, RFC 8009' },
  { name: 'aes128-cts-hmac-sha256-128', service: 'e-aes128-sha256-128', id: 19, source: 'RFC 4121, RFC 8009' },
  ...(['256', '128'] as const).map((size) => ({
    name: `camellia${size}-cts-cmac`,
    service: `e-camellia${size}`,
    id: size === '256' ? 26 : 25,
    source: 'RFC 4121, RFC 6803',
    cannot: { heimdal: noCamellia },
  })),
  { name: 'rc4-hmac', service: 'e-arcfour', id: 23, source: 'RFC 4757 §7' },
  { name: 'des3-cbc-sha1-kd', service: 'e-des3', id: 16, source: 'RFC 1964, RFC 4121' },
]

/** Messages in a context whose key the initiator chose: its enctype is the ticket's session key's. */
const initiatorsKey =
  ({ service, id }: Enctype) =>
  async (pair: Pair) => {
    for (const mech of ['krb5', 'spnego'] as const) {
      const both = await establish(pair, { mech, service, flags: [] })
      expect(both.context.sessionKey().type).toBe(id)
      await exchangeMessages(both)
    }
  }

/** Messages in a context whose key the acceptor chose, of whatever enctype. */
const acceptorsKey =
  ({ service }: Enctype) =>
  async (pair: Pair) => {
    for (const mech of ['krb5', 'spnego'] as const)
      await exchangeMessages(await establish(pair, { mech, service, flags: ['mutualAuthentication'] }))
  }

/** The same where ours knows no other enctype: with mutual authentication the key stays the initiator's, as RFC 1964 has it. */
const alone =
  ({ service, enctype }: (typeof olderServices)[number]) =>
  async (pair: Pair) => {
    for (const mech of ['krb5', 'spnego'] as const) {
      const both = await establish(pair, { mech, service, enctype, flags: ['mutualAuthentication'] })
      expect(both.context.sessionKey().type).toBe(enctype)
      await exchangeMessages(both)
    }
  }

const aloneRows = olderServices.map(
  (enctype): Row => ({
    mechanism: `${enctype.name} alone, mutual authentication`,
    source: 'RFC 1964',
    run: alone(enctype),
  }),
)

export const enctypeRows: readonly Row[] = [
  ...enctypes.flatMap((enctype) => {
    const { name, source, cannot = {} } = enctype
    return [
      { mechanism: `${name}, no mutual authentication`, source, cannot, run: initiatorsKey(enctype) },
      { mechanism: `${name}, the acceptor's subkey`, source, cannot, run: acceptorsKey(enctype) },
    ]
  }),
  ...aloneRows,
]
