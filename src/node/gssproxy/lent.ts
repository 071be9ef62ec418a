/** Keys that a service accepts with, read once and lent to each call. @module */
import { statSync } from 'node:fs'
import { Credentials } from '../../gss/credentials.ts'
import type { Krb5Credential } from '../../gss/krb5/credential.ts'

/** An element that several calls use at once: it is wiped when it is withdrawn and nobody uses it any more. */
export class LentElement {
  readonly #element: Krb5Credential
  #users = 0
  #withdrawn = false

  constructor(element: Krb5Credential) {
    this.#element = element
  }

  /** Credentials whose disposal gives the element back. */
  lend(): Credentials {
    this.#users++
    return new Lent(this.#element, () => {
      this.#users--
      this.#wipe()
    })
  }

  /** To be called once, when the element is lent to nobody new. */
  withdraw(): void {
    this.#withdrawn = true
    this.#wipe()
  }

  #wipe(): void {
    if (this.#withdrawn && this.#users === 0) this.#element[Symbol.dispose]()
  }
}

class Lent extends Credentials {
  #giveBack: (() => void) | undefined

  constructor(element: Krb5Credential, giveBack: () => void) {
    super([element])
    this.#giveBack = giveBack
  }

  override [Symbol.dispose](): void {
    this.#giveBack?.()
    this.#giveBack = undefined
  }
}

/** What changes when a keytab does: for a file what the system notes; undefined for one that has to be read each time. */
export function stampOf(keytab: string | Uint8Array): string | undefined {
  if (keytab instanceof Uint8Array) return 'octets'
  const [, path] = /^(?:WR)?FILE:(.*)$/.exec(keytab) ?? []
  const found = path === undefined ? undefined : statSync(path, { bigint: true, throwIfNoEntry: false })
  return found && `${found.dev} ${found.ino} ${found.size} ${found.ctimeNs}`
}
