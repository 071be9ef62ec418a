/** Object identifiers of RFC 2743 and its mechanisms, dotted. @module */

/** An object identifier in dotted form. */
export type Oid = string

/** Mechanisms (RFC 4121 §4.1, RFC 4178 §3.1, MS-SPNG §2.2.1, draft-ietf-kitten-iakerb, MS-NLMP). */
export const mechanismOids = {
  krb5: '1.2.840.113554.1.2.2',
  /** What Windows 2000 wrote by mistake for krb5, and everybody has read since. */
  krb5Microsoft: '1.2.840.48018.1.2.2',
  krb5Draft: '1.3.5.1.5.2',
  iakerb: '1.3.6.1.5.2.5',
  spnego: '1.3.6.1.5.5.2',
  negoex: '1.3.6.1.4.1.311.2.2.30',
  ntlmssp: '1.3.6.1.4.1.311.2.2.10',
} as const

/** Name types (RFC 2743 §4, RFC 1964 §2.1, RFC 6806 §5). */
export const nameTypeOids = {
  hostbased: '1.2.840.113554.1.2.1.4',
  user: '1.2.840.113554.1.2.1.1',
  machineUid: '1.2.840.113554.1.2.1.2',
  stringUid: '1.2.840.113554.1.2.1.3',
  anonymous: '1.3.6.1.5.6.3',
  exported: '1.3.6.1.5.6.4',
  krb5Principal: '1.2.840.113554.1.2.2.1',
  krb5Enterprise: '1.2.840.113554.1.2.2.6',
} as const
