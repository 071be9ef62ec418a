/**
 * The text of a krb5.conf, read and written: what MIT's parser takes is taken (measured with libkrb5 1.20.1), save for
 * braces that are never closed and relations that belong to no section.
 * @module
 */
import { ConfigError, excerpt } from './error.ts'
import { type Draft, draftOf, type ProfileEntry, type Section } from './section.ts'

/** Braces within each other that are followed. */
const MAX_DEPTH = 16

/** `include` and `includedir`. */
export interface Directive {
  readonly kind: 'include' | 'includedir'
  readonly path: string
  readonly line: number
}

/** `name =` or `name = {`, of which more is to come. */
interface Opening {
  readonly name: string
  readonly final: boolean
  readonly line: number
}

/** Reads a text into `top`; yields an include where it stands, so that order is kept. Throws {@link ConfigError}. */
export function* parseLines(top: Draft, text: string, file: string): Generator<Directive, void> {
  // A keytab or a ccache named by mistake must not have its keys quoted in a message.
  if (text.includes('\0')) throw new ConfigError(file, undefined, 'this is no text; name a krb5.conf')
  const open: Draft[] = []
  const openings: Opening[] = []
  let awaited: Opening | undefined
  let line = 0
  for (const raw of text.replace(/^\ufeff/, '').split('\n')) {
    line++
    const refuse = (what: string) => new ConfigError(file, line, what)
    const trimmed = raw.trim()
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) continue
    if (awaited) {
      if (!trimmed.startsWith('{')) throw missing(file, awaited)
      enter(awaited)
      awaited = undefined
      continue
    }
    const [, kind, path] = /^(include|includedir|module)\s+(?!=)(\S.*)$/.exec(trimmed) ?? []
    if (kind === 'include' || kind === 'includedir') yield { kind, path: path!, line }
    else if (kind === 'module')
      continue // a plug-in of MIT's, which nothing here could load
    else if (trimmed.startsWith('[')) startSection(trimmed)
    else if (open.length === 0) {
      // Prose before the first section is no harm; a setting there would be lost.
      if (trimmed.includes('=')) throw refuse(`${excerpt(trimmed)} stands before any [section]`)
    } else if (trimmed.startsWith('}')) closeBrace(trimmed)
    else awaited = readRelation(trimmed)
  }
  if (awaited) throw missing(file, awaited)
  const unclosed = openings.at(-1)
  if (unclosed) throw new ConfigError(file, unclosed.line, `the brace of ${excerpt(unclosed.name)} is never closed`)

  function startSection(trimmed: string): void {
    const [, name, final] = /^\[([^\]]+)\](\*?)$/.exec(trimmed) ?? []
    if (name === undefined) throw new ConfigError(file, line, `${excerpt(trimmed)} is no section; write [name]`)
    const brace = openings.at(-1)
    if (brace)
      throw new ConfigError(file, line, `a section begins while the brace of line ${brace.line} is open; write }`)
    const draft = draftOf(top, { name: name.trim(), file, line })
    if (final) draft.section.final = true
    open.splice(0, 1, draft)
  }

  function closeBrace(trimmed: string): void {
    if (!openings.pop()) throw new ConfigError(file, line, 'this brace closes nothing')
    const draft = open.pop()
    if (draft && trimmed.startsWith('}*')) draft.section.final = true
  }

  /** Takes `name = value` in; gives back what a line with a brace has to follow. */
  function readRelation(trimmed: string): Opening | undefined {
    const at = trimmed.indexOf('=')
    const tag = trimmed.slice(0, Math.max(at, 0)).trim()
    const name = tag.replace(/\*.*$/, '')
    if (name === '' || /\s/.test(tag))
      throw new ConfigError(file, line, `${excerpt(trimmed)} is no relation; write name = value`)
    const value = trimmed.slice(at + 1).trim()
    const final = name !== tag
    if (value === '') return { name, final, line }
    if (value === '{') enter({ name, final, line })
    else open.at(-1)?.section.entries.push({ name, value: unquoted(value), file, line, final })
    return undefined
  }

  function enter(opening: Opening): void {
    if (openings.length >= MAX_DEPTH)
      throw new ConfigError(file, line, `more than ${MAX_DEPTH} braces within each other`)
    const draft = draftOf(open.at(-1) ?? top, { ...opening, file })
    if (opening.final) draft.section.final = true
    openings.push(opening)
    open.push(draft)
  }
}

const missing = (file: string, { name, line }: Opening) =>
  new ConfigError(file, line, `${excerpt(name)} has no value; write one, or "" for none, or { on the next line`)

/** What a backslash makes of a character within quotes; any other one stands for itself. */
const escapes = new Map([
  ['n', '\n'],
  ['t', '\t'],
  ['b', '\b'],
])

/** A value without its quotes; what follows the closing one does not count, and the end of the line closes, too. */
function unquoted(value: string): string {
  if (!value.startsWith('"')) return value
  let text = ''
  for (let i = 1; i < value.length && value[i] !== '"'; i++) {
    const character = value[i] === '\\' ? value[++i] : undefined
    text += character === undefined ? (value[i] ?? '') : (escapes.get(character) ?? character)
  }
  return text
}

/**
 * The text of a profile, as MIT's tools and {@link parseLines} read it. Throws TypeError for a name or a value that
 * cannot be written, and for relations outside of sections.
 */
export function formatProfile({ entries }: Section): string {
  const lines: string[] = []
  for (const { name, value } of entries) {
    if (typeof value === 'string') throw new TypeError(`${excerpt(name)} belongs to no section`)
    if (!/^[^\]\n\0]+$/.test(name) || name !== name.trim())
      throw new TypeError(`${excerpt(name)} cannot name a section`)
    lines.push(`[${name}]${value.final ? '*' : ''}`, ...linesOf(value, '  '), '')
  }
  return lines.join('\n')
}

function linesOf(section: Section, indent: string): string[] {
  return section.entries.flatMap((entry) => {
    const { name, value, final } = entry
    if (!/^[^\s=*#;[}{\0][^\s=*\0]*$/.test(name)) throw new TypeError(`${excerpt(name)} cannot name a relation`)
    if (typeof value === 'string') return [`${indent}${name}${final ? '*' : ''} = ${quoted(entry)}`]
    return [`${indent}${name} = {`, ...linesOf(value, `${indent}  `), `${indent}}${value.final ? '*' : ''}`]
  })
}

/** A value within quotes where it would be read as something else without them. */
function quoted({ name, value }: ProfileEntry): string {
  if (typeof value !== 'string' || value.includes('\0'))
    throw new TypeError(`the value of ${excerpt(name)} holds a NUL`)
  if (value !== '' && value === value.trim() && value !== '{' && !/^"|[\n\t\b]/.test(value)) return value
  const escaped = value.replace(/[\n\t\b"\\]/g, (character) => {
    for (const [letter, meaning] of escapes) if (meaning === character) return `\\${letter}`
    return `\\${character}`
  })
  return `"${escaped}"`
}
