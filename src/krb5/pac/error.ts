import { BoundsError } from '../../bytes/cursor.ts'

/**
 * A PAC that is not one, or that must not be believed. `path` names the member that is wrong from the outside in, and
 * `offset` is where reading stopped, in octets from the beginning of the buffer that the path begins with.
 */
export class PacError extends Error {
  override readonly name = 'PacError'
  readonly reason: string
  /** `logonInfo.groupIds[2]`; empty when the whole PAC is meant. */
  readonly path: string
  /** Undefined when no place is to blame. */
  readonly offset: number | undefined

  constructor(
    reason: string,
    { path = '', offset, ...options }: ErrorOptions & { readonly path?: string; readonly offset?: number } = {},
  ) {
    super(`PAC${path && `.${path}`}: ${reason}${offset === undefined ? '' : ` (at octet ${offset})`}`, options)
    this.reason = reason
    this.path = path
    this.offset = offset
  }
}

/** What to rethrow when `error` left the part `step` of a structure, with reading at `offset`. */
export function outward(step: string, error: unknown, offset?: number): unknown {
  if (error instanceof PacError) {
    const joint = step === '' || error.path === '' || error.path.startsWith('[') ? '' : '.'
    const at = error.offset ?? offset
    const place = at === undefined ? {} : { offset: at }
    return new PacError(error.reason, { path: step + joint + error.path, ...place, cause: error.cause })
  }
  if (!(error instanceof BoundsError)) return error
  return new PacError(error.message, { path: step, ...(offset === undefined ? {} : { offset }), cause: error })
}
