/** A self-signed certificate of localhost, for tests of HTTPS: openssl req -x509 -newkey ec -days 36500 -addext subjectAltName=DNS:localhost,IP:127.0.0.1 */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUKG6YVidpVTLHd6qBHAZjor48xdcwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJa2VyYiB0ZXN0MCAXDTI2MTEyODAwMjkwNVoYDzIxMjYxMTA0
MDAyOTA1WjAUMRIwEAYDVQQDDAlrZXJiIHRlc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARnxObsrcUMkE7fUGtnuCYCyKd/+BmNFJ6B0fWSHyEfbzIxg4PEAeiK
oqlu1MY/jFRmHjoheBz7alrbMLUt/6DCo28wbTAdBgNVHQ4EFgQUh/T8MECOMcxe
m5xeK5wqC8gUEacwHwYDVR0jBBgwFoAUh/T8MECOMcxem5xeK5wqC8gUEacwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSAAwRQIhANO2yuXQjwdnQvXyPZIFV2of98Oo0vqEpK2kYlvsRtuYAiAv
TzRNkrQs2XYVeelA6sTvLwyo2CdniT8ts4cybHNQxA==
-----END CERTIFICATE-----
`

export const privateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgrR7pqzgqC+QR83qp
uEOQCfBOxTzZUszQowEEmvTBzOmhRANCAARnxObsrcUMkE7fUGtnuCYCyKd/+BmN
FJ6B0fWSHyEfbzIxg4PEAeiKoqlu1MY/jFRmHjoheBz7alrbMLUt/6DC
-----END PRIVATE KEY-----
`
