/** What Node loads with a subpath at once: libraries that few programs need come when they are needed. */
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { subpaths } from './support/subpaths.ts'

/** The packages that a source file and all it imports statically import, by name. */
async function packagesOf(source: string): Promise<ReadonlySet<string>> {
  const { metafile } = await build({
    ...{ entryPoints: [source], bundle: true, write: false, metafile: true, outdir: 'out' },
    ...{ format: 'esm', platform: 'node', packages: 'external', splitting: true },
  })
  const seen = new Set([source])
  const packages = new Set<string>()
  for (const file of seen)
    for (const { path, kind, external } of metafile.inputs[file]!.imports) {
      if (kind !== 'import-statement') continue
      if (!external) seen.add(path)
      else if (!path.startsWith('node:')) packages.add(/^(?:@[^/]+\/)?[^/]+/.exec(path)![0])
    }
  return packages
}

/**
 * Certificates for PKINIT alone, the curves of SPAKE and who computes with them, ciphers that there are quicker ones of, DNS
 * messages that Node can make as well but for one.
 */
const needed: Readonly<Record<string, readonly string[]>> = {
  pkijs: ['kerb/pkinit'],
  asn1js: ['kerb/pkinit', 'kerb/inspect'],
  '@noble/curves': ['kerb/kdc', 'kerb/krb5', 'kerb/pkinit'],
  '@noble/ciphers': ['kerb/crypto', 'kerb/pkinit'],
  'dns-packet': [],
  commander: [],
}

test.each(subpaths)('%s loads no library at once that it may do without', async (name, source) => {
  const packages = await packagesOf(source)
  const libraries = Object.keys(needed)
  expect(libraries.filter((what) => packages.has(what))).toEqual(
    libraries.filter((what) => needed[what]!.includes(name)),
  )
})
