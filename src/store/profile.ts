/** Reading a krb5.conf of one or several files: whoever runs it answers with their texts. @module */
import { ask, type Exchange } from '../effects/index.ts'
import { ConfigError, excerpt } from './error.ts'
import { addDraft, type Draft, emptyDraft, type Section } from './section.ts'
import { type Directive, parseLines } from './syntax.ts'

/** What reading a configuration asks of the world. */
export interface ConfigQuestions {
  /** The text of a file; undefined when there is none. */
  readFile: { readonly ask: { readonly path: string }; readonly answer: string | undefined }
  /** The names of the files in a folder; undefined when there is none. */
  listDirectory: { readonly ask: { readonly path: string }; readonly answer: readonly string[] | undefined }
}

/** Files that include each other in a chain. */
const MAX_DEPTH = 16
/** Files that one configuration may consist of. */
const MAX_FILES = 256
/** Characters that all of its files may have together. */
const MAX_CHARACTERS = 4 * 1024 * 1024

/** What is left of the bounds above. */
interface Budget {
  files: number
  characters: number
}

/**
 * Reads the first of `paths` and all that it includes, then the next (the list of KRB5_CONFIG); a missing file is an
 * empty one, and a folder stands for its files. What comes first wins where one value is wanted, and a section that is final takes nothing from later
 * files. Throws {@link ConfigError}.
 */
export function* loadProfile(paths: readonly string[]): Exchange<ConfigQuestions, Section> {
  const all = emptyDraft()
  const budget: Budget = { files: MAX_FILES, characters: MAX_CHARACTERS }
  for (const path of paths)
    for (const file of yield* filesAt(path)) {
      const text = yield* ask<ConfigQuestions, 'readFile'>('readFile', { path: file })
      if (text === undefined) continue
      const own = emptyDraft()
      yield* readInto(own, text, [file], budget)
      addDraft(all, own)
    }
  return all.section
}

/** Reads one text that includes nothing else. Throws {@link ConfigError}. */
export function parseProfile(text: string, file = 'krb5.conf'): Section {
  const draft = emptyDraft()
  spend({ files: 1, characters: MAX_CHARACTERS }, text, file)
  for (const { path, line } of parseLines(draft, text, file))
    throw new ConfigError(file, line, `${excerpt(path)} is included, but only this text is at hand`)
  return draft.section
}

/** `trail` leads from a file that was asked for to the one whose text this is. */
function* readInto(
  draft: Draft,
  text: string,
  trail: readonly string[],
  budget: Budget,
): Exchange<ConfigQuestions, void> {
  const file = trail.at(-1) ?? ''
  spend(budget, text, file)
  for (const directive of parseLines(draft, text, file))
    for (const path of directive.kind === 'include' ? [directive.path] : yield* filesIn(directive, file)) {
      const refuse = (what: string) => new ConfigError(file, directive.line, `${excerpt(path)} ${what}`)
      if (trail.includes(path)) throw refuse('includes itself; take one of the includes away')
      if (trail.length > MAX_DEPTH) throw refuse(`is the end of a chain of more than ${MAX_DEPTH} includes`)
      const included = yield* ask<ConfigQuestions, 'readFile'>('readFile', { path })
      if (included === undefined) throw refuse('is included, but there is no such file')
      yield* readInto(draft, included, [...trail, path], budget)
    }
}

/** A path of KRB5_CONFIG: the file, or those of the folder that it is. */
function* filesAt(path: string): Exchange<ConfigQuestions, readonly string[]> {
  const names = yield* ask<ConfigQuestions, 'listDirectory'>('listDirectory', { path })
  return names ? counted(names, path) : [path]
}

/** The files of a folder that is included. */
function* filesIn({ path, line }: Directive, file: string): Exchange<ConfigQuestions, string[]> {
  const names = yield* ask<ConfigQuestions, 'listDirectory'>('listDirectory', { path })
  if (!names) throw new ConfigError(file, line, `${excerpt(path)} is included, but there is no such folder`)
  return counted(names, path)
}

/** The files of a folder that count, sorted: `*.conf`, and names of nothing but letters, digits, dashes and underscores. */
const counted = (names: readonly string[], path: string): string[] =>
  names
    .filter((name) => /^[A-Za-z0-9_-]+$/.test(name) || /^[^.].*\.conf$/.test(name))
    .sort()
    .map((name) => `${path.replace(/\/$/, '')}/${name}`)

function spend(budget: Budget, text: string, file: string): void {
  budget.files -= 1
  budget.characters -= text.length
  if (budget.files < 0) throw new ConfigError(file, undefined, `more than ${MAX_FILES} files are included`)
  if (budget.characters < 0)
    throw new ConfigError(file, undefined, `the configuration has more than ${MAX_CHARACTERS} characters`)
}
