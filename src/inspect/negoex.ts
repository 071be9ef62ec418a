/** NegoEx (MS-NEGOEX), another mechanism that stands inside SPNEGO. @module */
import { GssError } from '../gss/error.ts'
import { authSchemes, isNegoEx, type NegoExMessage, type NegoExValue, parseNegoEx } from '../spnego/negoex.ts'
import { formatOctets } from './names.ts'
import type { Outline } from './outline.ts'
import type { Scope } from './scope.ts'

/** MS-NEGOEX's own names. */
const names: Readonly<Record<NegoExMessage['type'], string>> = {
  initiatorNego: 'INITIATOR_NEGO',
  acceptorNego: 'ACCEPTOR_NEGO',
  initiatorMetaData: 'INITIATOR_META_DATA',
  acceptorMetaData: 'ACCEPTOR_META_DATA',
  challenge: 'CHALLENGE',
  apRequest: 'AP_REQUEST',
  verify: 'VERIFY',
  alert: 'ALERT',
}

/** Explains messages of NegoEx; false for anything else. */
export function explainNegoEx(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  if (!isNegoEx(octets)) return false
  const line = outline.add('NegoEx', `${octets.length} octets`)
  try {
    for (const message of parseNegoEx(octets)) {
      const { type, sequence, conversation } = message
      const inner = line.add(names[type], `message ${sequence} of ${conversation}`)
      explainBody(message, inner, scope)
    }
  } catch (error) {
    if (!(error instanceof GssError)) throw error
    line.fail(error.message)
  }
  return true
}

const schemeName = (scheme: string): string => (authSchemes[scheme] ? `${authSchemes[scheme]} (${scheme})` : scheme)

function explainBody(message: NegoExMessage, outline: Outline, scope: Scope): void {
  if ('authSchemes' in message) {
    outline.add('random', formatOctets(message.random))
    outline.add('version', String(message.version))
    outline.add('mechanisms', message.authSchemes.map(schemeName).join(', ') || 'none')
    explainValues('extension', message.extensions, outline)
    return
  }
  outline.add('mechanism', schemeName(message.authScheme))
  if (message.type === 'verify') {
    const { checksumScheme, checksumType, checksum } = message
    outline.add('checksum', `${formatOctets(checksum)}, type ${checksumType} of scheme ${checksumScheme}`)
  } else if (message.type === 'alert') {
    outline.add('error code', `0x${message.errorCode.toString(16).padStart(8, '0')}`)
    explainValues('alert', message.alerts, outline)
  } else scope.explain(message.exchange, outline.add('exchange', `${message.exchange.length} octets`))
}

function explainValues(name: string, values: readonly NegoExValue[], outline: Outline): void {
  for (const { type, value } of values) outline.add(`${name} ${type}`, formatOctets(value))
}
