/*
 * MIT krb5 as a peer of the figures: a process that is told on standard input what to do how often, and answers with
 * the nanoseconds of CPU time that one operation took.
 *
 *   usage: mit SERVICE...      as HTTP/www.bench.test: what contexts are made with, for all but handshakes the first
 *   <- "ready"
 *   -> "1000 wrap 16384"       COUNT FIGURE [ARGUMENT]
 *   <- "118204.3"
 *
 * The credential cache and the services' part of the keytab are copied to memory first, so that no figure reads a file;
 * KRB5RCACHENAME=none: leaves the replay cache out likewise. What an operation allocates is freed within its time,
 * as the time of the other side holds the work of its garbage collector.
 */
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
#include <krb5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Exported by libkrb5 (krb5_3_MIT) for its own tools, hence not in the installed headers. */
typedef struct {
    krb5_magic magic;
    krb5_flags ap_options;
    krb5_ticket *ticket;
    krb5_enc_data authenticator;
} ap_req;
krb5_error_code decode_krb5_ap_req(const krb5_data *, ap_req **);
krb5_error_code encode_krb5_ap_req(const ap_req *, krb5_data **);
void krb5_free_ap_req(krb5_context, ap_req *);
krb5_error_code decode_krb5_enc_tkt_part(const krb5_data *, krb5_enc_tkt_part **);
void krb5_free_enc_tkt_part(krb5_context, krb5_enc_tkt_part *);
krb5_error_code decode_krb5_authenticator(const krb5_data *, krb5_authenticator **);

enum { USAGE_TICKET = 2, USAGE_AUTHENTICATOR = 11 }; /* RFC 4120 section 7.5.1 */

static krb5_context krb;
static gss_cred_id_t initiator;

static void krb_check(krb5_error_code code, const char *doing) {
    if (!code) return;
    fprintf(stderr, "mit: %s: %s\n", doing, krb5_get_error_message(krb, code));
    exit(1);
}

static void gss_check(OM_uint32 major, OM_uint32 minor, const char *doing) {
    if (!GSS_ERROR(major)) return;
    OM_uint32 ignored, more = 0;
    gss_buffer_desc text;
    gss_display_status(&ignored, minor ? minor : major, minor ? GSS_C_MECH_CODE : GSS_C_GSS_CODE,
                       (gss_OID)gss_mech_krb5, &more, &text);
    fprintf(stderr, "mit: %s: %.*s\n", doing, (int)text.length, (char *)text.value);
    exit(1);
}

/* Nanoseconds of CPU time of this process: it stays put when others take the cores, wall time does not. */
static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int is_one_of(krb5_const_principal name, char **services) {
    for (; *services; services++) {
        krb5_principal service;
        krb_check(krb5_parse_name(krb, *services, &service), "parsing the name of a service");
        int same = krb5_principal_compare_any_realm(krb, name, service);
        krb5_free_principal(krb, service);
        if (same) return 1;
    }
    return 0;
}

static void copy_stores_to_memory(char **services) {
    krb5_ccache file, memory;
    krb5_principal client;
    krb_check(krb5_cc_default(krb, &file), "opening the credential cache");
    krb_check(krb5_cc_get_principal(krb, file, &client), "reading the credential cache");
    krb_check(krb5_cc_resolve(krb, "MEMORY:bench", &memory), "making a cache in memory");
    krb_check(krb5_cc_initialize(krb, memory, client), "making a cache in memory");
    krb_check(krb5_cc_copy_creds(krb, file, memory), "copying the credential cache");

    krb5_keytab keys, kept;
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;
    krb_check(krb5_kt_default(krb, &keys), "opening the keytab");
    krb_check(krb5_kt_resolve(krb, "MEMORY:bench", &kept), "making a keytab in memory");
    krb_check(krb5_kt_start_seq_get(krb, keys, &cursor), "reading the keytab");
    while (!krb5_kt_next_entry(krb, keys, &entry, &cursor))
        if (is_one_of(entry.principal, services))
            krb_check(krb5_kt_add_entry(krb, kept, &entry), "copying the keytab");
    krb5_kt_end_seq_get(krb, keys, &cursor);
    /* `kept` stays open: a keytab in memory lives as long as somebody holds it. */

    setenv("KRB5CCNAME", "MEMORY:bench", 1);
    setenv("KRB5_KTNAME", "MEMORY:bench", 1);
}

static gss_name_t service_name(const char *text) {
    OM_uint32 major, minor;
    gss_buffer_desc buffer = {strlen(text), (void *)text};
    gss_name_t name;
    major = gss_import_name(&minor, &buffer, (gss_OID)GSS_KRB5_NT_PRINCIPAL_NAME, &name);
    gss_check(major, minor, "importing the name of the service");
    return name;
}

static gss_cred_id_t credentials(gss_name_t name, gss_cred_usage_t usage) {
    OM_uint32 major, minor;
    gss_OID_set_desc krb5_only = {1, (gss_OID)gss_mech_krb5};
    gss_cred_id_t creds;
    major = gss_acquire_cred(&minor, name, 0, &krb5_only, usage, &creds, NULL, NULL);
    gss_check(major, minor, "acquiring credentials");
    return creds;
}

static const OM_uint32 wanted =
    GSS_C_MUTUAL_FLAG | GSS_C_CONF_FLAG | GSS_C_INTEG_FLAG | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;

static OM_uint32 initiate(gss_ctx_id_t *context, gss_name_t target, gss_buffer_t in, gss_buffer_t out) {
    OM_uint32 major, minor, flags;
    major = gss_init_sec_context(&minor, initiator, context, target, (gss_OID)gss_mech_krb5, wanted, 0,
                                 GSS_C_NO_CHANNEL_BINDINGS, in, NULL, out, &flags, NULL);
    gss_check(major, minor, "initiating a context");
    return major;
}

/* Initiate, accept, complete: one handshake with mutual authentication. */
static void handshake(gss_name_t target, gss_cred_id_t acceptor, gss_ctx_id_t *ours, gss_ctx_id_t *theirs) {
    OM_uint32 major, minor, flags;
    gss_buffer_desc request = GSS_C_EMPTY_BUFFER, reply = GSS_C_EMPTY_BUFFER, nothing = GSS_C_EMPTY_BUFFER;
    gss_name_t client;
    *ours = *theirs = GSS_C_NO_CONTEXT;
    initiate(ours, target, GSS_C_NO_BUFFER, &request);
    major = gss_accept_sec_context(&minor, theirs, acceptor, &request, GSS_C_NO_CHANNEL_BINDINGS, &client, NULL,
                                   &reply, &flags, NULL, NULL);
    gss_check(major, minor, "accepting a context");
    if (initiate(ours, target, &reply, &nothing) != GSS_S_COMPLETE || major != GSS_S_COMPLETE || nothing.length) {
        fprintf(stderr, "mit: the context is not complete after one round trip\n");
        exit(1);
    }
    gss_release_buffer(&minor, &request);
    gss_release_buffer(&minor, &reply);
    gss_release_name(&minor, &client);
}

static void delete_context(gss_ctx_id_t *context) {
    OM_uint32 minor;
    gss_delete_sec_context(&minor, context, NULL);
}

/* Each measure_… does its work `count` times and returns the nanoseconds of all of it. */

static double measure_handshake(long count, const char *service) {
    OM_uint32 minor;
    gss_name_t target = service_name(service);
    gss_cred_id_t acceptor = credentials(target, GSS_C_ACCEPT);
    gss_ctx_id_t ours, theirs;
    double start = cpu();
    for (long i = 0; i < count; i++) {
        handshake(target, acceptor, &ours, &theirs);
        delete_context(&ours);
        delete_context(&theirs);
    }
    double spent = cpu() - start;
    gss_release_cred(&minor, &acceptor);
    gss_release_name(&minor, &target);
    return spent;
}

static gss_ctx_id_t sender, receiver;

static void seal(gss_buffer_t message, gss_buffer_t token) {
    OM_uint32 major, minor;
    int sealed;
    major = gss_wrap(&minor, sender, 1, GSS_C_QOP_DEFAULT, message, &sealed, token);
    gss_check(major, minor, "wrapping");
}

static double measure_wrap(long count, size_t size) {
    OM_uint32 minor;
    gss_buffer_desc message = {size, calloc(1, size)}, token;
    double start = cpu();
    for (long i = 0; i < count; i++) {
        seal(&message, &token);
        gss_release_buffer(&minor, &token);
    }
    double spent = cpu() - start;
    free(message.value);
    return spent;
}

static double measure_unwrap(long count, size_t size) {
    enum { MOST = 256, OCTETS = 4 << 20 }; /* tokens, and octets, that are sealed ahead */
    static gss_buffer_desc tokens[MOST];
    OM_uint32 major, minor;
    gss_buffer_desc message = {size, calloc(1, size)}, opened;
    long block = OCTETS / size < MOST ? OCTETS / size : MOST;
    double spent = 0;
    for (long done = 0; done < count; done += block) {
        long now = count - done < block ? count - done : block;
        for (long i = 0; i < now; i++) seal(&message, &tokens[i]);
        double start = cpu();
        for (long i = 0; i < now; i++) {
            int sealed;
            major = gss_unwrap(&minor, receiver, &tokens[i], &opened, &sealed, NULL);
            gss_check(major, minor, "unwrapping");
            gss_release_buffer(&minor, &opened);
        }
        spent += cpu() - start;
        for (long i = 0; i < now; i++) gss_release_buffer(&minor, &tokens[i]);
    }
    free(message.value);
    return spent;
}

/* The octets of one accept: AP-REQ, and what its two encrypted parts hold. */
static krb5_data request, ticket_part, authenticator;
static ap_req *decoded_request;

static krb5_data decrypted(const krb5_keyblock *key, krb5_keyusage usage, const krb5_enc_data *sealed) {
    krb5_data plain = {0, sealed->ciphertext.length, malloc(sealed->ciphertext.length)};
    krb_check(krb5_c_decrypt(krb, key, usage, NULL, sealed, &plain), "decrypting");
    return plain;
}

static void take_apart_one_request(const char *service) {
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc token;
    gss_name_t target = service_name(service);
    initiate(&context, target, GSS_C_NO_BUFFER, &token);
    /* RFC 4121 section 4.1: [APPLICATION 0] length, OID, two octets, AP-REQ */
    unsigned char *octets = token.value;
    size_t at = 2 + (octets[1] & 0x80 ? octets[1] & 0x7f : 0);
    at += 2 + octets[at + 1] + 2;
    request.length = token.length - at;
    request.data = (char *)octets + at;
    krb_check(decode_krb5_ap_req(&request, &decoded_request), "decoding the AP-REQ");

    krb5_keytab keys;
    krb5_keytab_entry entry;
    krb5_enc_tkt_part *part;
    krb5_ticket *ticket = decoded_request->ticket;
    krb_check(krb5_kt_default(krb, &keys), "opening the keytab");
    krb_check(krb5_kt_get_entry(krb, keys, ticket->server, 0, ticket->enc_part.enctype, &entry), "finding the key");
    ticket_part = decrypted(&entry.key, USAGE_TICKET, &ticket->enc_part);
    krb_check(decode_krb5_enc_tkt_part(&ticket_part, &part), "decoding the EncTicketPart");
    authenticator = decrypted(part->session, USAGE_AUTHENTICATOR, &decoded_request->authenticator);
}

static double measure_decode_request(long count) {
    double start = cpu();
    for (long i = 0; i < count; i++) {
        ap_req *value;
        krb_check(decode_krb5_ap_req(&request, &value), "decoding the AP-REQ");
        krb5_free_ap_req(krb, value);
    }
    return cpu() - start;
}

static double measure_encode_request(long count) {
    double start = cpu();
    for (long i = 0; i < count; i++) {
        krb5_data *octets;
        krb_check(encode_krb5_ap_req(decoded_request, &octets), "encoding the AP-REQ");
        krb5_free_data(krb, octets);
    }
    return cpu() - start;
}

static double measure_decode_accept(long count) {
    double start = cpu();
    for (long i = 0; i < count; i++) {
        ap_req *value;
        krb5_enc_tkt_part *part;
        krb5_authenticator *proof;
        krb_check(decode_krb5_ap_req(&request, &value), "decoding the AP-REQ");
        krb_check(decode_krb5_enc_tkt_part(&ticket_part, &part), "decoding the EncTicketPart");
        krb_check(decode_krb5_authenticator(&authenticator, &proof), "decoding the Authenticator");
        krb5_free_authenticator(krb, proof);
        krb5_free_enc_tkt_part(krb, part);
        krb5_free_ap_req(krb, value);
    }
    return cpu() - start;
}

static double measure_string_to_key(long count, krb5_enctype enctype) {
    static char password_text[] = "password", salt_text[] = "BENCH.TESTalice";
    krb5_data password = {0, sizeof password_text - 1, password_text}, salt = {0, sizeof salt_text - 1, salt_text};
    double start = cpu();
    for (long i = 0; i < count; i++) {
        krb5_keyblock key;
        krb_check(krb5_c_string_to_key(krb, enctype, &password, &salt, &key), "making a key of a password");
        krb5_free_keyblock_contents(krb, &key);
    }
    return cpu() - start;
}

static double measure(const char *figure, const char *argument, long count) {
    if (!strcmp(figure, "handshake")) return measure_handshake(count, argument);
    if (!strcmp(figure, "wrap")) return measure_wrap(count, strtoul(argument, NULL, 10));
    if (!strcmp(figure, "unwrap")) return measure_unwrap(count, strtoul(argument, NULL, 10));
    if (!strcmp(figure, "decode-request")) return measure_decode_request(count);
    if (!strcmp(figure, "encode-request")) return measure_encode_request(count);
    if (!strcmp(figure, "decode-accept")) return measure_decode_accept(count);
    if (!strcmp(figure, "string-to-key")) return measure_string_to_key(count, atoi(argument));
    fprintf(stderr, "mit: no figure is called %s\n", figure);
    exit(2);
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: mit SERVICE...\n");
        return 2;
    }
    krb_check(krb5_init_context(&krb), "starting");
    copy_stores_to_memory(argv + 1);
    initiator = credentials(GSS_C_NO_NAME, GSS_C_INITIATE);
    gss_name_t target = service_name(argv[1]);
    handshake(target, credentials(target, GSS_C_ACCEPT), &sender, &receiver);
    take_apart_one_request(argv[1]);
    puts("ready");
    fflush(stdout);

    char line[512], figure[64], argument[256];
    long count;
    while (fgets(line, sizeof line, stdin)) {
        argument[0] = 0;
        if (sscanf(line, "%ld %63s %255s", &count, figure, argument) < 2 || count < 1) {
            fprintf(stderr, "mit: not COUNT FIGURE [ARGUMENT]: %s", line);
            return 2;
        }
        printf("%.1f\n", measure(figure, argument, count) / count);
        fflush(stdout);
    }
    return 0;
}
