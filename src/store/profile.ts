/** The syntax of krb5.conf: sections, relations, subsections, includes (MIT's krb5.conf(5)). @module */
import { ask, type Exchange } from '../effects/index.ts'
import { ConfigError } from './error.ts'

/** A section: its relations and subsections in order; names may repeat. */
export interface Section {
  readonly entries: readonly ProfileEntry[]
  /** Marked `*`: what later files say of the same section does not count. */
  readonly final: boolean
}

/** `name = value` or `name = { … }`, and where it stands. */
export interface ProfileEntry {
  readonly name: string
  readonly value: string | Section
  readonly file: string
  readonly line: number
  readonly final: boolean
}

/** What reading a configuration asks of the world. */
export interface ConfigQuestions {
  /** The text of a file; undefined when there is none. */
  readFile: { readonly ask: { readonly path: string }; readonly answer: string | undefined }
  /** The names of the files in a folder; undefined when there is none. */
  listDirectory: { readonly ask: { readonly path: string }; readonly answer: readonly string[] | undefined }
}

/** Includes within includes, and subsections within subsections, that are followed. */
const MAX_DEPTH = 16
/** Files that one configuration may consist of. */
const MAX_FILES = 256
/** Characters of one file that are read. */
const MAX_SIZE = 4 * 1024 * 1024

interface Frame {
  readonly name: string
  readonly entries: ProfileEntry[]
  final: boolean
}

/**
 * Reads the first of `paths` and all that it includes, then the next; a missing file is an empty one. What comes first
 * wins where one value is wanted. Throws {@link ConfigError}.
 */
export function* loadProfile(paths: readonly string[]): Exchange<ConfigQuestions, Section> {
  const top: Frame = { name: '', entries: [], final: false }
  let files = 0
  const load = function* (path: string, depth: number, required: boolean): Exchange<ConfigQuestions, void> {
    if (depth > MAX_DEPTH || ++files > MAX_FILES)
      throw new ConfigError(path, undefined, 'files include each other without end')
    const text = yield* ask<ConfigQuestions, 'readFile'>('readFile', { path })
    if (text === undefined) {
      if (required) throw new ConfigError(path, undefined, 'the included file cannot be read')
      return
    }
    for (const directive of parseInto(top, text, path)) {
      if (directive.kind === 'include') yield* load(directive.path, depth + 1, true)
      else for (const name of yield* filesIn(directive.path)) yield* load(name, depth + 1, true)
    }
  }
  for (const path of paths) yield* load(path, 0, false)
  return top
}

/** Reads one text that includes nothing else. Throws {@link ConfigError}. */
export function parseProfile(text: string, file = 'krb5.conf'): Section {
  const top: Frame = { name: '', entries: [], final: false }
  for (const { path, line } of parseInto(top, text, file))
    throw new ConfigError(file, line, `${path} is included, but only this text is at hand`)
  return top
}

/** The subsections and relations called `name`, in order; of final ones only the first. */
export function entriesOf(section: Section | undefined, name: string): readonly ProfileEntry[] {
  const found = section?.entries.filter((entry) => entry.name === name) ?? []
  const final = found.findIndex((entry) => entry.final)
  return final < 0 ? found : found.slice(0, final + 1)
}

/** The subsection called `name`; undefined when there is none. */
export function subsection(section: Section | undefined, name: string): Section | undefined {
  for (const { value } of entriesOf(section, name)) if (typeof value !== 'string') return value
  return undefined
}

function* filesIn(path: string): Exchange<ConfigQuestions, string[]> {
  const names = (yield* ask<ConfigQuestions, 'listDirectory'>('listDirectory', { path })) ?? []
  const taken = names.filter((name) => /^[\w-]+$/.test(name) || (/\.conf$/.test(name) && !name.startsWith('.')))
  return [...taken].sort().map((name) => `${path.replace(/\/$/, '')}/${name}`)
}

interface Directive {
  readonly kind: 'include' | 'includedir'
  readonly path: string
  readonly line: number
}

/** Puts the contents of a text into `top`; yields an include where it stands, so that order is kept. */
function* parseInto(top: Frame, text: string, file: string): Generator<Directive, void> {
  if (text.length > MAX_SIZE) throw new ConfigError(file, undefined, `longer than ${MAX_SIZE} characters`)
  const open: Frame[] = []
  let brace: { readonly name: string; readonly line: number } | undefined
  for (const [index, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1
    const refuse = (what: string) => new ConfigError(file, line, what)
    const trimmed = raw.trim()
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith(';')) continue
    const directive = /^(include|includedir|module)\s+(\S.*)$/.exec(trimmed)
    if (directive && open.length <= 1 && !trimmed.includes('=')) {
      if (directive[1] === 'module') continue // a plug-in of MIT's, which nothing here could load
      yield { kind: directive[1] as Directive['kind'], path: directive[2]!, line }
      continue
    }
    const heading = /^\[([^\]]+)\](\*?)$/.exec(trimmed)
    if (heading) {
      if (open.length > 1) throw refuse(`a section begins while the braces of line ${brace?.line} are open`)
      open.splice(0, 1, section(top, heading[1]!.trim(), heading[2] === '*', file, line))
      continue
    }
    const here = open.at(-1)
    if (!here) throw refuse('this stands before any [section]')
    const closing = /^\}(\*?)$/.exec(trimmed)
    if (closing) {
      if (open.length < 2) throw refuse('this brace closes nothing')
      if (closing[1]) here.final = true
      open.pop()
      continue
    }
    if (brace && trimmed === '{') {
      open.push(section(here, brace.name, false, file, line))
      brace = undefined
      continue
    }
    const relation = /^([^=\s{}[\]]+|"[^"]*")(\*?)\s*=\s*(.*)$/.exec(trimmed)
    if (!relation) throw refuse(`not a relation: ${trimmed.slice(0, 60)}; write name = value`)
    const name = relation[1]!.replace(/^"|"$/g, '').replace(/\*$/, '')
    const final = relation[2] === '*' || relation[1]!.endsWith('*')
    const value = relation[3]!
    if (value === '{') {
      if (open.length > MAX_DEPTH) throw refuse(`more than ${MAX_DEPTH} braces within each other`)
      brace = { name, line }
      open.push(section(here, name, final, file, line))
    } else if (value === '') brace = { name, line }
    else here.entries.push({ name, value: unquoted(value), file, line, final })
  }
  if (open.length > 1) throw new ConfigError(file, brace?.line, 'the braces that open here are never closed')
}

/** The subsection `name` of `parent`, which is one wherever it goes on; nothing is added to one that is final. */
function section(parent: Frame, name: string, final: boolean, file: string, line: number): Frame {
  const known = parent.entries.find((entry) => entry.name === name && typeof entry.value !== 'string')?.value as
    | Frame
    | undefined
  if (known && !known.final) {
    known.final = final
    return known
  }
  const frame: Frame = { name, entries: [], final }
  if (!known) parent.entries.push({ name, value: frame, file, line, final: false })
  return frame
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b' }

/** A value without the quotes around it; within quotes a backslash escapes. */
function unquoted(value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value)
  return quoted ? quoted[1]!.replace(/\\(.)/g, (_, character: string) => escapes[character] ?? character) : value
}
