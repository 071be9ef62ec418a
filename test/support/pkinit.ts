/** A realm that lets clients in by certificate, without a network: what the scenarios and the hostile tests begin with. */

import { run } from '../../src/effects/index.ts'
import { MemoryDatabase } from '../../src/kdc/database.ts'
import { createKdc } from '../../src/kdc/kdc.ts'
import type { Env } from '../../src/krb5/env.ts'
import { type AsRequest, type AsResult, asExchange } from '../../src/krb5/exchanges/as.ts'
import { pkinitPurposes } from '../../src/krb5/messages/pkinit.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import type { KdcPreauth } from '../../src/krb5/preauth/kdc.ts'
import { type PkinitOptions, pkinit } from '../../src/krb5/preauth/pkinit/client.ts'
import { type PkinitKdcOptions, pkinitKdc } from '../../src/krb5/preauth/pkinit/kdc.ts'
import type { KrbQuestions } from '../../src/krb5/questions.ts'
import { fixedEnv } from './env.ts'
import { type Issued, issue, NOW, rootAuthority, type Wanted } from './pki.ts'

export const REALM = 'LAB.TEST'
export const root = await rootAuthority()
export const trust = { anchors: [root.certificate] }

/** The certificate of a KDC. */
export const kdcCertificate = (wanted: Wanted = {}, issuer: Issued = root) =>
  issue({ name: 'kdc', principals: [`krbtgt/${REALM}@${REALM}`], purposes: [pkinitPurposes.kdc], ...wanted }, issuer)

/** The certificate of a user. */
export const userCertificate = (wanted: Wanted = {}, issuer: Issued = root) =>
  issue({ name: 'alice', principals: [`alice@${REALM}`], purposes: [pkinitPurposes.client], ...wanted }, issuer)

export const kdcIdentity = await kdcCertificate()
export const alice = await userCertificate()
/** The clock of both sides. */
export const env = fixedEnv(NOW, 7)

/** A KDC with alice, who has no password; everything else as told. */
export function pkinitRealm(options: Partial<PkinitKdcOptions> = {}, others: readonly KdcPreauth[] = []) {
  const database = new MemoryDatabase(REALM, env.random)
  database.add('alice', { requiresPreauth: true })
  database.add('WELLKNOWN/ANONYMOUS', { requiresPreauth: true })
  const mechanism = pkinitKdc({ identity: kdcIdentity, trust, ...options })
  return { database, ...createKdc({ realm: REALM, database, env, preauth: [mechanism, ...others] }) }
}

/** Who answers, and what a test sees and changes on the way. */
export interface Wire {
  respond(request: Uint8Array): Promise<Uint8Array | undefined>
  readonly seen?: (request: Uint8Array) => void
  readonly change?: (reply: Uint8Array, n: number) => Uint8Array | Promise<Uint8Array>
}

/** Logs in over `wire`, as alice with her certificate unless said. */
export function logIn(
  { respond, seen, change = (reply) => reply }: Wire,
  options: Partial<PkinitOptions> = {},
  request: Partial<AsRequest> = {},
  given: Env = env,
): Promise<AsResult> {
  const client = parsePrincipal('alice', { realm: REALM })
  const preauth = [pkinit({ identity: alice, trust, ...options })]
  let n = 0
  return run<KrbQuestions, AsResult>(asExchange({ client, lifetime: 3600, preauth, ...request }, given), {
    send: async ({ message }) => {
      seen?.(message)
      const reply = await respond(message)
      if (!reply) throw new TypeError('no reply')
      return { message: await change(reply, n++), kdc: 'embedded' }
    },
    compute: ({ work }) => work(),
    prompt: () => '',
    replay: () => false,
    keep: () => undefined,
  })
}
