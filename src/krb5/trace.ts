/** One step of an exchange, told as it happens (the habit of KRB5_TRACE). Holds no key material. */
export type TraceEvent =
  | { readonly kind: 'send'; readonly realm: string; readonly message: string; readonly size: number }
  | { readonly kind: 'attempt'; readonly realm: string; readonly kdc: string; readonly size: number }
  | { readonly kind: 'attempt-failed'; readonly realm: string; readonly kdc: string; readonly reason: string }
  | {
      readonly kind: 'reply'
      readonly realm: string
      readonly kdc: string
      readonly message: string
      readonly size: number
    }
  | {
      readonly kind: 'error'
      readonly realm: string
      readonly kdc: string
      readonly code: string
      readonly text: string
    }
  | { readonly kind: 'preauth'; readonly mechanism: string; readonly offered: readonly number[] }
  | { readonly kind: 'armor'; readonly client: string; readonly server: string; readonly enctype: string }
  | { readonly kind: 'key'; readonly principal: string; readonly enctype: string; readonly salt: string }
  | { readonly kind: 'clock'; readonly offset: number }
  | {
      readonly kind: 'ticket'
      readonly client: string
      readonly server: string
      readonly enctype: string
      readonly endtime: number
    }
  | { readonly kind: 'cached'; readonly client: string; readonly server: string }
  | { readonly kind: 'referral'; readonly realm: string; readonly server: string }
  | {
      readonly kind: 'password'
      readonly principal: string
      readonly kdc: string
      readonly code: number
      readonly text: string
    }
  | { readonly kind: 'accept'; readonly client: string; readonly server: string; readonly enctype: string }

/** The event as one line of text, without a line break. */
export function formatTraceEvent(event: TraceEvent): string {
  switch (event.kind) {
    case 'send':
      return `Sending ${event.message} (${event.size} bytes) to ${event.realm}`
    case 'attempt':
      return `Trying ${event.kdc} of ${event.realm} with ${event.size} bytes`
    case 'attempt-failed':
      return `${event.kdc} of ${event.realm} gave no answer: ${event.reason}`
    case 'reply':
      return `Received ${event.message} (${event.size} bytes) from ${event.kdc}`
    case 'error':
      return `Received error from ${event.kdc}: ${event.code}${event.text ? ` (${event.text})` : ''}`
    case 'preauth':
      return `Selected pre-authentication ${event.mechanism} among types ${event.offered.join(', ')}`
    case 'armor':
      return `Going through FAST with the ticket ${event.client} -> ${event.server}, session key ${event.enctype}`
    case 'key':
      return `Using ${event.enctype} key of ${event.principal}, salt "${event.salt}"`
    case 'clock':
      return `Following the KDC's clock, ${(event.offset / 1e6).toFixed(1)} s from ours`
    case 'ticket':
      return `Received ticket ${event.client} -> ${event.server}, session key ${event.enctype}, until ${new Date(event.endtime * 1000).toISOString()}`
    case 'cached':
      return `Using cached ticket ${event.client} -> ${event.server}`
    case 'referral':
      return `Referred to realm ${event.realm} for ${event.server}`
    case 'password':
      return `Password of ${event.principal} ${event.code === 0 ? 'changed' : `not changed, result ${event.code}`} by ${event.kdc}${event.text ? ` (${event.text})` : ''}`
    case 'accept':
      return `Accepted ${event.client} -> ${event.server}, session key ${event.enctype}`
  }
}
