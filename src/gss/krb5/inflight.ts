/** Tickets that are being bought at this moment: who wants one of them waits for it, and sends no request of its own. */
export class InFlight {
  readonly #ends = new Map<string, Promise<void>>()

  /** Settles when nobody is buying the ticket of this name any more; undefined when nobody is. */
  end(name: string): Promise<void> | undefined {
    return this.#ends.get(name)
  }

  /** Says that it is being bought, until what comes back is disposed of. */
  begin(name: string): Disposable {
    let settle: () => void
    const end = new Promise<void>((resolve) => (settle = resolve))
    this.#ends.set(name, end)
    return {
      [Symbol.dispose]: () => {
        this.#ends.delete(name)
        settle()
      },
    }
  }
}
