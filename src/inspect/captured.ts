/** Captures explained: each message of Kerberos in its order, with who sent it to whom. @module */
import { BoundsError } from '../bytes/cursor.ts'
import { framesOf, isCapture } from './capture.ts'
import { Conversations } from './conversations.ts'
import { Fragments } from './fragments.ts'
import { formatInstant } from './names.ts'
import type { Outline } from './outline.ts'
import { type Packet, packetOf } from './packets.ts'
import type { Scope } from './scope.ts'

/** Explains a file of captured packets if it is one; false for anything else. Where it is damaged, it says so and ends. */
export function explainCapture(octets: Uint8Array, outline: Outline, scope: Scope): boolean {
  if (!isCapture(octets)) return false
  const line = outline.add('capture', `${octets.length} octets`)
  const conversations = new Conversations()
  const fragments = new Fragments()
  const seen = { frames: 0, ours: 0 }
  try {
    for (const frame of framesOf(octets)) {
      if (line.full) break
      seen.frames++
      if (explainPacket(packetOf(frame, fragments), frame.time, conversations, line, scope)) seen.ours++
    }
  } catch (error) {
    if (!(error instanceof BoundsError)) throw error
    line.fail(`the capture cannot be read on: ${error.message}`)
  }
  for (const problem of conversations.leftOver()) line.fail(problem)
  if (fragments.unfinished > 0) line.fail(`${fragments.unfinished} datagrams in pieces of which some were not captured`)
  line.add('packets', `${seen.frames}, of which ${seen.ours} have to do with Kerberos`)
  return true
}

function explainPacket(
  packet: Packet | undefined,
  time: number | undefined,
  conversations: Conversations,
  outline: Outline,
  scope: Scope,
): boolean {
  const messages = packet && conversations.messagesOf(packet)
  if (!messages) return false
  for (const message of messages) {
    const when = time === undefined ? '' : `${formatMicroseconds(time)} `
    scope.explain(message, outline.add(`${when}${packet.protocol} ${packet.from} > ${packet.to}`))
  }
  return true
}

/** `2026-11-28T05:15:00.123456Z` */
const formatMicroseconds = (time: number): string =>
  formatInstant(Math.floor(time / 1e6)).replace(/Z$/, `.${String(Math.floor(time % 1e6)).padStart(6, '0')}Z`)
