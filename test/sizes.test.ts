/** What the library weighs in a browser: docs/sizes.md says it, and no part may grow beyond its budget. */
import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, test } from 'vitest'

const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, { readonly default: string | { readonly default: string } }>
}

/** Budgets in kB of 1000 octets, minified and compressed by gzip. */
const budgets: Readonly<Record<string, number>> = {
  'kerb/asn1': 8,
  'kerb/crypto': 33,
  'kerb/edge': 108,
  'kerb/gss': 20,
  'kerb/gss/krb5': 101,
  'kerb/gssproxy': 15,
  'kerb/http': 16,
  'kerb/inspect': 97,
  'kerb/kdc': 98,
  'kerb/krb5': 90,
  'kerb/krb5/messages': 9,
  'kerb/krb5/pac': 17,
  'kerb/spnego': 11,
  'kerb/store': 51,
}
const together = 'a `fetch` that logs in and signs in: `createNegotiateFetch`, `EdgeKerberos`, `krbConfig`'
const togetherBudget = 113
const noble = 'the client of `kerb/http`, and all of `kerb/crypto` with @noble'
const nobleBudget = 45

/** The published source of a subpath where there is neither Node nor Deno nor Bun. */
function sourceOf(name: string): string {
  const target = exports[name.replace(/^kerb/, '.')]!.default
  const file = typeof target === 'string' ? target : target.default
  return resolve(file.replace('./dist/', 'src/').replace(/\.js$/, '.ts'))
}

const all = (name: string) => `export * from '${sourceOf(name)}'`
const some = (name: string, what: string) => `export { ${what} } from '${sourceOf(name)}'`

/** kB of a module and what it imports: minified, and compressed besides. */
async function weigh(contents: string): Promise<readonly [number, number]> {
  const { outputFiles } = await build({
    ...{ stdin: { contents, resolveDir: resolve('.') }, bundle: true, write: false, minify: true },
    ...{ format: 'esm', target: 'es2022', conditions: ['browser'] },
  })
  const { contents: octets } = outputFiles[0]!
  return [octets.length / 1000, gzipSync(octets, { level: 9 }).length / 1000]
}

test('every part keeps to its budget, and the page says what it weighs', async () => {
  const parts: (readonly [string, string, number])[] = [
    ...Object.entries(budgets).map(([name, budget]) => [`\`${name}\``, all(name), budget] as const),
    [noble, `${some('kerb/http', 'createNegotiateFetch')}\n${all('kerb/crypto')}`, nobleBudget],
    [
      together,
      [
        some('kerb/http', 'createNegotiateFetch'),
        some('kerb/edge', 'EdgeKerberos'),
        some('kerb/store', 'krbConfig'),
      ].join('\n'),
      togetherBudget,
    ],
  ]
  const page = readFileSync('docs/sizes.md', 'utf8')
  const rows: string[] = []
  for (const [name, contents, budget] of parts) {
    const [minified, compressed] = await weigh(contents)
    expect(compressed, name).toBeLessThan(budget)
    rows.push(`| ${name} | ${minified.toFixed(0)} | ${compressed.toFixed(1)} | ${budget} |`)
    const said = Number(
      page
        .split('\n')
        .find((line) => line.startsWith(`| ${name} |`))
        ?.split('|')[3],
    )
    if (!process.env['KERB_WRITE_TABLES'])
      expect(Math.abs(said / compressed - 1), `${name} on the page`).toBeLessThan(0.25)
  }
  const [head = ''] = page.split('\n| ')
  const table = ['| what | minified, kB | and gzip, kB | budget, kB |', '|---|---|---|---|', ...rows].join('\n')
  if (process.env['KERB_WRITE_TABLES']) writeFileSync('docs/sizes.md', `${head.trimEnd()}\n\n${table}\n`)
}, 60_000)
