/** What a context is told when it is made. @module */
import type { Credentials } from './credentials.ts'
import { GssError } from './error.ts'
import type { defaultFlags, GssFlag } from './flags.ts'
import type { BoundHandshake, BoundMechanism, ChannelBindings } from './mechanism.ts'
import type { Name } from './name.ts'

/** What both sides of a context may say. */
interface CommonOptions {
  /** Or how to get them, when the first step needs them. */
  readonly creds: Credentials | (() => Promise<Credentials>)
  readonly mech: BoundMechanism
  readonly channelBindings?: ChannelBindings | undefined
  /** What becomes of a genuine message that is replayed or out of its order: an error, unless it is to be told with the result. */
  readonly disorder?: 'refuse' | 'report' | undefined
}

/** An initiator's options: whom to reach, and what to ask for ({@link defaultFlags} unless said). */
export interface InitiatorOptions extends CommonOptions {
  readonly usage: 'initiate'
  readonly name: Name
  readonly flags?: Iterable<GssFlag> | undefined
}

/** An acceptor's options. */
export interface AcceptorOptions extends CommonOptions {
  readonly usage: 'accept'
}

/** How a context is imported. */
export type ImportOptions = Pick<CommonOptions, 'mech' | 'disorder'>

/** The options of {@link SecurityContext}. */
export type ContextOptions = InitiatorOptions | AcceptorOptions

/** The handshake that the options call for. Throws {@link GssError}. */
export function begin(options: ContextOptions, credentials: Credentials, flags: ReadonlySet<GssFlag>): BoundHandshake {
  requireUsage(credentials, options.usage)
  const { mech, channelBindings } = options
  if (options.usage === 'accept') return mech.accept({ credentials, channelBindings })
  return mech.initiate({ target: options.name, credentials, channelBindings, flags })
}

/** Throws {@link GssError} GSS_S_NO_CRED for credentials that are not for that. */
export function requireUsage({ usage }: Credentials, wanted: 'initiate' | 'accept'): void {
  if (usage !== 'both' && usage !== wanted)
    throw new GssError('GSS_S_NO_CRED', `these credentials are to ${usage}, not to ${wanted}`)
}
