import { decode } from '../../asn1/codec.ts'
import type { Enctype } from '../../crypto/enctypes/profile.ts'
import type { PaData } from '../messages/basics.ts'
import { paTypes } from '../messages/codes.ts'
import { EtypeInfo, EtypeInfo2 } from '../messages/preauth.ts'
import type { Principal } from '../names.ts'
import { defaultSalt, type KeyHint } from '../secret.ts'

/** One entry of what the KDC says of the client's keys. */
interface Entry {
  readonly etype: number
  readonly salt?: Uint8Array | undefined
  readonly s2kparams?: Uint8Array | undefined
}

/**
 * Which of the client's keys the KDC wants, as its padata tells: ETYPE-INFO2 before ETYPE-INFO before PW-SALT (RFC 4120
 * §5.2.7.3 to §5.2.7.5), the KDC's first among `allowed`. Undefined when the padata tells nothing that fits.
 * Throws Asn1Error when it cannot be read.
 */
export function keyHint(
  padata: readonly PaData[],
  allowed: readonly Enctype[],
  client: Principal,
): KeyHint | undefined {
  const value = (type: number) => padata.find(({ padataType }) => padataType === type)?.padataValue
  const info2 = value(paTypes.etypeInfo2)
  const info = value(paTypes.etypeInfo)
  const salt = value(paTypes.pwSalt)
  const entries: readonly Entry[] = info2
    ? decode(EtypeInfo2, info2)
    : info
      ? decode(EtypeInfo, info)
      : salt
        ? allowed.map(({ id }) => ({ etype: id, salt }))
        : []
  for (const entry of entries) {
    const enctype = allowed.find(({ id }) => id === entry.etype)
    if (enctype) return { enctype, salt: entry.salt ?? defaultSalt(client), parameters: entry.s2kparams }
  }
  return undefined
}
