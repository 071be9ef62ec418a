/** Any value explained by the schema that it is read with: names and types from there, values from the octets. @module */
import { type Codec, decode } from '../asn1/codec.ts'
import { Asn1Error } from '../asn1/error.ts'
import { TAG_NUMBER } from '../asn1/identifiers.ts'
import { Reader } from '../asn1/reader.ts'
import { toHex } from '../bytes/index.ts'
import { checksumTypeName } from '../crypto/checksums.ts'
import { enctypeName } from '../crypto/enctypes/table.ts'
import { Checksum, EncryptedData, EncryptionKey, HostAddress, PrincipalName } from '../krb5/messages/basics.ts'
import { addressTypes, GSS_CHECKSUM_TYPE } from '../krb5/messages/codes.ts'
import { formatPrincipal } from '../krb5/names.ts'
import { formatOctets, formatValue, nameNameType } from './names.ts'
import type { Outline } from './outline.ts'
import type { Rules, Scope } from './scope.ts'

/** Members that whoever sees them can use, besides the keys. */
const secretMembers: ReadonlySet<string> = new Set([
  'ChangePasswdData.newpasswd',
  // Of whichever use: that of kpasswd is a password (RFC 3244 §2).
  'EncKrbPrivPart.userData',
  'PA-OTP-REQUEST.pin',
  'PA-OTP-REQUEST.value',
])

/** What the keys are that messages hold, in the words of RFC 4120. */
const keyNames: Readonly<Record<string, string>> = {
  'EncTicketPart.key': 'the session key of the ticket',
  'EncKDCRepPart.key': 'the session key of the reply',
  'KrbCredInfo.key': 'the session key of the credential',
  'Authenticator.subkey': "the client's subkey",
  'EncAPRepPart.subkey': "the service's subkey",
}

/** Where in a schema a value stands. */
interface Place {
  readonly label: string
  /** Type that it is a member of. */
  readonly owner: string
  /** Name of the member, which items of a list share. */
  readonly member: string
}

/** A secret in words, or itself where it is to be shown. */
export const secretText = (octets: Uint8Array, { showKeys }: Pick<Scope, 'showKeys'>): string =>
  showKeys ? toHex(octets) : `${octets.length} octets, not shown`

/** One reading of one schema over some octets; `rules` tell what is inside members, `before` what to prepare for them. */
export class Walk {
  readonly #reader: Reader
  readonly #scope: Scope
  readonly #rules: Rules
  readonly #before: Rules

  constructor(octets: Uint8Array, scope: Scope, rules: Rules, before: Rules) {
    this.#reader = new Reader(octets)
    this.#scope = scope
    this.#rules = rules
    this.#before = before
  }

  /** Explains the octets as a `codec` value; what departs from the schema is told, and what can be read is read. */
  run(codec: Codec<unknown>, outline: Outline, label: string): void {
    const { octets } = this.#reader
    try {
      decode(codec, octets)
    } catch (error) {
      outline.fail(reasonOf(error))
    }
    try {
      this.#element(codec, octets.length, outline, { label, owner: '', member: label })
    } catch (error) {
      reasonOf(error) // was told above, with its path
    }
  }

  /** Explains the element at the cursor; gives the outline of its line. */
  #element(codec: Codec<unknown>, end: number, outline: Outline, place: Place): Outline {
    const summary = this.#summary(codec, end, place)
    if (summary !== undefined) return outline.add(place.label, summary)
    const { shape } = codec
    const reader = this.#reader
    switch (shape.kind) {
      case 'explicit': {
        const found = reader.peek(end)
        const stop = reader.enter(codec.starts(found) ? found : codec.identifiers[0]!, codec.name, end)
        return this.#element(shape.of, stop, outline, place)
      }
      case 'choice': {
        const found = Object.entries(shape.alternatives).find(([, { identifiers }]) =>
          identifiers.includes(reader.peek(end)),
        )
        if (!found) throw new Asn1Error(`no alternative of ${codec.name} begins like this`)
        return this.#element(found[1], end, outline, { ...place, label: `${place.label} ${found[0]}` })
      }
      case 'sequence':
        return this.#sequence(codec, shape.members, end, outline, place)
      case 'sequenceOf':
        return this.#list(codec, shape.of, end, outline, place)
      default: {
        const value = codec.read(reader, end)
        const secret = value instanceof Uint8Array && secretMembers.has(`${place.owner}.${place.member}`)
        const text = secret ? secretText(value, this.#scope) : formatValue(place.member, codec.name, value)
        return outline.add(place.label, text)
      }
    }
  }

  #sequence(
    codec: Codec<unknown>,
    members: Readonly<Record<string, Codec<unknown>>>,
    end: number,
    outline: Outline,
    place: Place,
  ): Outline {
    const reader = this.#reader
    const owner = codec.name
    const siblings = { ...(this.#attempt(codec, end) as Record<string, unknown> | undefined) }
    const stop = reader.enter(codec.identifiers[0]!, owner, end)
    const line = outline.add(place.label, place.label === owner ? '' : owner)
    this.#before[owner]?.(siblings, line, siblings, this.#scope)
    try {
      for (const [member, type] of Object.entries(members)) {
        if (line.full || !type.starts(reader.peek(stop))) continue
        const value = this.#attempt(type, stop)
        const inner = this.#element(type, stop, line, { label: member, owner, member })
        if (value !== undefined) this.#rules[`${owner}.${member}`]?.(value, inner, siblings, this.#scope)
      }
      while (reader.at < stop && !line.full) {
        const from = reader.at
        const tag = reader.peek(stop) & TAG_NUMBER
        reader.skip(stop)
        line.add(`unknown [${tag}]`, formatOctets(reader.octets.subarray(from, reader.at)))
      }
    } catch (error) {
      line.fail(reasonOf(error))
    }
    reader.at = stop
    return line
  }

  #list(codec: Codec<unknown>, item: Codec<unknown>, end: number, outline: Outline, place: Place): Outline {
    const reader = this.#reader
    const stop = reader.enter(codec.identifiers[0]!, codec.name, end)
    const line = outline.add(place.label)
    try {
      for (let i = 0; reader.at < stop && !line.full; i++)
        this.#element(item, stop, line, { ...place, label: `[${i}]` })
    } catch (error) {
      line.fail(reasonOf(error))
    }
    reader.at = stop
    return line
  }

  /** The value at the cursor, which stays where it is; undefined when it cannot be read. */
  #attempt(codec: Codec<unknown>, end: number): unknown {
    const at = this.#reader.at
    try {
      return codec.read(this.#reader, end)
    } catch (error) {
      reasonOf(error)
      return undefined
    } finally {
      this.#reader.at = at
    }
  }

  /** Types that fit one line, and the keys, which are learnt on the way and not shown. */
  #summary(codec: Codec<unknown>, end: number, { owner, member }: Place): string | undefined {
    if (codec.shape.kind !== 'sequence') return undefined
    const read = <T>(type: Codec<T>): T => type.read(this.#reader, end)
    switch (codec) {
      case PrincipalName: {
        const { nameType, nameString } = read(PrincipalName)
        return `${formatPrincipal({ components: nameString, realm: '' })}, type ${nameNameType(nameType)}`
      }
      case EncryptionKey: {
        const key = read(EncryptionKey)
        this.#scope.ring.learn(key, keyNames[`${owner}.${member}`] ?? `the ${member} of ${owner}`)
        return `${enctypeName(key.keytype)}, ${secretText(key.keyvalue, this.#scope)}`
      }
      case EncryptedData: {
        const { etype, kvno, cipher } = read(EncryptedData)
        const version = kvno === undefined ? '' : `, key version ${kvno}`
        return `${enctypeName(etype)}${version}, ${cipher.length} octets`
      }
      case Checksum: {
        const { cksumtype, checksum } = read(Checksum)
        return `${cksumtype === GSS_CHECKSUM_TYPE ? 'GSS-API' : checksumTypeName(cksumtype)}, ${formatOctets(checksum)}`
      }
      case HostAddress: {
        const { addrType, address } = read(HostAddress)
        const isIpv4 = addrType === addressTypes.ipv4 && address.length === 4
        return isIpv4 ? address.join('.') : `type ${formatValue('addrType', '', addrType)}, ${formatOctets(address)}`
      }
      default:
        return undefined
    }
  }
}

/** What an Asn1Error says; anything else is thrown on. */
function reasonOf(error: unknown): string {
  if (error instanceof Asn1Error) return error.message
  throw error
}
