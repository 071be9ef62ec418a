import type { PaData } from '../messages/basics.ts'
import { paTypes } from '../messages/codes.ts'
import type { KrbExchange } from '../questions.ts'
import type { LoginState, Preauth, PreauthRun } from './mechanism.ts'

/** The largest cookie that is carried back to the KDC, in octets: it has to fit a request. */
const MAX_COOKIE = 65_536

/** Which of the mechanisms answers, round by round (RFC 6113 §2); disposing of it wipes what they hold. */
export class Negotiation implements Disposable {
  readonly #preauth: readonly Preauth[]
  readonly #login: LoginState
  #left: readonly Preauth[]
  #active: { readonly mechanism: Preauth; readonly run: PreauthRun } | undefined
  #offered: readonly PaData[] | undefined

  /** With `onChance`, the first request holds a proof already, though nothing was offered (RFC 6113 §2). */
  constructor(preauth: readonly Preauth[], login: LoginState, onChance: boolean) {
    this.#preauth = preauth
    this.#login = login
    this.#left = preauth
    this.#offered = onChance ? [] : undefined
  }

  /** The mechanism at work; undefined for none. */
  get mechanism(): Preauth | undefined {
    return this.#active?.mechanism
  }

  /** What it holds for this login; undefined for none. */
  get run(): PreauthRun | undefined {
    return this.#active?.run
  }

  /** The padata that the next request proves the client with; undefined when no mechanism is left that could. */
  *proof(): KrbExchange<readonly PaData[] | undefined> {
    const offered = this.#offered
    if (!offered) return this.#preauth.flatMap(({ announced = [] }) => announced)
    for (;;) {
      const active = (this.#active ??= this.#choose(offered))
      if (!active) break
      const answer = yield* active.run.answer(offered)
      if (answer) return [...answer, ...cookieIn(offered)]
      this.#drop()
    }
    // a proof on chance that nobody can make is no failure: the KDC has not been asked yet
    return offered.length === 0 ? [] : undefined
  }

  /** The KDC wants a proof (KDC_ERR_PREAUTH_REQUIRED): of another kind, if it had one that it should have known. */
  required(offered: readonly PaData[]): void {
    if (this.#offered?.length) this.#drop()
    else this.#beginAgain()
    this.#offered = offered
  }

  /** The KDC wants another round (KDC_ERR_MORE_PREAUTH_DATA_REQUIRED); false when there was none before. */
  more(offered: readonly PaData[]): boolean {
    this.#offered = offered
    return this.#active !== undefined
  }

  /**
   * The KDC refused the proof. Whether there is another to try: of the same mechanism when a `newKey` was told of, of the
   * next one otherwise.
   */
  failed(offered: readonly PaData[], newKey: boolean): boolean {
    const active = this.#active
    if (!active) return false
    const onChance = this.#offered?.length === 0
    if (onChance || (newKey && offered.length > 0)) {
      const { mechanism } = active
      this.#beginAgain()
      this.#offered = onChance ? undefined : offered
      if (!onChance) this.#left = [mechanism]
      return true
    }
    if (!active.mechanism.fallible) return false
    this.#drop()
    if (offered.length > 0) this.#offered = offered
    return true
  }

  /** Starts over without a proof, as when the conversation took too long (RFC 6113 §5.2) or goes on inside FAST. */
  restart(): true {
    this.#beginAgain()
    this.#offered = undefined
    return true
  }

  [Symbol.dispose](): void {
    this.#active?.run[Symbol.dispose]()
    this.#active = undefined
  }

  /** Begins the first that is left and wanted. */
  #choose(offered: readonly PaData[]) {
    const wanted = ({ types }: Preauth) =>
      offered.length === 0 || offered.some(({ padataType }) => types.includes(padataType))
    for (const mechanism of this.#left.filter(wanted)) {
      const run = mechanism.begin(this.#login)
      if (!run) continue
      const types = offered.map(({ padataType }) => padataType)
      this.#login.env.trace?.({ kind: 'preauth', mechanism: mechanism.name, offered: types })
      return { mechanism, run }
    }
    return undefined
  }

  #drop(): void {
    const mechanism = this.#active?.mechanism
    this.#left = this.#left.filter((candidate) => candidate !== mechanism)
    this[Symbol.dispose]()
  }

  #beginAgain(): void {
    this.#left = this.#preauth
    this[Symbol.dispose]()
  }
}

/** The KDC's memory of the conversation, to be sent back as it is (RFC 6113 §5.2). One that is too large is left out. */
function cookieIn(offered: readonly PaData[]): readonly PaData[] {
  const cookie = offered.find(({ padataType }) => padataType === paTypes.fxCookie)
  return cookie && cookie.padataValue.length <= MAX_COOKIE ? [cookie] : []
}
