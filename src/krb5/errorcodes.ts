/**
 * Every error code of RFC 4120 §7.5.9 and its extensions: number, what it means, and what the reader of the message can do.
 * @module
 */

interface Row {
  /** The number on the wire; negative for failures that only this side can notice. */
  readonly number: number
  readonly meaning: string
  readonly hint?: string
}

const skewHint = 'set the clocks right, or let the client follow the KDC (kdc_timesync)'
const keyHint = 'the service has another key than the KDC: export its keytab anew'

/** Error codes by name. */
export const errorCodes = {
  KDC_ERR_NONE:                        { number: 0, meaning: 'no error' },
  KDC_ERR_NAME_EXP:                    { number: 1, meaning: 'the client entry in the KDC database has expired', hint: 'ask for the account to be extended' },
  KDC_ERR_SERVICE_EXP:                 { number: 2, meaning: 'the service entry in the KDC database has expired', hint: 'ask for the service account to be extended' },
  KDC_ERR_BAD_PVNO:                    { number: 3, meaning: 'the protocol version is not supported' },
  KDC_ERR_C_OLD_MAST_KVNO:             { number: 4, meaning: "the client's key is encrypted in an old master key" },
  KDC_ERR_S_OLD_MAST_KVNO:             { number: 5, meaning: "the service's key is encrypted in an old master key" },
  KDC_ERR_C_PRINCIPAL_UNKNOWN:         { number: 6, meaning: 'no such client', hint: 'check the user name and the realm' },
  KDC_ERR_S_PRINCIPAL_UNKNOWN:         { number: 7, meaning: 'no such service', hint: 'check the host name or ask for the SPN to be registered' },
  KDC_ERR_PRINCIPAL_NOT_UNIQUE:        { number: 8, meaning: 'several database entries have this name', hint: 'remove the duplicate SPN' },
  KDC_ERR_NULL_KEY:                    { number: 9, meaning: 'the client or the service has no key' },
  KDC_ERR_CANNOT_POSTDATE:             { number: 10, meaning: 'the ticket may not be postdated' },
  KDC_ERR_NEVER_VALID:                 { number: 11, meaning: 'the ticket would never be valid', hint: 'check the start and end times asked for' },
  KDC_ERR_POLICY:                      { number: 12, meaning: 'the KDC policy refuses the request' },
  KDC_ERR_BADOPTION:                   { number: 13, meaning: 'the KDC cannot grant an option that was asked for', hint: 'the ticket may not be renewable, forwardable or delegated as wanted' },
  KDC_ERR_ETYPE_NOSUPP:                { number: 14, meaning: 'no encryption type in common with the KDC', hint: 'compare the enctypes offered with those of the principal' },
  KDC_ERR_SUMTYPE_NOSUPP:              { number: 15, meaning: 'the KDC does not support the checksum type' },
  KDC_ERR_PADATA_TYPE_NOSUPP:          { number: 16, meaning: 'the KDC does not support the pre-authentication type' },
  KDC_ERR_TRTYPE_NOSUPP:               { number: 17, meaning: 'the KDC does not support the transited type' },
  KDC_ERR_CLIENT_REVOKED:              { number: 18, meaning: 'the account is disabled or locked out', hint: 'ask for the account to be unlocked' },
  KDC_ERR_SERVICE_REVOKED:             { number: 19, meaning: 'the service account is disabled' },
  KDC_ERR_TGT_REVOKED:                 { number: 20, meaning: 'the ticket-granting ticket has been revoked', hint: 'log in again' },
  KDC_ERR_CLIENT_NOTYET:               { number: 21, meaning: 'the account is not valid yet' },
  KDC_ERR_SERVICE_NOTYET:              { number: 22, meaning: 'the service account is not valid yet' },
  KDC_ERR_KEY_EXPIRED:                 { number: 23, meaning: 'the password has expired', hint: 'change the password (kpasswd)' },
  KDC_ERR_PREAUTH_FAILED:              { number: 24, meaning: 'the pre-authentication is wrong', hint: 'check the password or the keytab' },
  KDC_ERR_PREAUTH_REQUIRED:            { number: 25, meaning: 'the KDC wants pre-authentication of a kind that is not available here' },
  KDC_ERR_SERVER_NOMATCH:              { number: 26, meaning: 'the ticket is for another service than the one named' },
  KDC_ERR_MUST_USE_USER2USER:          { number: 27, meaning: 'the service takes user-to-user tickets only' },
  KDC_ERR_PATH_NOT_ACCEPTED:           { number: 28, meaning: 'the KDC does not accept the path through other realms' },
  KDC_ERR_SVC_UNAVAILABLE:             { number: 29, meaning: 'a service the KDC needs is not available' },
  KRB_AP_ERR_BAD_INTEGRITY:            { number: 31, meaning: 'the integrity check of an encrypted part failed', hint: 'check the password or the keytab' },
  KRB_AP_ERR_TKT_EXPIRED:              { number: 32, meaning: 'the ticket has expired', hint: 'log in again (kinit)' },
  KRB_AP_ERR_TKT_NYV:                  { number: 33, meaning: 'the ticket is not valid yet', hint: skewHint },
  KRB_AP_ERR_REPEAT:                   { number: 34, meaning: 'the request is a replay', hint: 'make a fresh token for every attempt' },
  KRB_AP_ERR_NOT_US:                   { number: 35, meaning: 'the ticket is for another service', hint: 'compare the name asked for with the names in the keytab' },
  KRB_AP_ERR_BADMATCH:                 { number: 36, meaning: 'the ticket and the authenticator name different clients' },
  KRB_AP_ERR_SKEW:                     { number: 37, meaning: 'the clocks differ too much', hint: skewHint },
  KRB_AP_ERR_BADADDR:                  { number: 38, meaning: 'the network address is not the one in the ticket' },
  KRB_AP_ERR_BADVERSION:               { number: 39, meaning: 'the protocol version is not supported' },
  KRB_AP_ERR_MSG_TYPE:                 { number: 40, meaning: 'this is another type of message than expected' },
  KRB_AP_ERR_MODIFIED:                 { number: 41, meaning: 'the message was modified, or sealed with another key', hint: keyHint },
  KRB_AP_ERR_BADORDER:                 { number: 42, meaning: 'the message is out of order' },
  KRB_AP_ERR_BADKEYVER:                { number: 44, meaning: 'no key of the version that the ticket names', hint: keyHint },
  KRB_AP_ERR_NOKEY:                    { number: 45, meaning: 'no key for the service named in the ticket', hint: 'add the service to the keytab' },
  KRB_AP_ERR_MUT_FAIL:                 { number: 46, meaning: 'mutual authentication failed' },
  KRB_AP_ERR_BADDIRECTION:             { number: 47, meaning: 'the message goes in the wrong direction' },
  KRB_AP_ERR_METHOD:                   { number: 48, meaning: 'another authentication method is required' },
  KRB_AP_ERR_BADSEQ:                   { number: 49, meaning: 'the sequence number is wrong' },
  KRB_AP_ERR_INAPP_CKSUM:              { number: 50, meaning: 'the checksum is of an inappropriate type' },
  KRB_AP_PATH_NOT_ACCEPTED:            { number: 51, meaning: 'the path through other realms is not accepted' },
  KRB_ERR_RESPONSE_TOO_BIG:            { number: 52, meaning: 'the reply does not fit into a datagram', hint: 'use TCP' },
  KRB_ERR_GENERIC:                     { number: 60, meaning: 'generic error' },
  KRB_ERR_FIELD_TOOLONG:               { number: 61, meaning: 'a field is too long' },
  KDC_ERR_CLIENT_NOT_TRUSTED:          { number: 62, meaning: "the KDC does not trust the client's certificate" },
  KDC_ERR_KDC_NOT_TRUSTED:             { number: 63, meaning: "the KDC's certificate is not trusted" },
  KDC_ERR_INVALID_SIG:                 { number: 64, meaning: 'the signature is invalid' },
  KDC_ERR_DH_KEY_PARAMETERS_NOT_ACCEPTED: { number: 65, meaning: 'the Diffie-Hellman parameters are not accepted' },
  KDC_ERR_CERTIFICATE_MISMATCH:        { number: 66, meaning: 'the certificate is not for this principal' },
  KRB_AP_ERR_NO_TGT:                   { number: 67, meaning: 'no ticket-granting ticket was given' },
  KDC_ERR_WRONG_REALM:                 { number: 68, meaning: 'the client belongs to another realm' },
  KRB_AP_ERR_USER_TO_USER_REQUIRED:    { number: 69, meaning: 'user-to-user authentication is required' },
  KDC_ERR_CANT_VERIFY_CERTIFICATE:     { number: 70, meaning: 'the certificate chain cannot be verified' },
  KDC_ERR_INVALID_CERTIFICATE:         { number: 71, meaning: 'the certificate is invalid' },
  KDC_ERR_REVOKED_CERTIFICATE:         { number: 72, meaning: 'the certificate is revoked' },
  KDC_ERR_REVOCATION_STATUS_UNKNOWN:   { number: 73, meaning: 'the revocation status of the certificate is unknown' },
  KDC_ERR_REVOCATION_STATUS_UNAVAILABLE: { number: 74, meaning: 'the revocation status of the certificate is unavailable' },
  KDC_ERR_CLIENT_NAME_MISMATCH:        { number: 75, meaning: 'the certificate names another client' },
  KDC_ERR_KDC_NAME_MISMATCH:           { number: 76, meaning: 'the certificate names another KDC' },
  KDC_ERR_INCONSISTENT_KEY_PURPOSE:    { number: 77, meaning: 'the certificate may not be used for this' },
  KDC_ERR_DIGEST_IN_CERT_NOT_ACCEPTED: { number: 78, meaning: 'the digest algorithm of the certificate is not accepted' },
  KDC_ERR_PA_CHECKSUM_MUST_BE_INCLUDED: { number: 79, meaning: 'the paChecksum is missing' },
  KDC_ERR_DIGEST_IN_SIGNED_DATA_NOT_ACCEPTED: { number: 80, meaning: 'the digest algorithm of the signed data is not accepted' },
  KDC_ERR_PUBLIC_KEY_ENCRYPTION_NOT_SUPPORTED: { number: 81, meaning: 'public key encryption is not supported' },
  KRB_AP_ERR_IAKERB_KDC_NOT_FOUND:     { number: 85, meaning: 'the IAKERB proxy found no KDC' },
  KRB_AP_ERR_IAKERB_KDC_NO_RESPONSE:   { number: 86, meaning: 'the KDC did not answer the IAKERB proxy' },
  KDC_ERR_PREAUTH_EXPIRED:             { number: 90, meaning: 'the pre-authentication took too long' },
  KDC_ERR_MORE_PREAUTH_DATA_REQUIRED:  { number: 91, meaning: 'the KDC wants another round of pre-authentication' },
  KDC_ERR_PREAUTH_BAD_AUTHENTICATION_SET: { number: 92, meaning: 'the set of pre-authentication mechanisms is not one the KDC offered' },
  KDC_ERR_UNKNOWN_CRITICAL_FAST_OPTIONS: { number: 93, meaning: 'the KDC does not know a critical FAST option' },
  KDC_ERR_NO_ACCEPTABLE_KDF:           { number: 100, meaning: 'no key derivation function in common' },

  // What a password server answers (RFC 3244 §2): its result code, less than -100.
  KRB5_KPASSWD_MALFORMED:              { number: -101, meaning: 'the password server could not read the request' },
  KRB5_KPASSWD_HARDERROR:              { number: -102, meaning: 'the password server could not carry out the change' },
  KRB5_KPASSWD_AUTHERROR:              { number: -103, meaning: 'the password server did not believe who asked' },
  KRB5_KPASSWD_SOFTERROR:              { number: -104, meaning: 'the new password is not acceptable', hint: 'choose another one' },
  KRB5_KPASSWD_ACCESSDENIED:           { number: -105, meaning: 'the password may not be set by whoever asked' },
  KRB5_KPASSWD_BAD_VERSION:            { number: -106, meaning: 'the password server does not speak this version of the protocol' },
  KRB5_KPASSWD_INITIAL_FLAG_NEEDED:    { number: -107, meaning: 'the password server wants a ticket that was just got with the password', hint: 'log in for the service kadmin/changepw' },

  REPLY_MODIFIED:                      { number: -1, meaning: "the KDC's reply does not answer our request", hint: 'somebody may be changing messages on the way' },
  REPLY_MALFORMED:                     { number: -2, meaning: "the KDC's reply cannot be read" },
  REFERRAL_LOOP:                       { number: -3, meaning: 'realms refer to each other without end', hint: 'check domain_realm and the trusts' },
  NO_TICKET:                           { number: -4, meaning: 'no ticket-granting ticket', hint: 'log in first (kinit)' },
  NO_KEY:                              { number: -5, meaning: 'no key for this principal', hint: 'check the keytab' },
  ENCTYPE_REFUSED:                     { number: -6, meaning: 'the encryption type is not one that was asked for', hint: 'name it in the enctypes to accept, if you must' },
  NAME_REFUSED:                        { number: -7, meaning: 'the name cannot be used here' },
  REALM_UNKNOWN:                       { number: -8, meaning: 'the realm is not known', hint: 'name it: user@REALM, or default_realm in krb5.conf' },
  FAST_REQUIRED:                       { number: -11, meaning: 'the KDC does not answer inside FAST', hint: 'somebody may be changing messages on the way, or the KDC is too old for armor' },
  REPLAY_CACHE_FULL:                   { number: -9, meaning: 'the replay cache is full, so nothing can be accepted', hint: 'give it more room' },
  REPLAY_CACHE_UNUSABLE:               { number: -12, meaning: 'the replay cache cannot be used, so nothing can be accepted', hint: 'name another one in KRB5RCACHENAME' },
} as const satisfies Record<string, Row>

/** A code that {@link KrbError} carries: RFC 4120's names, and a few of our own for failures that only this side sees. */
export type KrbErrorCode = keyof typeof errorCodes

const byNumber = new Map<number, KrbErrorCode>(Object.entries(errorCodes).map(([code, { number }]) => [number, code as KrbErrorCode]))

/** The name of a number from the wire; numbers without a name are KRB_ERR_GENERIC. */
export const errorCodeOf = (number: number): KrbErrorCode => (number < 0 ? undefined : byNumber.get(number)) ?? 'KRB_ERR_GENERIC'

/** What a code means and what to do about it. */
export const errorCode = (code: KrbErrorCode): Row => errorCodes[code]
