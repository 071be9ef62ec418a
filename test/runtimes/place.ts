/** Where the servers of the test's own process listen. */
export interface Place {
  /** The origin of a KDC proxy at /KdcProxy and of a page at /page. */
  readonly origin: string
  /** A KDC's `host:port`. */
  readonly kdc: string
}

/** What a runtime tells of itself. */
export interface Told {
  readonly version: string
  readonly providers: string
  readonly tests: number
  readonly failures: readonly { readonly test: string; readonly why: string }[]
}
