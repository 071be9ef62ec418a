/** What a krb5.conf is made of: sections of relations and subsections, in order (MIT's krb5.conf(5)). @module */

/** A section: its relations and subsections in order; names of relations may repeat, subsections of one name are one. */
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
  /** Counted from 1. */
  readonly line: number
  /** Marked `*`. MIT, and so we, read the mark of a relation without heeding it. */
  readonly final: boolean
}

/** A relation: an entry whose value is text. */
export interface Relation extends ProfileEntry {
  readonly value: string
}

/** A section without entries. */
export const emptySection: Section = { entries: [], final: false }

/** The section that this path of names leads to; undefined when there is none. */
export function subsection(section: Section | undefined, ...path: readonly string[]): Section | undefined {
  let found = section
  for (const name of path) found = sectionsOf(found).find((entry) => entry.name === name)?.value
  return found
}

/** The relations called `name`, in order. */
export function relationsOf(section: Section | undefined, name: string): readonly Relation[] {
  return (section?.entries ?? []).filter(
    (entry): entry is Relation => entry.name === name && typeof entry.value === 'string',
  )
}

/** The subsections, each under its name. */
export function sectionsOf(section: Section | undefined): readonly (ProfileEntry & { readonly value: Section })[] {
  return (section?.entries ?? []).filter(
    (entry): entry is ProfileEntry & { readonly value: Section } => typeof entry.value !== 'string',
  )
}

/** The values at the end of a path of names, in order: `valuesOf(profile, 'realms', 'LAB.TEST', 'kdc')`. */
export function valuesOf(section: Section | undefined, ...path: readonly string[]): readonly string[] {
  return relationsOf(subsection(section, ...path.slice(0, -1)), path.at(-1) ?? '').map(({ value }) => value)
}

/** A section that is being read: the section as it will be seen, and its subsections by name. */
export interface Draft {
  readonly section: Section & { readonly entries: ProfileEntry[]; final: boolean }
  readonly drafts: Map<string, Draft>
}

/** A section to read into. */
export const emptyDraft = (): Draft => ({ section: { entries: [], final: false }, drafts: new Map() })

/** The subsection called `name`, which is one wherever it goes on. */
export function draftOf(parent: Draft, { name, file, line }: Pick<ProfileEntry, 'name' | 'file' | 'line'>): Draft {
  const known = parent.drafts.get(name)
  if (known) return known
  const draft = emptyDraft()
  parent.drafts.set(name, draft)
  parent.section.entries.push({ name, value: draft.section, file, line, final: false })
  return draft
}

/** Adds what another file says behind what is there; what is final takes no more. */
export function addDraft(target: Draft, source: Draft): void {
  for (const entry of source.section.entries) {
    const own = source.drafts.get(entry.name)
    if (typeof entry.value === 'string' || !own) {
      target.section.entries.push(entry)
      continue
    }
    const into = draftOf(target, entry)
    if (into.section.final) continue
    addDraft(into, own)
    into.section.final = own.section.final
  }
}
