# A certificate authority that only the tests know, and a certificate of it for servers on loopback. Sourced by ./dev.

tls_files() {
  local tls="$CACHE/tls"
  [ ! -f "$tls/server.pem" ] || return 0
  if ! command -v openssl >/dev/null; then
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null ||
      die "the tests need openssl, to make certificates for their own servers"
    apt_install openssl
  fi
  mkdir -p "$tls"
  quietly tls-authority openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=poetry-buildkit tests" \
    -addext keyUsage=critical,keyCertSign,cRLSign -keyout "$tls/ca.key" -out "$tls/ca.pem"
  quietly tls-request openssl req -new -newkey rsa:2048 -nodes -subj /CN=localhost \
    -keyout "$tls/server.key" -out "$tls/server.csr"
  printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' >"$tls/extensions"
  quietly tls-certificate openssl x509 -req -in "$tls/server.csr" -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -CAcreateserial \
    -days 3650 -extfile "$tls/extensions" -out "$tls/server.new.pem"
  mv "$tls/server.new.pem" "$tls/server.pem"
}
