/** Rules of auth_to_local, names, and what MIT krb5 1.20.1 makes of them; undefined for KRB5_LNAME_NOTRANS. */

/** A krb5.conf with these rules and names for the default realm R.TEST. */
export const localNameConfig = (rules: readonly string[], names: readonly string[] = []): string =>
  [
    ...['[libdefaults]', ' default_realm = R.TEST', '[realms]', ' R.TEST = {'],
    ...rules.map((rule) => `  auth_to_local = ${rule}`),
    ...(names.length > 0 ? ['  auth_to_local_names = {', ...names.map((name) => `   ${name}`), '  }'] : []),
    ...[' }', ''],
  ].join('\n')

/** Rules, a principal, its local name. */
export const localNameCases: readonly [readonly string[], string, string | undefined][] = [
  [[], 'alice', 'alice'],
  [[], 'alice@OTHER', undefined],
  [[], 'alice/admin', undefined],
  [[], 'alice/R.TEST', 'alice'],
  [['DEFAULT'], 'a/b/c', undefined],
  [['RULE:[1:$1]'], 'alice@OTHER', 'alice'],
  [['RULE:[1:$1@$0]'], 'alice@OTHER', 'alice@OTHER'],
  [['RULE:[1:$1]'], 'a\\@b', 'a@b'],
  [['RULE:[2:$2;$1]'], 'host/h.x@OTHER', 'h.x;host'],
  [['RULE:[2:$2;$1]'], 'alice', undefined],
  [['RULE:[3:$1-$2-$3]'], 'a/b/c', 'a-b-c'],
  [['RULE:'], 'host/h.x@OTHER', 'host/h.x'],
  [['RULE:'], 'a\\/b', 'a\\/b'],
  [['RULE:(.*@R.TEST)s/@.*//'], 'alice', undefined],
  [['RULE:[1:$1@$0](.*@R.TEST)s/@.*//'], 'alice', 'alice'],
  [['RULE:[1:$1@$0](.*@R.TEST)s/@.*//'], 'alice@OTHER', undefined],
  [['RULE:[1:$1](al|alice)s/al|alice/X/'], 'alice', 'X'],
  [['RULE:[1:$1]s/i/I/g s/l/L/'], 'alice', 'aLIce'],
  [['RULE:[1:$1]s/a/b/gs/c/d/'], 'alice', 'blide'],
  [['RULE:[1:$1]s/i/&\\1/'], 'alice', 'al&\\1ce'],
  [['RULE:[1:$1](alice) s/a/b/'], 'alice', 'blice'],
  [['RULE:[1:$1](ALICE)', 'DEFAULT'], 'alice', 'alice'],
  [['RULE:[1:$1](lic)'], 'alice', undefined],
  [['RULE:[1:$1](^alice$)'], 'alice', 'alice'],
  [['RULE:[1:$1](.{5})'], 'alice', 'alice'],
  [['RULE:[1:$1](.{5})'], 'a\\@b', undefined],
  [['RULE:[1:$1](a*[)', 'DEFAULT'], 'alice', 'alice'],
  [['RULE:[1:$1]s/^a/b/g'], 'aab', 'bbb'],
  [['RULE:[1:$1]s/a$/b/g'], 'aaa', 'aab'],
  [['RULE:[1:$1](a.c|[[:digit:]]+|x{2,3}|\\.q)'], '12', '12'],
  [['RULE:[1:$1](a.c|[[:digit:]]+|x{2,3}|\\.q)'], 'xxx', 'xxx'],
  [['RULE:[1:$1](a.c|[[:digit:]]+|x{2,3}|\\.q)'], 'bq', undefined],
  [['RULE:[1: $1 ]'], 'alice', ' alice '],
  [['RULE:[ 1:$1]'], 'alice', 'alice'],
  [['RULE:[0:x]', 'RULE:[1:$1x]'], 'alice', 'alicex'],
  [['DEFAULT:x'], 'alice', 'alice'],
]

/** What MIT calls KRB5_CONFIG_BADFORMAT for `alice`. */
export const malformedRules: readonly string[] = [
  'RULE:[1:$1]xyz',
  'RULE:[1:$1](',
  'RULE:[x:$1]',
  'RULE:[1:$1',
  'RULE:[1:$3]',
  'RULE:[1:$1]s/a',
  'RULE:[1:$1]s/a/',
  'RULE:[1:$1]s/a/b',
  'RULE:[1:$1]s/a/b/i',
  'RULE:[1:$1]s,a,b,',
  'RULE:[1:$1]g',
  'RULE: [1:$1]',
  'rule:[1:$1]',
  'DEFAULTx',
  'NONE',
]
