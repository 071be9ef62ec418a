/** What can be unusable: a credential cache, a keytab, a KRB-CRED file. */
export type StoreKind = 'ccache' | 'keytab' | 'kirbi'

interface StoreErrorOptions extends ErrorOptions {
  readonly offset?: number
  /** What to do, where the general advice is not good enough. */
  readonly remedy?: string
}

const remedies: Readonly<Record<StoreKind, string>> = {
  ccache: 'log in again (kinit)',
  keytab: 'export the keytab anew',
  kirbi: 'export the ticket anew',
}

/** A file that is not what it should be. The message says which kind, where in it, and what to do; never what it holds. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly kind: StoreKind
  /** Octets from the beginning of the file to what cannot be read; undefined when no place is to blame. */
  readonly offset: number | undefined

  constructor(kind: StoreKind, what: string, { offset, remedy = remedies[kind], ...options }: StoreErrorOptions = {}) {
    super(`not a usable ${kind}: ${what}${offset === undefined ? '' : ` (at octet ${offset})`}; ${remedy}`, options)
    this.kind = kind
    this.offset = offset
  }
}

/** A krb5.conf that cannot be read as one. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly file: string
  /** Counted from 1; undefined when no line is to blame. */
  readonly line: number | undefined

  constructor(file: string, line: number | undefined, what: string, options: ErrorOptions = {}) {
    super(`${file}${line === undefined ? '' : `:${line}`}: ${what}`, options)
    this.file = file
    this.line = line
  }
}

/** Longest piece of a file that goes into a message. */
const MAX_EXCERPT = 60

/** A piece of a file's text made fit for one line of a message. */
export function excerpt(text: string): string {
  const printable = text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?')
  return printable.length > MAX_EXCERPT ? `${printable.slice(0, MAX_EXCERPT)}…` : printable || '""'
}
