/** What the library weighs in a browser: docs/sizes.md says it, and no part may grow beyond its budget. */
import { readFileSync, writeFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
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
  'kerb/edge': 92,
  'kerb/gss': 18,
  'kerb/gss/krb5': 96,
  'kerb/gssproxy': 17,
  'kerb/http': 18,
  'kerb/inspect': 97,
  'kerb/kdc': 98,
  'kerb/krb5': 90,
  'kerb/krb5/messages': 9,
  'kerb/krb5/pac': 17,
  'kerb/spnego': 11,
  'kerb/store': 51,
}
const together = 'a `fetch` that logs in and signs in: `createNegotiateFetch`, `EdgeKerberos`, `krbConfig`'
const togetherBudget = 99
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

/** kB of a module and what it imports at once: minified, and compressed besides; last, compressed, what it loads when needed. */
async function weigh(contents: string): Promise<readonly [number, number, number]> {
  const { outputFiles, metafile } = await build({
    ...{ stdin: { contents, resolveDir: resolve('.') }, bundle: true, write: false, minify: true, metafile: true },
    ...{ format: 'esm', target: 'es2022', conditions: ['browser'], splitting: true, outdir: 'out' },
  })
  const atOnce = new Set(
    Object.keys(metafile.outputs).filter((name) => metafile.outputs[name]!.entryPoint === '<stdin>'),
  )
  for (const name of atOnce)
    for (const { path, kind } of metafile.outputs[name]!.imports) if (kind === 'import-statement') atOnce.add(path)
  const files = outputFiles.map(({ path, contents: octets }) => ({
    ...{ isAtOnce: atOnce.has(relative('.', path)), size: octets.length },
    compressed: gzipSync(octets, { level: 9 }).length / 1000,
  }))
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
  const first = files.filter(({ isAtOnce }) => isAtOnce)
  return [
    sum(first.map(({ size }) => size)) / 1000,
    sum(first.map(({ compressed }) => compressed)),
    sum(files.flatMap(({ isAtOnce, compressed }) => (isAtOnce ? [] : [compressed]))),
  ]
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
    const [minified, compressed, later] = await weigh(contents)
    expect(compressed, name).toBeLessThan(budget)
    rows.push(
      `| ${name} | ${minified.toFixed(0)} | ${compressed.toFixed(1)} | ${budget} | ${later ? later.toFixed(1) : ''} |`,
    )
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
  const table = [
    '| what | minified, kB | and gzip, kB | budget, kB | loaded when needed, kB |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
  if (process.env['KERB_WRITE_TABLES']) writeFileSync('docs/sizes.md', `${head.trimEnd()}\n\n${table}\n`)
}, 60_000)
