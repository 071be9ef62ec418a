/**
 * POSIX extended regular expressions (POSIX.1-2017 XBD 9.4) as auth_to_local has them: the leftmost match, and of those
 * the longest. Written for here since JavaScript's take the first alternative rather than the longest, and may take time
 * without end; these follow all the ways at once, and count their steps.
 * @module
 */

/** Longest expression that is read, in characters. */
const MAX_PATTERN = 512
/** Deepest nesting of groups. */
const MAX_DEPTH = 16
/** Most repetitions that may be asked for (RE_DUP_MAX of POSIX). */
const MAX_REPEAT = 255
/** Steps that one search may take. */
const MAX_STEPS = 200_000

/** What an expression is made of; gives the places where matches that start at one of `from` end. */
type Matcher = (text: string, from: ReadonlySet<number>, budget: Budget) => Set<number>

/** Where a match starts and ends. */
interface Span {
  readonly start: number
  readonly end: number
}

/** An expression that was read. */
export interface PosixPattern {
  /** The leftmost and then longest match in `text`; undefined when there is none. Throws RangeError when it takes too long. */
  search(text: string): Span | undefined
}

/** Reads an expression. Throws SyntaxError for what is none, back references and other extensions of C libraries included. */
export function posixPattern(pattern: string): PosixPattern {
  if (pattern.length > MAX_PATTERN) throw new SyntaxError(`an expression has at most ${MAX_PATTERN} characters`)
  const match = new Parser(pattern).whole()
  return {
    search(text) {
      const budget = new Budget()
      for (let start = 0; start <= text.length; start++) {
        const ends = match(text, new Set([start]), budget)
        if (ends.size > 0) return { start, end: Math.max(...ends) }
      }
      return undefined
    },
  }
}

class Budget {
  #left = MAX_STEPS

  spend(steps: number): void {
    this.#left -= steps + 1
    if (this.#left < 0) throw new RangeError('the expression takes too long')
  }
}

class Parser {
  readonly #pattern: string
  #at = 0
  #depth = 0

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  whole(): Matcher {
    const match = this.#alternatives()
    if (this.#at < this.#pattern.length) throw new SyntaxError('a group is closed that was not opened')
    return match
  }

  #alternatives(): Matcher {
    const ways = [this.#sequence()]
    while (this.#take('|')) ways.push(this.#sequence())
    if (ways.length === 1) return ways[0]!
    return (text, from, budget) => new Set(ways.flatMap((way) => [...way(text, from, budget)]))
  }

  #sequence(): Matcher {
    const parts: Matcher[] = []
    while (this.#at < this.#pattern.length && this.#peek() !== '|' && this.#peek() !== ')') parts.push(this.#repeated())
    return (text, from, budget) => parts.reduce((ends, part) => part(text, ends, budget), new Set(from))
  }

  #repeated(): Matcher {
    let match = this.#atom()
    for (let dup = this.#repetition(); dup; dup = this.#repetition()) match = repeated(match, dup.least, dup.most)
    return match
  }

  #repetition(): { readonly least: number; readonly most: number } | undefined {
    if (this.#take('*')) return { least: 0, most: Number.POSITIVE_INFINITY }
    if (this.#take('+')) return { least: 1, most: Number.POSITIVE_INFINITY }
    if (this.#take('?')) return { least: 0, most: 1 }
    if (this.#peek() !== '{') return undefined
    const [whole, low, comma, high] = /^\{(\d{1,3})(?:(,)(\d{0,3}))?\}/.exec(this.#pattern.slice(this.#at)) ?? []
    if (whole === undefined) throw new SyntaxError('a repetition is {n}, {n,} or {n,m}')
    this.#at += whole.length
    const least = Number(low)
    const most = comma ? (high ? Number(high) : Number.POSITIVE_INFINITY) : least
    if (least > MAX_REPEAT || least > most || (most > MAX_REPEAT && high))
      throw new SyntaxError(`not a repetition: ${whole}`)
    return { least, most }
  }

  #atom(): Matcher {
    if (this.#take('(')) return this.#group()
    if (this.#take('[')) return oneOf(this.#bracket())
    if (this.#take('.')) return oneOf(() => true)
    if (this.#take('^')) return only((_, at) => at === 0)
    if (this.#take('$')) return only((text, at) => at === text.length)
    if (/[*+?{]/.test(this.#peek())) throw new SyntaxError(`nothing to repeat before ${this.#peek()}`)
    if (this.#take('\\') && !/[\^.[\]$()|*+?{}\\/@-]/.test(this.#peek()))
      throw new SyntaxError(`POSIX has no \\${this.#peek()}`)
    const literal = this.#next()
    return oneOf((character) => character === literal)
  }

  #group(): Matcher {
    if (++this.#depth > MAX_DEPTH) throw new SyntaxError(`groups are nested deeper than ${MAX_DEPTH}`)
    const match = this.#alternatives()
    if (!this.#take(')')) throw new SyntaxError('a group is not closed')
    this.#depth--
    return match
  }

  #bracket(): (character: string) => boolean {
    const negated = this.#take('^')
    const members: ((character: string) => boolean)[] = []
    do members.push(this.#member())
    while (!this.#take(']'))
    return (character) => members.some((member) => member(character)) !== negated
  }

  #member(): (character: string) => boolean {
    const [whole, name] = /^\[:(\w+):\]/.exec(this.#pattern.slice(this.#at)) ?? []
    if (whole !== undefined) {
      this.#at += whole.length
      const known = characterClasses[name!]
      if (!known) throw new SyntaxError(`no class of characters: ${name}`)
      return (character) => known.test(character)
    }
    if (/^\[[.=]/.test(this.#pattern.slice(this.#at))) throw new SyntaxError('collating elements are not taken')
    const first = this.#next()
    if (this.#peek() !== '-' || /^-(\]|$)/.test(this.#pattern.slice(this.#at)))
      return (character) => character === first
    this.#at++
    const last = this.#next()
    if (first > last) throw new SyntaxError(`a range runs backwards: ${first}-${last}`)
    return (character) => first <= character && character <= last
  }

  #peek(): string {
    return this.#pattern.charAt(this.#at)
  }

  #next(): string {
    if (this.#at >= this.#pattern.length) throw new SyntaxError('the expression is cut short')
    return this.#pattern.charAt(this.#at++)
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false
    this.#at++
    return true
  }
}

const oneOf =
  (takes: (character: string) => boolean): Matcher =>
  (text, from, budget) => {
    budget.spend(from.size)
    return new Set([...from].filter((at) => at < text.length && takes(text.charAt(at))).map((at) => at + 1))
  }

const only =
  (holds: (text: string, at: number) => boolean): Matcher =>
  (text, from) =>
    new Set([...from].filter((at) => holds(text, at)))

/** After `least` times, goes on only from places that were not reached before, so that it comes to an end. */
function repeated(match: Matcher, least: number, most: number): Matcher {
  return (text, from, budget) => {
    let ends: ReadonlySet<number> = from
    for (let i = 0; i < least && ends.size > 0; i++) ends = match(text, ends, budget)
    const reached = new Set(ends)
    for (let i = least; i < most && ends.size > 0; i++) {
      budget.spend(ends.size)
      ends = new Set([...match(text, ends, budget)].filter((end) => !reached.has(end)))
      for (const end of ends) reached.add(end)
    }
    return reached
  }
}

/** POSIX.1-2017 XBD 9.3.5, in the POSIX locale. */
const characterClasses: Readonly<Record<string, RegExp>> = {
  alnum: /^[0-9A-Za-z]$/,
  alpha: /^[A-Za-z]$/,
  blank: /^[ \t]$/,
  cntrl: /^\p{Cc}$/u,
  digit: /^[0-9]$/,
  graph: /^[!-~]$/,
  lower: /^[a-z]$/,
  print: /^[ -~]$/,
  punct: /^[!-/:-@[-`{-~]$/,
  space: /^[ \t\n\v\f\r]$/,
  upper: /^[A-Z]$/,
  xdigit: /^[0-9A-Fa-f]$/,
}
