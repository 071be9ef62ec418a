/** Lists of enctypes as krb5.conf writes them. @module */
import type { Enctype } from '../crypto/enctypes/profile.ts'
import { deprecatedEnctypes, enctypeByName, enctypes } from '../crypto/enctypes/table.ts'
import { type Notation, wordsOf } from './values.ts'

const isRc4 = ({ name }: Enctype): boolean => name.startsWith('rc4') || name.startsWith('arcfour')
const isDes3 = ({ name }: Enctype): boolean => name.startsWith('des3')
const isCamellia = ({ name }: Enctype): boolean => name.startsWith('camellia')

/** Families of enctypes that a list may name at once. */
const families: Readonly<Record<string, (enctype: Enctype) => boolean>> = {
  aes: ({ name }) => name.startsWith('aes'),
  des3: isDes3,
  rc4: isRc4,
  camellia: isCamellia,
}

const known = [...enctypes, ...deprecatedEnctypes]

/** What `DEFAULT` stands for, and what holds where nothing is said; {@link allowedOf} has to see it. */
export const defaultEnctypes: readonly Enctype[] = known.filter((enctype) => !isCamellia(enctype))

/**
 * A list of enctypes as krb5.conf writes it: names, families, `DEFAULT`, `-name` to take one out. Names that are not
 * spoken here are left out, as MIT does.
 */
export function parseEnctypes(text: string): Enctype[] {
  const list: Enctype[] = []
  for (const word of wordsOf(text)) {
    const removing = word.startsWith('-')
    for (const enctype of meant(word.replace(/^[+-]/, ''))) {
      const at = list.indexOf(enctype)
      if (removing && at >= 0) list.splice(at, 1)
      if (!removing && at < 0) list.push(enctype)
    }
  }
  return list
}

/** What is left of a list where RC4 and DES3 must be allowed by an option of their own (MIT 1.21). */
export const allowedOf = (
  list: readonly Enctype[],
  { rc4, des3 }: { readonly rc4: boolean; readonly des3: boolean },
): readonly Enctype[] => list.filter((enctype) => (rc4 || !isRc4(enctype)) && (des3 || !isDes3(enctype)))

/** The options that let these enctypes through {@link allowedOf}. */
export const allowancesFor = (list: readonly Enctype[]): { readonly rc4: boolean; readonly des3: boolean } => ({
  rc4: list.some(isRc4),
  des3: list.some(isDes3),
})

/** See {@link parseEnctypes}. */
export const enctypeList: Notation<readonly Enctype[]> = {
  parse: parseEnctypes,
  format: (list) => list.map(({ name }) => name).join(' '),
}

function meant(word: string): readonly Enctype[] {
  if (word.toUpperCase() === 'DEFAULT') return defaultEnctypes
  const family = families[word.toLowerCase()]
  if (family) return known.filter(family)
  const enctype = enctypeByName(word, known)
  return enctype ? [enctype] : []
}
