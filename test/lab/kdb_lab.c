/*
 * kdb_lab.c - a KDB module for tests: db2 with delegation rules and aliases from a file.
 *
 * krb5's db2 module answers no to every question about delegation, and only LDAP can
 * say yes - but not to the resource-based kind. This module is db2's, its method table
 * copied at load time, with four methods of our own that read the file named by
 * LAB_KDB_RULES anew for each question. Lines (principals without realm are local):
 *
 *     to SERVICE TARGET      SERVICE may pass users on to TARGET      (constrained)
 *     from TARGET SERVICE    TARGET takes users from SERVICE          (resource-based)
 *     alias NAME PRINCIPAL   NAME is another name of PRINCIPAL
 *     cert FILE PRINCIPAL    the certificate in FILE (DER) is PRINCIPAL's     (S4U2Self)
 *
 * cc -shared -fPIC -DDB2='"PATH-OF-db2.so"' -o lab.so kdb_lab.c -ldl -lkrb5
 * kdc.conf: [dbmodules] db_module_dir = DIR, and db_library = lab
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <krb5.h>
#include <kdb.h>

kdb_vftabl kdb_function_table;
static kdb_vftabl db2;

/* Is there a line "VERB A B"? With b NULL: a line whose first name is A; its second
 * one is parsed into *found. */
static int rule(krb5_context ctx, const char *verb, krb5_const_principal a,
                krb5_const_principal b, krb5_principal *found)
{
    char line[1024], v[16], x[480], y[480];
    int yes = 0;
    const char *path = getenv("LAB_KDB_RULES");
    FILE *f = path != NULL ? fopen(path, "r") : NULL;

    while (f != NULL && !yes && fgets(line, sizeof(line), f) != NULL) {
        krb5_principal p = NULL, q = NULL;
        if (sscanf(line, "%15s %479s %479s", v, x, y) != 3 || strcmp(v, verb) != 0)
            continue;
        if (krb5_parse_name(ctx, x, &p) == 0 && krb5_parse_name(ctx, y, &q) == 0 &&
            krb5_principal_compare(ctx, a, p) &&
            (b == NULL || krb5_principal_compare(ctx, b, q))) {
            yes = 1;
            if (found != NULL) {
                *found = q;
                q = NULL;
            }
        }
        krb5_free_principal(ctx, p);
        krb5_free_principal(ctx, q);
    }
    if (f != NULL)
        fclose(f);
    return yes;
}

static krb5_error_code may_delegate_to(krb5_context ctx, krb5_const_principal client,
                                       const krb5_db_entry *server, krb5_const_principal proxy)
{
    return rule(ctx, "to", server->princ, proxy, NULL) ? 0 : KRB5KDC_ERR_BADOPTION;
}

static krb5_error_code takes_from(krb5_context ctx, krb5_const_principal client,
                                  krb5_const_principal server, krb5_pac server_pac,
                                  const krb5_db_entry *proxy)
{
    return rule(ctx, "from", proxy->princ, server, NULL) ? 0 : KRB5KDC_ERR_BADOPTION;
}

static krb5_error_code get(krb5_context ctx, krb5_const_principal name,
                           unsigned int flags, krb5_db_entry **entry)
{
    krb5_principal real = NULL;
    krb5_error_code ret = db2.get_principal(ctx, name, flags, entry);

    if (ret != KRB5_KDB_NOENTRY || !rule(ctx, "alias", name, NULL, &real))
        return ret;
    ret = db2.get_principal(ctx, real, flags, entry);
    krb5_free_principal(ctx, real);
    return ret;
}

/* Does the file hold exactly these octets? */
static int holds(const char *path, const krb5_data *octets)
{
    char have[8192];
    FILE *f = fopen(path, "rb");
    size_t n = f != NULL ? fread(have, 1, sizeof(have), f) : 0;

    if (f != NULL)
        fclose(f);
    return n > 0 && n == octets->length && memcmp(have, octets->data, n) == 0;
}

static krb5_error_code by_certificate(krb5_context ctx, const krb5_data *cert,
                                      krb5_const_principal name, unsigned int flags,
                                      krb5_db_entry **entry)
{
    char line[1024], path[480], owner[480];
    krb5_error_code ret = KRB5_KDB_NOENTRY;
    const char *rules = getenv("LAB_KDB_RULES");
    FILE *f = rules != NULL ? fopen(rules, "r") : NULL;

    while (f != NULL && ret == KRB5_KDB_NOENTRY && fgets(line, sizeof(line), f) != NULL) {
        krb5_principal p = NULL;
        if (sscanf(line, "cert %479s %479s", path, owner) != 2 || !holds(path, cert))
            continue;
        if (krb5_parse_name(ctx, owner, &p) == 0)
            ret = db2.get_principal(ctx, p, flags, entry);
        krb5_free_principal(ctx, p);
    }
    if (f != NULL)
        fclose(f);
    return ret;
}

__attribute__((constructor)) static void setup(void)
{
    void *so = dlopen(DB2, RTLD_NOW | RTLD_GLOBAL);
    kdb_vftabl *t = so != NULL ? dlsym(so, "kdb_function_table") : NULL;

    if (t == NULL) {
        fprintf(stderr, "kdb_lab: %s\n", dlerror());
        return;
    }
    db2 = kdb_function_table = *t;
    kdb_function_table.check_allowed_to_delegate = may_delegate_to;
    kdb_function_table.allowed_to_delegate_from = takes_from;
    kdb_function_table.get_principal = get;
    kdb_function_table.get_s4u_x509_principal = by_certificate;
}
