/**
 * Which origins may learn who the user is: `https://www.example.com`, `https://*.example.com` for every host below
 * example.com (not for itself), with the port where it is not the scheme's own; or a function that says it of a URL.
 */
export type Origins = readonly string[] | ((url: URL) => boolean)

/** A test for `origins`. Throws TypeError for what is no origin: one with a path, or without a scheme. */
export function originTest(origins: Origins): (url: URL) => boolean {
  if (typeof origins === 'function') return origins
  const tests = origins.map(testOf)
  return (url) => tests.some((test) => test(url))
}

function testOf(text: string): (url: URL) => boolean {
  const [, scheme, wildcard, rest] = /^(https?:\/\/)(\*\.)?([^/*?#@]+)$/i.exec(text) ?? []
  const url = rest !== undefined && URL.canParse(scheme + rest) ? new URL(scheme + rest) : undefined
  if (!url) throw new TypeError(`not an origin: ${text}; write https://www.example.com or https://*.example.com`)
  if (!wildcard) return ({ origin }) => origin === url.origin
  return ({ protocol, hostname, port }) =>
    protocol === url.protocol && port === url.port && hostname.endsWith(`.${url.hostname}`)
}
