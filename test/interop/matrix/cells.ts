/** What a row of the matrix is made of: one way to prove a mechanism between kerb and a peer. */
import type { Kdc } from '../../lab/start.ts'
import type { OurRealm } from './theirs.ts'

/** The pairs that the matrix tries, and their heading: who asks, and whose KDC answers. */
export const columns = {
  mit: 'kerb → MIT',
  heimdal: 'kerb → Heimdal',
  samba: 'kerb → Samba AD',
  fromMit: 'MIT → kerb',
  fromHeimdal: 'Heimdal → kerb',
} as const

/** A pair by its short name. */
export type Column = keyof typeof columns

/** Proves a mechanism to be used between the pair, by failing otherwise; or says in words why there is nothing to prove. */
export type Cell<Peer> = ((peer: Peer) => Promise<void>) | string

/** A mechanism and what proves it, pair by pair. */
export interface Row {
  readonly mechanism: string
  /** Where it is specified. */
  readonly source: string
  readonly mit: Cell<Kdc>
  readonly heimdal: Cell<Kdc>
  readonly samba: Cell<Kdc>
  readonly fromMit: Cell<OurRealm>
  readonly fromHeimdal: Cell<OurRealm>
}

/** Why cells are empty; one sentence for each reason, as the notes below the matrix have it. */
export const none = {
  camelliaHeimdal: 'Heimdal does not speak Camellia.',
  camelliaSamba: 'Active Directory knows no Camellia and no triple DES.',
  sha2Samba: 'Active Directory knows no AES with SHA-2.',
  postdatedSamba: 'Samba issues no postdated tickets.',
  spake: 'Neither Heimdal nor Samba has SPAKE.',
  otp: 'Neither Heimdal nor Samba has one-time passwords.',
  fastHeimdal:
    "Heimdal 7.8's kinit, with --fast-armor-cache, gets a ticket through our FAST and cannot open it (test/interop/preauth.test.ts).",
  timestampSamba: 'Samba takes an encrypted challenge inside FAST, and no timestamp.',
  timestampMit: 'MIT takes an encrypted challenge inside FAST, and no timestamp.',
  ecdhMit:
    'MIT 1.20 takes no elliptic curve in place of a Diffie-Hellman group; between client and KDC of kerb, tests do.',
  curvesHeimdal: 'The Heimdal of Debian, and the one in Samba, are built without elliptic curves.',
  anonymousSamba: 'Samba does not know WELLKNOWN/ANONYMOUS.',
  sameAtKdc: 'The KDC sees no difference to the rows above.',
  proxyHeimdal: "Heimdal's kinit knows no such proxy.",
  trustSamba: 'The Samba of the lab trusts no other realm.',
  trustOurs: 'The realm of ours that the matrix tries trusts no other realm.',
} as const

/** Nothing of what a proof gave. */
export const done = (proof: Promise<unknown>): Promise<void> => proof.then(() => undefined)

/** What a cell is called in the report. */
export const cellName = ({ mechanism }: Row, column: Column): string => `${mechanism}: ${columns[column]}`
