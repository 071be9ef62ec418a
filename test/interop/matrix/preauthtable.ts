/** The rows of pre-authentication by other means than the encrypted timestamp. */
import { join } from 'node:path'
import {
  type AsRequest,
  asExchange,
  encryptedChallenge,
  encryptedTimestamp,
  otp,
  type Preauth,
  parsePrincipal,
  passwordSecret,
  spake,
  spakeGroups,
} from 'kerb/krb5'
import type { Kerberos } from 'kerb/node'
import { scratch } from '../../lab/index.ts'
import type { Kdc } from '../../lab/start.ts'
import { type Cell, done, none, type Row } from './cells.ts'
import { bought, client, expectTrace } from './ours.ts'
import { type OurRealm, theirLogin, theirs } from './theirs.ts'

/** What a login of ours is made with. */
export interface Way extends Pick<AsRequest, 'options' | 'armor'> {
  readonly preauth: readonly Preauth[]
  /** Nothing that has no password. */
  readonly password?: string
}

/** Logs in by one mechanism, and buys a ticket. */
async function by(kerberos: Kerberos, user: string, { password, ...way }: Way) {
  const principal = parsePrincipal(user, { realm: kerberos.config.defaultRealm })
  const secret = password === undefined ? undefined : passwordSecret(principal, password)
  const result = await kerberos.run(asExchange({ client: principal, secret, lifetime: 3600, ...way }, kerberos.env))
  await bought(kerberos, result.credential)
  return result
}

/** A cell in which `user` logs in by a mechanism of this name. */
export const cell =
  (mechanism: string, user: string, way: (kdc: Kdc, kerberos: Kerberos) => Promise<Way> | Way): Cell<Kdc> =>
  async (kdc) => {
    const { kerberos, events } = client(kdc)
    await by(kerberos, user, await way(kdc, kerberos))
    expectTrace(events, [{ kind: 'preauth', mechanism }])
  }

/** The armor of another user's ticket. */
const bobs = async (kerberos: Kerberos) => ({
  ticket: (await kerberos.login('bob', { password: 'bob-pw', forwardable: false })).ticket,
})

/** MIT's kinit through FAST, with bob's ticket as the armor. */
const armored =
  (user: string, trace: readonly RegExp[], input?: string): Cell<OurRealm> =>
  async (our) => {
    const armor = join(scratch(), 'armor')
    await theirLogin(our, 'bob', { args: ['-c', armor] })
    await theirs(our, user, { args: ['-T', armor], trace: [/FAST armor/, ...trace], input })
  }

export const preauthRows: readonly Row[] = [
  ...spakeGroups.map(
    (group): Row => ({
      mechanism: `SPAKE, ${group.name}`,
      source: 'RFC 9588',
      mit: cell('SPAKE', 'alice', () => ({ preauth: [spake([group])], password: 'alice-pw' })),
      heimdal: none.spake,
      samba: none.spake,
      fromMit: (our) =>
        done(
          theirs(our, 'alice', {
            config: { spake_preauth_groups: group.name },
            trace: [/Produced preauth for next request: .*PA-SPAKE \(151\)/],
          }),
        ),
      fromHeimdal: none.spake,
    }),
  ),
  {
    mechanism: 'FAST by a ticket, encrypted challenge',
    source: 'RFC 6113 §5.4.6',
    mit: throughFast(encryptedChallenge),
    heimdal: throughFast(encryptedChallenge),
    samba: throughFast(encryptedChallenge),
    fromMit: armored('alice', [/PA-ENCRYPTED-CHALLENGE \(138\)/]),
    fromHeimdal: none.fastHeimdal,
  },
  {
    mechanism: 'FAST by a ticket, encrypted timestamp',
    source: 'RFC 6113 §5.4',
    mit: none.timestampMit,
    heimdal: throughFast(encryptedTimestamp),
    samba: none.timestampSamba,
    fromMit: none.timestampMit,
    fromHeimdal: none.fastHeimdal,
  },
  {
    mechanism: 'One-time password',
    source: 'RFC 6560',
    mit: async (kdc) => {
      const { kerberos, events } = client(kdc, {}, { prompt: () => '123456' })
      await by(kerberos, 'otpuser', { preauth: [otp], armor: await bobs(kerberos) })
      expectTrace(events, [{ kind: 'preauth', mechanism: 'OTP' }])
    },
    heimdal: none.otp,
    samba: none.otp,
    fromMit: armored('otpuser', [/PA-OTP-REQUEST \(142\)/], '123456\n'),
    fromHeimdal: none.otp,
  },
]

function throughFast(mechanism: Preauth): Cell<Kdc> {
  return cell(mechanism.name, 'alice', async (_, kerberos) => ({
    armor: await bobs(kerberos),
    preauth: [mechanism],
    password: 'alice-pw',
  }))
}
