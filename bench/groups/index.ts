/** Every group of figures, in the order of the table. @module */
import type { Group } from '../figure.ts'
import { der } from './der.ts'
import { handshake } from './handshake.ts'
import { messages } from './messages.ts'
import { passwords } from './passwords.ts'
import { primitives } from './primitives.ts'

/** To add figures: one more file here, and a line in this list. */
export const groups: readonly Group[] = [der, handshake, messages, passwords, primitives]
