/** As much of LDAP (RFC 4511) as it takes to say who one is, by SASL (RFC 4513 §5.2), and to hear it again (RFC 4532). */
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'

/** A connection to an LDAPS server. */
export interface LdapConnection extends Disposable {
  /** The server's certificate, in DER. */
  readonly certificate: Uint8Array
  /** Shows a token; gives the result code (0 success, 14 go on), the server's token, and what it says of a failure. */
  bind(mechanism: string, token: Uint8Array): Promise<BindResult>
  /** Who the server takes us for. */
  whoAmI(): Promise<string>
}

/** What comes of a bind. */
export interface BindResult {
  readonly code: number
  readonly token: Uint8Array | undefined
  readonly message: string
}

interface Element {
  readonly tag: number
  readonly content: Buffer
}

const tags = { integer: 2, octetString: 4, sequence: 0x30, bindRequest: 0x60, extendedRequest: 0x77 } as const
const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3'

/** Connects to the server of this name at `host`, by TLS whose certificates come from `ca`. */
export async function connectLdaps(host: string, servername: string, ca: string | Buffer): Promise<LdapConnection> {
  const socket = connect({ host, port: 636, servername, ca })
  await once(socket, 'secureConnect')
  const { raw } = new X509Certificate(socket.getPeerCertificate().raw)
  let id = 0
  async function ask(...operation: Uint8Array[]): Promise<readonly Element[]> {
    socket.write(tlv(tags.sequence, tlv(tags.integer, Buffer.of(++id)), ...operation))
    let heard: Element[] = []
    for (let octets = Buffer.alloc(0); heard.length === 0; heard = elements(octets)) {
      const [chunk] = (await once(socket, 'data')) as [Buffer]
      octets = Buffer.concat([octets, chunk])
    }
    const [, answer] = elements(heard[0]!.content)
    return elements(answer!.content)
  }
  return {
    certificate: raw,
    async bind(mechanism, token) {
      const sasl = tlv(0xa3, tlv(tags.octetString, Buffer.from(mechanism)), tlv(tags.octetString, token))
      const request = tlv(tags.bindRequest, tlv(tags.integer, Buffer.of(3)), tlv(tags.octetString), sasl)
      const [code, , message, ...others] = await ask(request)
      const shown = others.find(({ tag }) => tag === 0x87)
      return { code: code!.content[0]!, token: shown?.content, message: message!.content.toString() }
    },
    async whoAmI() {
      const answer = await ask(tlv(tags.extendedRequest, tlv(0x80, Buffer.from(WHO_AM_I))))
      return answer.find(({ tag }) => tag === 0x8b)?.content.toString() ?? ''
    },
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

function tlv(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const length = Buffer.alloc(5)
  length.writeUInt32BE(content.length, 1)
  length[0] = 0x84
  return Buffer.concat([Buffer.of(tag), length, content])
}

/** What is there in whole. */
function elements(octets: Buffer): Element[] {
  const found: Element[] = []
  for (let at = 0; at + 2 <= octets.length; ) {
    const [tag, first] = [octets[at]!, octets[at + 1]!]
    const more = first < 0x80 ? 0 : first & 0x7f
    if (at + 2 + more > octets.length) break
    const length = more === 0 ? first : octets.readUIntBE(at + 2, more)
    const end = at + 2 + more + length
    if (end > octets.length) break
    found.push({ tag, content: octets.subarray(end - length, end) })
    at = end
  }
  return found
}
