/*
 * gss_peer.c - one side of a security context by a C library: MIT's, or with -DHEIMDAL Heimdal's.
 *
 * Reads a command a line and answers each with a line. Octets are in hex, none of them is "-".
 *   initiate TARGET MECH FLAGS BINDINGS   begin anew; FLAGS is a number; TARGET service@host, or a principal
 *   accept MECH BINDINGS                  begin anew; BINDINGS is -, or ITYPE:IADDR:ATYPE:AADDR:DATA
 *   step TOKEN                            "continue TOKEN" or "complete TOKEN"
 *   wrap CONF DATA                        "CONF TOKEN"
 *   unwrap TOKEN                          "CONF STATUS DATA", STATUS the supplementary bits
 *   mic DATA                              TOKEN
 *   verify DATA TOKEN                     STATUS
 *   wrapiov CONF PIECE...                 the pieces; a PIECE is t:OCTETS, of type h d s p t, w for a stream
 *   unwrapiov PIECE...                    "CONF STATUS PIECE..."
 *   lengths CONF PIECE...                 the pieces with their lengths, by gss_wrap_iov_length
 *   miciov PIECE...                       TOKEN
 *   aead CONF AD DATA                     TOKEN
 *   unaead AD TOKEN                       "CONF DATA"
 *   limit CONF SIZE                       the largest message
 *   prf FULL SEED SIZE                    octets
 *   key                                   the session key
 *   inquire                               "INITIATOR TARGET MECH FLAGS SECONDS", blanks in names as +
 *   delegated                             whose credentials came along, or -
 *   act 1|0                               initiate with the credentials that came along from now on, or one's own
 *   export / import TOKEN                 TOKEN / ok
 *   process TOKEN                         takes the word that the context is deleted
 * What fails is answered by "error MAJOR TOKEN TEXT".
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HEIMDAL
#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>
#include <gssapi/gssapi_spnego.h>
#define KRB5 GSS_KRB5_MECHANISM
#define SPNEGO GSS_SPNEGO_MECHANISM
#else
#include <gssapi/gssapi_ext.h>
#include <gssapi/gssapi_krb5.h>
static gss_OID_desc spnego_oid = {6, "\x2b\x06\x01\x05\x05\x02"};
#define KRB5 ((gss_OID)gss_mech_krb5)
#define SPNEGO (&spnego_oid)
#endif
#define ALLOCATE GSS_IOV_BUFFER_FLAG_ALLOCATE

/* 1.2.840.113554.1.2.2.5.5, which Heimdal declares and does not export */
static gss_OID_desc session_key_oid = {11, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x05\x05"};

static gss_ctx_id_t context = GSS_C_NO_CONTEXT;
static gss_cred_id_t keys = GSS_C_NO_CREDENTIAL, delegated = GSS_C_NO_CREDENTIAL, acting = GSS_C_NO_CREDENTIAL;
static gss_name_t target = GSS_C_NO_NAME;
static gss_OID mech;
static OM_uint32 flags, minor;
static int initiating, established;
static struct gss_channel_bindings_struct given, *bindings = GSS_C_NO_CHANNEL_BINDINGS;
static char *arguments[32];

static int nibble(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

static gss_buffer_desc octets(const char *hex) {
  gss_buffer_desc b = {0, NULL};
  if (!hex || !*hex || !strcmp(hex, "-")) return b;
  b.length = strlen(hex) / 2;
  b.value = malloc(b.length + 1);
  for (size_t i = 0; i < b.length; i++) ((unsigned char *)b.value)[i] = nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]);
  return b;
}

static void put(gss_buffer_t b) {
  static const char digits[] = "0123456789abcdef";
  if (b->length == 0) putchar('-');
  for (size_t i = 0; i < b->length; i++) {
    unsigned char c = ((unsigned char *)b->value)[i];
    putchar(digits[c >> 4]);
    putchar(digits[c & 15]);
  }
}

static void put_name(gss_name_t name) {
  OM_uint32 m;
  gss_buffer_desc text = {0, NULL};
  if (name == GSS_C_NO_NAME || gss_display_name(&m, name, &text, NULL) != GSS_S_COMPLETE) { putchar('-'); return; }
  for (size_t i = 0; i < text.length; i++) putchar(((char *)text.value)[i] == ' ' ? '+' : ((char *)text.value)[i]);
  gss_release_buffer(&m, &text);
}

static const char *major_names[] = {
  "0", "BAD_MECH", "BAD_NAME", "BAD_NAMETYPE", "BAD_BINDINGS", "BAD_STATUS", "BAD_MIC", "NO_CRED", "NO_CONTEXT",
  "DEFECTIVE_TOKEN", "DEFECTIVE_CREDENTIAL", "CREDENTIALS_EXPIRED", "CONTEXT_EXPIRED", "FAILURE", "BAD_QOP",
  "UNAUTHORIZED", "UNAVAILABLE", "DUPLICATE_ELEMENT", "NAME_NOT_MN"};

/* Whether `major` is an error; if so, it is answered. */
static int failed(OM_uint32 major, gss_buffer_t token) {
  gss_buffer_desc none = {0, NULL}, text;
  OM_uint32 m, more = 0, routine = (major >> 16) & 255;
  if (!GSS_ERROR(major)) return 0;
  printf("error GSS_S_%s ", routine < sizeof major_names / sizeof *major_names ? major_names[routine] : "CALLING_ERROR");
  put(token ? token : &none);
  for (int type = GSS_C_GSS_CODE; type <= GSS_C_MECH_CODE; type++) {
    OM_uint32 code = type == GSS_C_GSS_CODE ? major : minor;
    if (gss_display_status(&m, code, type, mech, &more, &text) == GSS_S_COMPLETE)
      printf(" %.*s;", (int)text.length, (char *)text.value);
  }
  return 1;
}

static void bind_to(char *text) {
  bindings = GSS_C_NO_CHANNEL_BINDINGS;
  if (!text || !strcmp(text, "-")) return;
  given.initiator_addrtype = atoi(strsep(&text, ":"));
  given.initiator_address = octets(strsep(&text, ":"));
  given.acceptor_addrtype = atoi(strsep(&text, ":"));
  given.acceptor_address = octets(strsep(&text, ":"));
  given.application_data = octets(text);
  bindings = &given;
}

static void begin(int initiate, const char *mechanism) {
  OM_uint32 m;
  gss_delete_sec_context(&m, &context, GSS_C_NO_BUFFER);
  if (delegated) gss_release_cred(&m, &delegated);
  initiating = initiate;
  established = 0;
  mech = !strcmp(mechanism, "spnego") ? SPNEGO : KRB5;
}

static void step(char **a) {
  gss_buffer_desc in = octets(a[0]), out = {0, NULL};
  OM_uint32 major = initiating
    ? gss_init_sec_context(&minor, acting, &context, target, mech, flags, 0, bindings,
                           in.length ? &in : GSS_C_NO_BUFFER, NULL, &out, NULL, NULL)
    : gss_accept_sec_context(&minor, &context, keys, &in, bindings, NULL, NULL, &out, NULL, NULL, &delegated);
  if (failed(major, &out)) return;
  /* a replayed token is no routine error with MIT */
  if (major & (GSS_S_DUPLICATE_TOKEN | GSS_S_OLD_TOKEN)) { printf("error GSS_S_DUPLICATE_TOKEN - -"); return; }
  established = !(major & GSS_S_CONTINUE_NEEDED);
  fputs(established ? "complete " : "continue ", stdout);
  put(&out);
}

static const char kinds[] = "hdsptw";
static const OM_uint32 types[] = {GSS_IOV_BUFFER_TYPE_HEADER, GSS_IOV_BUFFER_TYPE_DATA, GSS_IOV_BUFFER_TYPE_SIGN_ONLY,
  GSS_IOV_BUFFER_TYPE_PADDING, GSS_IOV_BUFFER_TYPE_TRAILER, GSS_IOV_BUFFER_TYPE_STREAM};
static gss_iov_buffer_desc iov[24];

static int pieces(char **a, int make) {
  int n = 0;
  for (; a[n]; n++) {
    const char *octet = a[n][1] == ':' ? a[n] + 2 : "-";
    iov[n].type = types[strchr(kinds, a[n][0]) - kinds];
    iov[n].buffer = octets(octet);
    if (make && strchr("hpt", a[n][0])) iov[n].type |= ALLOCATE;
  }
  return n;
}

static void put_pieces(char **a, int n) {
  for (int i = 0; i < n; i++) {
    printf(" %c:", a[i][0]);
    put(&iov[i].buffer);
  }
}

static void inquire(void) {
  gss_name_t from = GSS_C_NO_NAME, to = GSS_C_NO_NAME;
  gss_OID used = GSS_C_NO_OID;
  OM_uint32 lifetime, granted;
  int open;
  if (failed(gss_inquire_context(&minor, context, &from, &to, &lifetime, &used, &granted, NULL, &open), NULL)) return;
  put_name(from);
  putchar(' ');
  put_name(to);
  printf(" %s", !used ? "-" : gss_oid_equal(used, KRB5) ? "krb5" : gss_oid_equal(used, SPNEGO) ? "spnego" : "other");
  printf(" %u %u", granted, lifetime);
}

static void answer(const char *command, char **a) {
  gss_buffer_desc in, in2, out = {0, NULL};
  OM_uint32 major, size;
  int conf = 0, n;
  gss_qop_t qop = 0;
  if (!strcmp(command, "initiate")) {
    in.value = a[0], in.length = strlen(a[0]);
    begin(1, a[1]);
    flags = strtoul(a[2], NULL, 10);
    bind_to(a[3]);
    if (failed(gss_import_name(&minor, &in, strchr(a[0], '/') ? (gss_OID)GSS_KRB5_NT_PRINCIPAL_NAME
                               : (gss_OID)GSS_C_NT_HOSTBASED_SERVICE, &target), NULL)) return;
    fputs("ok", stdout);
  } else if (!strcmp(command, "accept")) {
    begin(0, a[0]);
    bind_to(a[1]);
    if (!keys && failed(gss_acquire_cred(&minor, GSS_C_NO_NAME, 0, GSS_C_NO_OID_SET, GSS_C_ACCEPT, &keys, NULL, NULL),
                        NULL)) return;
    fputs("ok", stdout);
  } else if (!strcmp(command, "step")) step(a);
  else if (!strcmp(command, "wrap")) {
    in = octets(a[1]);
    if (failed(gss_wrap(&minor, context, atoi(a[0]), GSS_C_QOP_DEFAULT, &in, &conf, &out), NULL)) return;
    printf("%d ", conf);
    put(&out);
  } else if (!strcmp(command, "unwrap")) {
    in = octets(a[0]);
    if (failed(major = gss_unwrap(&minor, context, &in, &out, &conf, &qop), NULL)) return;
    printf("%d %u ", conf, major & 0xffff);
    put(&out);
  } else if (!strcmp(command, "mic")) {
    in = octets(a[0]);
    if (!failed(gss_get_mic(&minor, context, GSS_C_QOP_DEFAULT, &in, &out), NULL)) put(&out);
  } else if (!strcmp(command, "verify")) {
    in = octets(a[0]), in2 = octets(a[1]);
    if (!failed(major = gss_verify_mic(&minor, context, &in, &in2, &qop), NULL)) printf("%u", major & 0xffff);
  } else if (!strcmp(command, "wrapiov")) {
    n = pieces(a + 1, 1);
    if (failed(gss_wrap_iov(&minor, context, atoi(a[0]), GSS_C_QOP_DEFAULT, &conf, iov, n), NULL)) return;
    printf("%d", conf);
    put_pieces(a + 1, n);
  } else if (!strcmp(command, "lengths")) {
    n = pieces(a + 1, 0);
    if (failed(gss_wrap_iov_length(&minor, context, atoi(a[0]), GSS_C_QOP_DEFAULT, &conf, iov, n), NULL)) return;
    for (int i = 0; i < n; i++) printf("%s%c:%zu", i ? " " : "", a[i + 1][0], iov[i].buffer.length);
  } else if (!strcmp(command, "unwrapiov")) {
    n = pieces(a, 0);
    if (failed(major = gss_unwrap_iov(&minor, context, &conf, &qop, iov, n), NULL)) return;
    printf("%d %u", conf, major & 0xffff);
    put_pieces(a, n);
  } else if (!strcmp(command, "limit")) {
    size = 0;
    if (!failed(gss_wrap_size_limit(&minor, context, atoi(a[0]), GSS_C_QOP_DEFAULT, atoi(a[1]), &size), NULL))
      printf("%u", size);
  } else if (!strcmp(command, "prf")) {
    in = octets(a[1]);
    if (!failed(gss_pseudo_random(&minor, context, atoi(a[0]) ? GSS_C_PRF_KEY_FULL : GSS_C_PRF_KEY_PARTIAL, &in,
                                  atoi(a[2]), &out), NULL)) put(&out);
  } else if (!strcmp(command, "key")) {
    gss_buffer_set_t set = GSS_C_NO_BUFFER_SET;
    if (!failed(gss_inquire_sec_context_by_oid(&minor, context, &session_key_oid, &set), NULL))
      put(&set->elements[0]);
#ifndef HEIMDAL
  } else if (!strcmp(command, "miciov")) {
    n = pieces(a, 0);
    iov[n].type = GSS_IOV_BUFFER_TYPE_MIC_TOKEN | ALLOCATE;
    if (!failed(gss_get_mic_iov(&minor, context, GSS_C_QOP_DEFAULT, iov, n + 1), NULL)) put(&iov[n].buffer);
  } else if (!strcmp(command, "aead")) {
    in = octets(a[1]), in2 = octets(a[2]);
    if (!failed(gss_wrap_aead(&minor, context, atoi(a[0]), GSS_C_QOP_DEFAULT, &in, &in2, &conf, &out), NULL)) put(&out);
  } else if (!strcmp(command, "unaead")) {
    in = octets(a[0]), in2 = octets(a[1]);
    if (failed(gss_unwrap_aead(&minor, context, &in2, &in, &out, &conf, &qop), NULL)) return;
    printf("%d ", conf);
    put(&out);
#endif
  } else if (!strcmp(command, "inquire")) inquire();
  else if (!strcmp(command, "delegated")) {
    gss_name_t name = GSS_C_NO_NAME;
    if (!delegated || failed(gss_inquire_cred(&minor, delegated, &name, NULL, NULL, NULL), NULL)) putchar('-');
    else put_name(name);
  } else if (!strcmp(command, "act")) {
    acting = atoi(a[0]) ? delegated : GSS_C_NO_CREDENTIAL;
    delegated = GSS_C_NO_CREDENTIAL;
    fputs("ok", stdout);
  } else if (!strcmp(command, "export")) {
    if (!failed(gss_export_sec_context(&minor, &context, &out), NULL)) put(&out);
  } else if (!strcmp(command, "import")) {
    in = octets(a[0]);
    begin(0, "krb5");
    if (!failed(gss_import_sec_context(&minor, &in, &context), NULL)) fputs("ok", stdout);
  } else if (!strcmp(command, "process")) {
    in = octets(a[0]);
    if (!failed(gss_process_context_token(&minor, context, &in), NULL)) fputs("ok", stdout);
  } else printf("error UNKNOWN - %s", command);
}

int main(void) {
  char *line = NULL;
  size_t size = 0;
  while (getline(&line, &size, stdin) > 0) {
    int n = 0;
    char *rest = line, *word;
    while (n < 31 && (word = strsep(&rest, " \n"))) if (*word) arguments[n++] = word;
    arguments[n] = NULL;
    if (n) answer(arguments[0], arguments + 1);
    putchar('\n');
    fflush(stdout);
  }
  return 0;
}
