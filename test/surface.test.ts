/** What users of the package can import: a change here is a change of the public interface, and is to be seen in review. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Target {
  readonly types: string
}
const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, string | Target | Record<string, Target>>
}

/** The names that a room's index exports; types in brackets. */
function surface(types: string): string[] {
  const source = readFileSync(types.replace('./dist/', 'src/').replace('.d.ts', '.ts'), 'utf8').replace(
    /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm,
    '',
  )
  const lists = [...source.matchAll(/^export (type )?\{([^}]*)\}/gm)].flatMap(([, type, names]) =>
    names!.split(',').flatMap((name) => (name.trim() ? [`${type ? 'type ' : ''}${name.trim()}`] : [])),
  )
  const own = [...source.matchAll(/^export (?:async )?(?:const|function|class|interface|type) (\w+)/gm)].map(
    ([line, name]) => (/interface|type/.test(line) ? `type ${name}` : name!),
  )
  return [...lists, ...own].map((name) => name.replace(/^type (.*)$/, '[$1]')).sort()
}

test('the public surface is the one that was agreed on', async () => {
  const lines = Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === 'string') return []
    const each = 'types' in target ? { '': target as Target } : (target as Record<string, Target>)
    return Object.entries(each)
      .filter(([condition]) => !['deno', 'bun'].includes(condition))
      .map(
        ([condition, { types }]) =>
          `kerb${subpath.slice(1)}${condition ? ` (${condition})` : ''}\n${surface(types)
            .map((name) => `  ${name}`)
            .join('\n')}`,
      )
  })
  await expect(`${lines.join('\n\n')}\n`).toMatchFileSnapshot('surface.snapshot.txt')
})
