/** What the inspector says, as a tree of lines that cannot outgrow its bounds. @module */

/** One line, and what stands below it. */
export interface Item {
  /** Name of the member, as the schema has it. */
  readonly label: string
  /** Its value for people; empty where all is below. */
  readonly text: string
  readonly items: readonly Item[]
}

/** Most lines of one explanation. */
const MAX_LINES = 20_000
/** Deepest line: what is nested deeper is left out. */
const MAX_DEPTH = 48

/** Longest text of a line, in characters. */
const MAX_TEXT = 1024

/** A line that is being filled. */
export class Outline {
  readonly items: Item[] = []
  readonly #depth: number
  readonly #lines: { left: number }

  constructor(depth = 0, lines = { left: MAX_LINES }) {
    this.#depth = depth
    this.#lines = lines
  }

  /** Whether nothing more is taken: whoever loops stops here. */
  get full(): boolean {
    return this.#lines.left <= 0 || this.#depth > MAX_DEPTH
  }

  /** Adds a line; what comes back takes the lines below it. */
  add(label: string, text = ''): Outline {
    const inner = new Outline(this.#depth + 1, this.#lines)
    if (this.full) return inner
    this.#lines.left--
    if (this.#lines.left === 0) this.items.push({ label: '!', text: `cut off after ${MAX_LINES} lines`, items: [] })
    else if (this.#depth === MAX_DEPTH) this.items.push({ label: '!', text: 'nested too deeply', items: [] })
    else this.items.push({ label, text: printable(shortened(text)), items: inner.items })
    return inner
  }

  /** Adds what is wrong. */
  fail(reason: string): void {
    this.add('!', reason)
  }
}

const shortened = (text: string): string =>
  text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text

/** Text for one line of a terminal: what would steer it is escaped. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)

/** The tree as lines of text, two spaces for each level. */
export function formatItems(items: readonly Item[], indent = ''): string[] {
  return items.flatMap(({ label, text, items: inner }) => [
    `${indent}${[label, text].filter(Boolean).join(': ')}`,
    ...formatItems(inner, `${indent}  `),
  ])
}
