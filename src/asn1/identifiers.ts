/** Identifier octets (X.690 §8.1.2): class, constructed bit and tag number in one octet. @module */

/** Whole identifier octets of the universal types in use (X.680 §8.6). */
export const universal = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  ia5String: 0x16,
  generalizedTime: 0x18,
  generalString: 0x1b,
  sequence: 0x30,
} as const

/** Class bits of the tags that schemas assign themselves (X.690 §8.1.2.2). */
export const tagClasses = { application: 0x40, context: 0x80 } as const

/** The bits that hold the class. */
export const TAG_CLASS = 0xc0

/** Set when the contents are themselves elements (X.690 §8.1.2.5). */
export const CONSTRUCTED = 0x20

/** The five tag-number bits; all ones announce a longer number, which no type of Kerberos, GSS-API or SPNEGO has. */
export const TAG_NUMBER = 0x1f

/** Every identifier octet that can start an element: end-of-contents and tag numbers above 30 cannot. */
export const anyIdentifier: readonly number[] = Array.from({ length: 256 }, (_, octet) => octet).filter(
  (octet) => octet !== 0 && (octet & TAG_NUMBER) !== TAG_NUMBER,
)

/** The identifier octet of `[class tag]`. Throws TypeError for a tag number that does not fit one octet. */
export function identifierOf(tagClass: keyof typeof tagClasses, tag: number, constructed: boolean): number {
  if (!Number.isInteger(tag) || tag < 0 || tag >= TAG_NUMBER)
    throw new TypeError(`tag [${tag}] does not fit one octet: 0 to 30 do`)
  return tagClasses[tagClass] | (constructed ? CONSTRUCTED : 0) | tag
}
