/** Realms with KDCs of their own that trust each other, joined to clients without a network. */
import { expect } from 'vitest'
import { enctypes } from '../../src/crypto/enctypes/table.ts'
import { run } from '../../src/effects/index.ts'
import { MemoryDatabase } from '../../src/kdc/database.ts'
import { createKdc, type KdcFunction, type KdcOptions } from '../../src/kdc/kdc.ts'
import type { Credential } from '../../src/krb5/credential.ts'
import type { Env } from '../../src/krb5/env.ts'
import { asExchange } from '../../src/krb5/exchanges/as.ts'
import { parsePrincipal } from '../../src/krb5/names.ts'
import type { KrbExchange, KrbQuestions } from '../../src/krb5/questions.ts'
import { passwordSecret } from '../../src/krb5/secret.ts'
import { fixedEnv } from './env.ts'

export const few = { enctypes: [enctypes[0]!] }

/** A world of realms; `sent` tells in order which realms were asked. */
export class Realms {
  readonly env: Env
  readonly sent: string[] = []
  readonly databases = new Map<string, MemoryDatabase>()
  readonly #kdcs = new Map<string, KdcFunction>()

  constructor(more: Partial<Env> = {}) {
    this.env = fixedEnv(1_800_000_000, 7, more)
  }

  realm(name: string, options: Partial<KdcOptions> = {}): MemoryDatabase {
    const database = new MemoryDatabase(name, this.env.random)
    this.databases.set(name, database)
    this.#kdcs.set(name, createKdc({ realm: name, database, env: this.env, ...options }))
    return database
  }

  /** A key that both KDCs have, for tickets of `a` to be good in `b` and the other way round. */
  trust(a: string, b: string, domains: { readonly [realm: string]: string } = {}): void {
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const shared = { password: `${from} ${to}`, requiresPreauth: false, ...few }
      const domain = domains[from]
      for (const database of [this.databases.get(from)!, this.databases.get(to)!])
        database.add(`krbtgt/${to}@${from}`, { ...shared, ...(domain ? { trustedDomain: domain } : {}) })
    }
  }

  /** Runs an exchange; all of it against the KDC of `only` if said, whatever realm is asked. */
  go<T>(exchange: KrbExchange<T>, only?: string): Promise<T> {
    return run<KrbQuestions, T>(exchange, {
      send: ({ realm, message }) => {
        this.sent.push(realm)
        return { message: this.#kdcs.get(only ?? realm)!.handle(message)!, kdc: realm }
      },
      prompt: () => expect.unreachable(),
      replay: () => false,
      keep: () => undefined,
      compute: ({ work }) => work(),
    })
  }

  /** What the KDC of `realm` says to these octets. */
  answer(realm: string, octets: Uint8Array): Uint8Array {
    return this.#kdcs.get(realm)!.handle(octets)!
  }

  async login(name: string, options: readonly 'forwardable'[] = ['forwardable']): Promise<Credential> {
    const client = parsePrincipal(name)
    const request = { client, secret: passwordSecret(client, 'x'), lifetime: 3600, options }
    return (await this.go(asExchange(request, this.env))).credential
  }
}
