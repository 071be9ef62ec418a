import type { Env } from '../../krb5/env.ts'
import type { KrbQuestions } from '../../krb5/questions.ts'
import type { Mechanism } from '../mechanism.ts'
import { mechanismOids } from '../oids.ts'
import { AcceptorHandshake } from './acceptor.ts'
import { Krb5Context } from './context.ts'
import { InitiatorHandshake } from './initiator.ts'
import { type NameRules, nameOf, noRules, principalFrom } from './names.ts'
import { resumeHandshake } from './resume.ts'

/** The krb5 mechanism (RFC 4121) over `env`'s clock, randomness and enctypes; `rules` tell which realm a name is in. */
export function krb5Mechanism(env: Env, rules: NameRules = noRules): Mechanism<KrbQuestions> {
  return {
    oid: mechanismOids.krb5,
    aliases: [mechanismOids.krb5Microsoft],
    name: 'krb5',
    canonicalize: (name) => nameOf(principalFrom(name, rules)),
    initiate: (request) => new InitiatorHandshake(request, env, rules),
    accept: (request) => new AcceptorHandshake(request, env),
    importHandshake: (token) => resumeHandshake(token, env),
    importContext: (token, delegated) => Krb5Context.import(token, env, delegated),
  }
}
