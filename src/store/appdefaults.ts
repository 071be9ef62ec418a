import type { KrbConfig } from './options.ts'
import { subsection, valuesOf } from './section.ts'

/**
 * What [appdefaults] says of an application's option, in the realm of whom it runs for: the application's in that realm,
 * the application's, the realm's, everybody's, in this order (krb5.conf(5)); undefined where nothing is said.
 */
export function appDefault(
  { appDefaults }: Pick<KrbConfig, 'appDefaults'>,
  { application, realm, option }: { readonly application: string; readonly realm: string; readonly option: string },
): string | undefined {
  const places = [[application, realm], [application], [realm], []]
  for (const place of places) {
    const [value] = valuesOf(subsection(appDefaults, ...place), option)
    if (value !== undefined) return value
  }
  return undefined
}
