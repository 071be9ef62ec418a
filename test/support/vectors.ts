import { readFileSync } from 'node:fs'

/** The vectors in `vectors/NAME.json`, which names its source. */
export const vectors = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}.json`, import.meta.url), 'utf8')) as T
